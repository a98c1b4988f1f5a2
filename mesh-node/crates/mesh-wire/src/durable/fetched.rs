//! Records that were asked for.

use bytes::{BufMut, Bytes, BytesMut};

use super::FETCHED_BYTES;
use crate::{body::BodyError, limits};

/// Bytes in front of the pieces.
const HEAD_BYTES: usize = 16;
/// Bytes in front of each batch.
const PIECE_BYTES: usize = 16;

/// A batch with the numbers of its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The number of the first record; it may be below the one that was asked for.
    pub first: u64,
    /// How many records, at least 1.
    pub count: u32,
    /// The record batch, as it was put. Not checked here.
    pub batch: Bytes,
}

impl Piece {
    /// The number behind the last record.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first.saturating_add(self.count.into())
    }
}

/// Records of a lane, in `FETCHED`: whole batches in their order, without gaps between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where to go on: the number behind the last record in here, or the one that was asked for.
    pub next: u64,
    /// The number that the lane's next record will get, as far as was known.
    pub head: u64,
    /// The batches.
    pub pieces: Vec<Piece>,
}

impl Fetched {
    /// Whether nothing was behind this when it was read.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.next >= self.head
    }

    /// Reads a body; the batches are slices of it.
    ///
    /// # Errors
    /// [`BodyError::TooLarge`] over [`FETCHED_BYTES`], [`BodyError::Malformed`] when lengths or numbers do not fit.
    pub fn decode(body: &Bytes) -> Result<Self, BodyError> {
        if body.len() > FETCHED_BYTES {
            return Err(BodyError::TooLarge(body.len()));
        }
        let (next, head) = two(body).ok_or(BodyError::Malformed)?;
        let mut pieces: Vec<Piece> = Vec::new();
        let mut at = HEAD_BYTES;
        while at < body.len() {
            let (first, packed) = two(&body[at..]).ok_or(BodyError::Malformed)?;
            let (count, len) = (packed as u32, (packed >> 32) as usize);
            at += PIECE_BYTES;
            let in_order = pieces.last().is_none_or(|before| before.end() == first);
            let has_place = len <= body.len() - at && len <= limits::BATCH_BYTES;
            if count == 0 || len == 0 || !has_place || !in_order {
                return Err(BodyError::Malformed);
            }
            let piece = Piece { first, count, batch: body.slice(at..at + len) };
            if piece.end() > next {
                return Err(BodyError::Malformed);
            }
            pieces.push(piece);
            at += len;
        }
        Ok(Self { next, head, pieces })
    }
}

/// Writes a `FETCHED`, batch by batch.
#[derive(Debug, Clone)]
pub struct FetchedBuilder {
    body: BytesMut,
    next: u64,
}

impl FetchedBuilder {
    /// An empty one, for records from a number on.
    #[must_use]
    pub fn new(from: u64) -> Self {
        Self { body: BytesMut::zeroed(HEAD_BYTES), next: from }
    }

    /// Adds a batch, in order. `false`, and nothing is added, when there is no more room for it.
    #[must_use]
    pub fn push(&mut self, first: u64, count: u32, batch: &[u8]) -> bool {
        let room = FETCHED_BYTES - self.body.len();
        let Ok(len) = u32::try_from(batch.len()) else { return false };
        if batch.len() > limits::BATCH_BYTES || room < PIECE_BYTES + batch.len() {
            return false;
        }
        self.body.reserve(PIECE_BYTES + batch.len());
        self.body.put_u64_le(first);
        self.body.put_u32_le(count);
        self.body.put_u32_le(len);
        self.body.put_slice(batch);
        self.next = self.next.max(first.saturating_add(count.into()));
        true
    }

    /// The body. `head` is the number that the lane's next record will get.
    #[must_use]
    pub fn finish(mut self, head: u64) -> Bytes {
        self.body[..8].copy_from_slice(&self.next.to_le_bytes());
        self.body[8..HEAD_BYTES].copy_from_slice(&head.to_le_bytes());
        self.body.freeze()
    }
}

/// Two integers at the front.
fn two(bytes: &[u8]) -> Option<(u64, u64)> {
    let (a, rest) = bytes.split_first_chunk::<8>()?;
    let b = rest.first_chunk::<8>()?;
    Some((u64::from_le_bytes(*a), u64::from_le_bytes(*b)))
}
