//! What changes registers.

use bytes::{BufMut, Bytes, BytesMut};

use super::{LaneId, Refusal};

/// Bytes that a command adds to a batch.
pub const APPEND_OVERHEAD: usize = 16;

const APPEND: u8 = 1;
const TRIM: u8 = 2;
const FORGET: u8 = 3;

/// What changes registers.
///
/// ```text
///  0      1                8          16
///  | kind | reserved, 0 … | lane u64 | 1 append: a record batch; 2 trim: below u64; 3 forget: last u64 |
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Appends the records of a batch.
    Append {
        /// To which register.
        lane: LaneId,
        /// An encoded record batch, see [`super::check`].
        batch: Bytes,
    },
    /// Records below a number are not wanted any more.
    Trim {
        /// Of which register.
        lane: LaneId,
        /// The first number that is.
        below: u64,
    },
    /// These lanes are declared no more, or were never this shard's; nothing of them is wanted, ever.
    Forget {
        /// The first of them.
        first: LaneId,
        /// The last of them.
        last: LaneId,
    },
}

/// What stands before the batch in a [`Command::Append`]: for whoever has room for it there.
#[must_use]
pub fn append_head(lane: LaneId) -> [u8; APPEND_OVERHEAD] {
    head(APPEND, lane)
}

fn head(kind: u8, lane: LaneId) -> [u8; APPEND_OVERHEAD] {
    let mut head = [0; APPEND_OVERHEAD];
    head[0] = kind;
    head[8..].copy_from_slice(&lane.0.to_le_bytes());
    head
}

impl Command {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let (kind, lane, rest) = match self {
            Self::Append { lane, batch } => (APPEND, lane, batch.clone()),
            Self::Trim { lane, below } => (TRIM, lane, Bytes::copy_from_slice(&below.to_le_bytes())),
            Self::Forget { first, last } => (FORGET, first, Bytes::copy_from_slice(&last.0.to_le_bytes())),
        };
        let mut out = BytesMut::with_capacity(APPEND_OVERHEAD + rest.len());
        out.put_slice(&head(kind, *lane));
        out.put(rest);
        out.freeze()
    }

    /// Reads it; a batch shares the memory of the command, and is not looked at.
    ///
    /// # Errors
    /// When it is not one that this version knows.
    pub fn decode(bytes: &Bytes) -> Result<Self, Refusal> {
        let (head, rest) = bytes.split_first_chunk::<APPEND_OVERHEAD>().ok_or(Refusal::Invalid)?;
        let (kind, lane) = head.split_at(8);
        let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).map_err(|_| Refusal::Invalid);
        let lane = LaneId(number(lane)?);
        match kind {
            [APPEND, 0, 0, 0, 0, 0, 0, 0] => Ok(Self::Append { lane, batch: bytes.slice(APPEND_OVERHEAD..) }),
            [TRIM, 0, 0, 0, 0, 0, 0, 0] => Ok(Self::Trim { lane, below: number(rest)? }),
            [FORGET, 0, 0, 0, 0, 0, 0, 0] => Ok(Self::Forget { first: lane, last: LaneId(number(rest)?) }),
            _ => Err(Refusal::Invalid),
        }
    }
}
