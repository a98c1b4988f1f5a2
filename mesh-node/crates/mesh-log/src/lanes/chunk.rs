//! Pieces of a lane that stand in one segment, known as one.

use super::NOWHERE;
use crate::{id::FileId, location::Piece};

/// The most pieces of a chunk: what is known of a segment without reading its index.
pub const CHUNK_PIECES_MAX: u32 = 64;

/// Up to [`CHUNK_PIECES_MAX`] pieces of a lane in one segment, without a gap between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// The segment.
    pub file: FileId,
    /// The number of the first record.
    pub first: u64,
    /// The number of the last one.
    pub last: u64,
    /// How many pieces.
    pub pieces: u32,
    /// Bytes of all pieces.
    pub bytes: u64,
    /// CRC32C over the CRC32Cs (little-endian) of the pieces, in order.
    pub digest: u32,
}

impl Chunk {
    /// A chunk of one piece.
    #[must_use]
    pub fn of(piece: &Piece) -> Self {
        Self {
            file: piece.location.file,
            first: piece.first,
            last: piece.last(),
            pieces: 1,
            bytes: u64::from(piece.location.len),
            digest: digest(0, piece.location.crc),
        }
    }

    /// Records that ought to be there and are not.
    pub(super) fn missing(first: u64, last: u64) -> Self {
        Self { file: NOWHERE, first, last, pieces: 0, bytes: 0, digest: 0 }
    }

    /// Takes in the piece that follows it; `false` when it does not, or when there is no room.
    pub fn push(&mut self, piece: &Piece) -> bool {
        let follows = piece.location.file == self.file && self.last.checked_add(1) == Some(piece.first);
        if !follows || self.pieces >= CHUNK_PIECES_MAX {
            return false;
        }
        self.last = piece.last();
        self.pieces += 1;
        self.bytes += u64::from(piece.location.len);
        self.digest = digest(self.digest, piece.location.crc);
        true
    }
}

/// Goes on with a digest by the CRC32C of the next piece.
#[must_use]
pub(crate) fn digest(so_far: u32, crc: u32) -> u32 {
    crc32c::crc32c_append(so_far, &crc.to_le_bytes())
}

/// The digest of two runs of pieces, of which the second one has so many.
#[must_use]
pub(crate) fn joined(first: u32, second: u32, pieces: u32) -> u32 {
    crc32c::crc32c_combine(first, second, pieces as usize * 4)
}
