//! What a command came to.

use bytes::{BufMut, Bytes, BytesMut};

use super::{FormatError, Refusal};

/// Bytes of a reply.
pub const REPLY_BYTES: usize = 16;

const APPENDED: u8 = 0;
const TRIMMED: u8 = 1;
const REFUSED: u8 = 2;
const FORGOTTEN: u8 = 3;

/// What a command came to.
///
/// ```text
///  0      1           2                  4         8                              16
///  | kind | duplicate | reason of refusal | count u32 | first, or what the reason needs u64 |
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// The records have these numbers.
    Appended {
        /// The number of the first one.
        first: u64,
        /// How many.
        count: u32,
        /// They had them already.
        duplicate: bool,
    },
    /// They are not kept any more.
    Trimmed,
    /// The lanes are forgotten.
    Forgotten,
    /// Nothing has changed.
    Refused(Refusal),
}

impl Reply {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let (kind, duplicate, reason, count, number) = match *self {
            Self::Appended { first, count, duplicate } => (APPENDED, duplicate, 0, count, first),
            Self::Trimmed => (TRIMMED, false, 0, 0, 0),
            Self::Forgotten => (FORGOTTEN, false, 0, 0, 0),
            Self::Refused(refusal) => {
                let (reason, number) = match refusal {
                    Refusal::Invalid => (0, 0),
                    Refusal::Batch { code } => (1, code.into()),
                    Refusal::Fenced { epoch } => (2, epoch.into()),
                    Refusal::Gap { expected } => (3, expected),
                    Refusal::Forgotten { expected } => (4, expected),
                    Refusal::ProducersFull => (5, 0),
                    Refusal::LanesFull => (6, 0),
                    Refusal::Undeclared => (7, 0),
                };
                (REFUSED, false, reason, 0, number)
            }
        };
        let mut out = BytesMut::with_capacity(REPLY_BYTES);
        out.put_u8(kind);
        out.put_u8(duplicate.into());
        out.put_u16_le(reason);
        out.put_u32_le(count);
        out.put_u64_le(number);
        out.freeze()
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it is no reply, or one that this version doesn't know.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let bytes: &[u8; REPLY_BYTES] = bytes.try_into().map_err(|_| FormatError::Truncated)?;
        let [kind, duplicate, r0, r1, c0, c1, c2, c3, n0, n1, n2, n3, n4, n5, n6, n7] = *bytes;
        let reason = u16::from_le_bytes([r0, r1]);
        let count = u32::from_le_bytes([c0, c1, c2, c3]);
        let number = u64::from_le_bytes([n0, n1, n2, n3, n4, n5, n6, n7]);
        let narrow = FormatError::Unfit { tag: 4 };
        match (kind, duplicate, reason) {
            (APPENDED, 0 | 1, 0) => Ok(Self::Appended { first: number, count, duplicate: duplicate == 1 }),
            (TRIMMED, 0, 0) => Ok(Self::Trimmed),
            (FORGOTTEN, 0, 0) => Ok(Self::Forgotten),
            (REFUSED, 0, 0) => Ok(Self::Refused(Refusal::Invalid)),
            (REFUSED, 0, 1) => {
                Ok(Self::Refused(Refusal::Batch { code: number.try_into().map_err(|_| narrow)? }))
            }
            (REFUSED, 0, 2) => {
                Ok(Self::Refused(Refusal::Fenced { epoch: number.try_into().map_err(|_| narrow)? }))
            }
            (REFUSED, 0, 3) => Ok(Self::Refused(Refusal::Gap { expected: number })),
            (REFUSED, 0, 4) => Ok(Self::Refused(Refusal::Forgotten { expected: number })),
            (REFUSED, 0, 5) => Ok(Self::Refused(Refusal::ProducersFull)),
            (REFUSED, 0, 6) => Ok(Self::Refused(Refusal::LanesFull)),
            (REFUSED, 0, 7) => Ok(Self::Refused(Refusal::Undeclared)),
            _ => Err(FormatError::Unfit { tag: 0 }),
        }
    }
}
