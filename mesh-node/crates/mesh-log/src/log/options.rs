//! How a log is opened.

use std::collections::BTreeSet;

use crate::{bug::Bugs, id::FileId};

/// How a log is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of a file: a multiple of 4,096, at least [`Options::FILE_BYTES_MIN`].
    pub file_bytes: u64,
    /// Whose log it is: the UUID of the data directory. A file of another one is never taken for ours.
    pub identity: u128,
    /// Whether new files are written over once before they are used, where the log has time for it. Off unless a disk is
    /// known to take longer for a first write: where most files are kept, everything is written twice (ADR 0101).
    pub prefill: bool,
    /// How many empty files are kept ready, at least 1.
    pub spare_files: usize,
    /// Files that are segments already. They are looked at only where a group needs entries of them.
    pub kept: BTreeSet<FileId>,
    /// Which bugs are back.
    pub bugs: Bugs,
}

impl Options {
    /// The least bytes that a file may have.
    pub const FILE_BYTES_MIN: u64 = 64 << 10;
    /// The most bytes that a file may have.
    pub const FILE_BYTES_MAX: u64 = 1 << 30;
    /// The bytes that a file has unless it is said otherwise.
    pub const FILE_BYTES: u64 = 64 << 20;

    /// The defaults, for a data directory of this UUID.
    #[must_use]
    pub fn new(identity: u128) -> Self {
        Self {
            file_bytes: Self::FILE_BYTES,
            identity,
            prefill: false,
            spare_files: 1,
            kept: BTreeSet::new(),
            bugs: Bugs::default(),
        }
    }
}
