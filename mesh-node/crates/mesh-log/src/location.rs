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
