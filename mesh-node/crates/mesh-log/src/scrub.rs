//! Looks for damage in segments, a little at a time.

use std::{collections::VecDeque, sync::Arc};

use crate::{
    id::{FileId, GroupId, LaneId},
    keeper::Keeper,
    location::Piece,
};

/// A piece whose bytes are not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DamagedPiece {
    /// Whose.
    pub group: GroupId,
    /// The piece. It may be one that nobody wants any more: ask [`Lanes::stands`](crate::lanes::Lanes::stands). When a part
    /// of an index is damaged, it stands for all records that this part spoke of, and its length is `u32::MAX`.
    pub piece: Piece,
}

/// How far a scrub is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Segments that were gone through in this round.
    pub segments: u64,
    /// Segments that there are.
    pub segments_total: u64,
    /// Bytes of records that were read, in all rounds.
    pub bytes: u64,
    /// Pieces that were damaged, in all rounds.
    pub damaged: u64,
    /// How often it came through all segments.
    pub rounds: u64,
}

/// Goes through all segments, again and again.
#[derive(Debug)]
pub struct Scrub {
    keeper: Arc<Keeper>,
    progress: Progress,
    file: Option<FileId>,
    behind: Option<(GroupId, LaneId, u64)>,
    pending: VecDeque<(GroupId, Piece)>,
}

impl Scrub {
    /// From the first segment.
    #[must_use]
    pub fn new(keeper: Arc<Keeper>) -> Self {
        Self { keeper, progress: Progress::default(), file: None, behind: None, pending: VecDeque::new() }
    }

    /// Looks at pieces until so many bytes were read (the last one of them may be more), or a round is through. Blocks.
    pub fn step(&mut self, budget: u64) -> Vec<DamagedPiece> {
        let mut damaged = Vec::new();
        let mut left = budget;
        while left > 0 {
            let Some((group, piece)) = self.next() else { break };
            // An empty piece costs something too.
            let len = match self.keeper.read_piece(&piece) {
                Some(bytes) => bytes.len() as u64,
                None => {
                    damaged.push(DamagedPiece { group, piece });
                    0
                }
            };
            self.progress.bytes += len;
            left = left.saturating_sub(len.max(1));
        }
        self.progress.damaged += damaged.len() as u64;
        damaged
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// The next piece; `None` once at the end of each round.
    fn next(&mut self) -> Option<(GroupId, Piece)> {
        loop {
            if let Some((group, piece)) = self.pending.pop_front() {
                self.behind = Some((group, piece.lane, piece.last()));
                return Some((group, piece));
            }
            if let Some(file) = self.file {
                self.pending = self.keeper.pieces_behind(file, self.behind).into();
                if !self.pending.is_empty() {
                    continue;
                }
            }
            self.next_segment()?;
        }
    }

    fn next_segment(&mut self) -> Option<()> {
        let segments = self.keeper.segments();
        self.progress.segments_total = segments.len() as u64;
        self.progress.segments += u64::from(self.file.is_some());
        self.behind = None;
        self.file = segments.into_iter().find(|file| self.file.is_none_or(|before| *file > before));
        if self.file.is_none() {
            self.progress.rounds += 1;
            self.progress.segments = 0;
        }
        self.file.map(|_| ())
    }
}
