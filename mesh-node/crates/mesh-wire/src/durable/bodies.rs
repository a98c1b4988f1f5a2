//! Bodies of fixed layout.

use crate::{body::BodyError, ext::Tag};

/// Bytes of [`PutOk`] and of [`Fetch`].
const BYTES: usize = 21;

/// Records were kept, in `PUT_OK`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PutOk {
    /// The lane that keeps them: with a number in it the id of a record.
    pub lane: u64,
    /// The number of the first one.
    pub first: u64,
    /// How many; their numbers follow each other.
    pub count: u32,
    /// They were there before: the batch came again.
    pub duplicate: bool,
}

impl PutOk {
    /// The body.
    #[must_use]
    pub fn encode(&self) -> [u8; BYTES] {
        join(self.lane, self.first, self.count, self.duplicate)
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`BodyError::Malformed`] when bytes are missing or have no meaning, [`BodyError::Trailing`] when some are left.
    pub fn decode(body: &[u8]) -> Result<Self, BodyError> {
        split(body).map(|(lane, first, count, duplicate)| Self { lane, first, count, duplicate })
    }
}

/// Asks for records, in `FETCH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    /// The lane.
    pub lane: u64,
    /// The number of the first record that is wanted, from 1.
    pub from: u64,
    /// No further batch is added beyond so many bytes, 1 to [`crate::limits::FETCH_BYTES_MAX`].
    pub max_bytes: u32,
    /// Whether everything that was acknowledged before is to be seen; else what this node knows.
    pub linearizable: bool,
}

impl Fetch {
    /// The body.
    #[must_use]
    pub fn encode(&self) -> [u8; BYTES] {
        join(self.lane, self.from, self.max_bytes, self.linearizable)
    }

    /// Reads a body. Ranges of the fields are the reader's to judge.
    ///
    /// # Errors
    /// As [`PutOk::decode`].
    pub fn decode(body: &[u8]) -> Result<Self, BodyError> {
        split(body).map(|(lane, from, max_bytes, linearizable)| Self { lane, from, max_bytes, linearizable })
    }
}

/// The extension area of a `PUT` that is not in chunks.
#[must_use]
pub fn put_ext(lane: u64) -> [u8; 10] {
    let mut ext = [Tag::LANE.0, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    ext[2..].copy_from_slice(&lane.to_le_bytes());
    ext
}

fn join(a: u64, b: u64, c: u32, d: bool) -> [u8; BYTES] {
    let mut body = [0; BYTES];
    body[..8].copy_from_slice(&a.to_le_bytes());
    body[8..16].copy_from_slice(&b.to_le_bytes());
    body[16..20].copy_from_slice(&c.to_le_bytes());
    body[20] = d.into();
    body
}

fn split(body: &[u8]) -> Result<(u64, u64, u32, bool), BodyError> {
    let Some((head, rest)) = body.split_first_chunk::<BYTES>() else { return Err(BodyError::Malformed) };
    if !rest.is_empty() {
        return Err(BodyError::Trailing(rest.len()));
    }
    let [a, b] = [0, 8].map(|at| u64::from_le_bytes(std::array::from_fn(|i| head[at + i])));
    let c = u32::from_le_bytes([head[16], head[17], head[18], head[19]]);
    match head[20] {
        d @ (0 | 1) => Ok((a, b, c, d == 1)),
        _ => Err(BodyError::Malformed),
    }
}
