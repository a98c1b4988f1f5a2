//! How a keeper works.

use std::hash::{BuildHasher, RandomState};

/// How a keeper works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The most files that are open for reading at once.
    pub open_files_max: usize,
    /// A segment that is being built is finished when it has so many bytes.
    pub segment_bytes: u64,
    /// Nothing is written, not even what a crash left unfinished is finished: to look at a directory.
    pub read_only: bool,
    /// What the salts of new segments come from: best nobody who writes records can guess it.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            open_files_max: 64,
            segment_bytes: 64 << 20,
            read_only: false,
            seed: RandomState::new().hash_one(0),
        }
    }
}
