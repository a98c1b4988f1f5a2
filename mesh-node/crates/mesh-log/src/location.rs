//! Where bytes stand on this node's disk.

use crate::id::{FileId, LaneId};

/// A stretch of a file, with the CRC32C of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Location {
    /// The file.
    pub file: FileId,
    /// Where in it, in bytes.
    pub offset: u64,
    /// How many bytes.
    pub len: u32,
    /// CRC32C of those bytes.
    pub crc: u32,
}

/// Records of a lane that stand together: what is read, moved and compared as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Piece {
    /// Whose records.
    pub lane: LaneId,
    /// The number of the first one.
    pub first: u64,
    /// How many, at least 1: the numbers `first..first + count`.
    pub count: u32,
    /// Where their bytes are.
    pub location: Location,
}

impl Piece {
    /// The bytes of an encoded piece.
    pub const ENCODED: usize = 44;

    /// The number of the last record.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.first.saturating_add(u64::from(self.count.max(1)) - 1)
    }

    /// A fixed layout, little-endian: lane, first, count, file, offset, len, crc.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::ENCODED] {
        let mut bytes = [0; Self::ENCODED];
        bytes[..8].copy_from_slice(&self.lane.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.first.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.count.to_le_bytes());
        bytes[20..28].copy_from_slice(&self.location.file.0.to_le_bytes());
        bytes[28..36].copy_from_slice(&self.location.offset.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.location.len.to_le_bytes());
        bytes[40..].copy_from_slice(&self.location.crc.to_le_bytes());
        bytes
    }

    /// Reads it back; `None` for a piece without records, or with numbers beyond the last one.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::ENCODED]) -> Option<Self> {
        let piece = Self {
            lane: LaneId(u64_at(bytes, 0)),
            first: u64_at(bytes, 8),
            count: u32_at(bytes, 16),
            location: Location {
                file: FileId(u64_at(bytes, 20)),
                offset: u64_at(bytes, 28),
                len: u32_at(bytes, 36),
                crc: u32_at(bytes, 40),
            },
        };
        piece.is_whole().then_some(piece)
    }

    /// Whether it has records, and no numbers or bytes beyond what there can be.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.count > 0
            && self.first.checked_add(u64::from(self.count)).is_some()
            && self.location.offset.checked_add(u64::from(self.location.len)).is_some()
    }
}

/// A little-endian number; 0 beyond the end.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

/// A little-endian number; 0 beyond the end.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_has_a_fixed_layout() {
        let location = Location { file: FileId(3), offset: 4096, len: 5, crc: 0xdead_beef };
        let piece = Piece { lane: LaneId(1), first: 2, count: 7, location };
        let bytes = piece.encode();
        let golden = "0100000000000000020000000000000007000000030000000000000000100000000000000\
                      5000000efbeadde";
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, golden);
        assert_eq!(Piece::decode(&bytes), Some(piece));
        assert_eq!(piece.last(), 8);
    }

    #[test]
    fn a_piece_without_records_or_beyond_the_last_number_is_refused() {
        let location = Location { file: FileId(3), offset: 0, len: 0, crc: 0 };
        let piece = Piece { lane: LaneId(1), first: u64::MAX - 1, count: 1, location };
        assert_eq!(Piece::decode(&piece.encode()), Some(piece));
        for (first, count) in [(1, 0), (u64::MAX, 1), (u64::MAX - 1, 2)] {
            assert_eq!(Piece::decode(&Piece { first, count, ..piece }.encode()), None);
        }
        let far = Location { offset: u64::MAX, len: 1, ..location };
        assert_eq!(Piece::decode(&Piece { location: far, ..piece }.encode()), None);
    }
}
