//! Segments: files with records that outlive the log, and their indexes.
//!
//! ```text
//!   0000000000000007.wal  + 0000000000000007.idx     a file of the log that was kept where it is
//!   8000000000000003.seg  + 8000000000000003.idx     built from pieces; without an index while it grows
//! ```
//! A `.seg` says by itself what is in it ([`block`]), so that its index can be made again. An index ([`index`]) is read by
//! its directory only: one line per up to 64 pieces of a lane, with the checksum of the lines that it stands for.

pub mod block;
pub mod index;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, io, sync::Arc};

use parking_lot::RwLock;

use self::index::Directory;
use crate::{
    files::{Files, Part},
    id::{FileId, GroupId, LaneId},
    location::Piece,
};

/// Where a piece stands in the order of an index.
pub(crate) type Key = (GroupId, LaneId, u64);

/// A segment that is open.
#[derive(Debug)]
pub(crate) enum Segment {
    /// One that is being built, or whose index could not be written yet.
    Growing(RwLock<BTreeMap<Key, Piece>>),
    /// One with an index.
    Indexed(Directory),
}

/// A part of an index can't be read: it says nothing of these records, from where a piece begins to where one ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) group: GroupId,
    pub(crate) lane: LaneId,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// Pieces of an index that were read together; the next piece is likely among them.
#[derive(Debug, Default)]
pub(crate) struct Page {
    chunk: Option<(FileId, usize)>,
    pieces: Vec<Piece>,
}

impl Segment {
    /// The piece of a lane that has a number, or the first one behind it.
    pub(crate) fn piece_from(
        &self,
        files: &Files,
        (group, lane, number): Key,
        page: &mut Page,
    ) -> Result<Option<Piece>, Gap> {
        let directory = match self {
            Self::Growing(pieces) => {
                let pieces = pieces.read();
                let before = pieces.range((group, lane, 0)..=(group, lane, number)).next_back();
                if let Some((_, piece)) = before.filter(|(_, piece)| piece.last() >= number) {
                    return Ok(Some(*piece));
                }
                let behind = pieces.range((group, lane, number)..=(group, lane, u64::MAX)).next();
                return Ok(behind.map(|(_, piece)| *piece));
            }
            Self::Indexed(directory) => directory,
        };
        let at = directory.chunk_from((group, lane, number));
        let Some(line) = directory.lines().get(at).filter(|line| line.group == group && line.lane == lane)
        else {
            return Ok(None);
        };
        let gap = Gap { group, lane, first: line.chunk.first, last: line.chunk.last };
        let pieces = page.read(directory, at, files).map_err(|_| gap)?;
        Ok(pieces.iter().find(|piece| piece.last() >= number).copied())
    }

    /// Up to some dozen pieces behind a place, in the order of the index; none at the end.
    pub(crate) fn pieces_behind(
        &self,
        files: &Files,
        behind: Option<Key>,
    ) -> Result<Vec<(GroupId, Piece)>, Gap> {
        match self {
            Self::Growing(pieces) => {
                let pieces = pieces.read();
                let from = behind.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
                let some = pieces.range((from, std::ops::Bound::Unbounded)).take(64);
                Ok(some.map(|((group, ..), piece)| (*group, *piece)).collect())
            }
            Self::Indexed(directory) => {
                let at = match behind {
                    None => 0,
                    Some((group, lane, number)) => match number.checked_add(1) {
                        Some(next) => directory.chunk_from((group, lane, next)),
                        None => directory.chunk_from((group, LaneId(lane.0.saturating_add(1)), 0)),
                    },
                };
                let Some(line) = directory.lines().get(at) else { return Ok(Vec::new()) };
                let from = behind.filter(|(group, lane, _)| (*group, *lane) == (line.group, line.lane));
                let from = from.map_or(0, |(_, _, number)| number.saturating_add(1));
                let mut page = Page::default();
                let gap = Gap {
                    group: line.group,
                    lane: line.lane,
                    first: line.chunk.first,
                    last: line.chunk.last,
                };
                let pieces = page.read(directory, at, files).map_err(|_| gap)?;
                let rest = pieces.iter().filter(|piece| piece.first >= from);
                Ok(rest.map(|piece| (line.group, *piece)).collect())
            }
        }
    }
}

impl Page {
    pub(crate) fn read(&mut self, directory: &Directory, at: usize, files: &Files) -> io::Result<&[Piece]> {
        if self.chunk != Some((directory.file(), at)) {
            let file: Arc<dyn crate::vfs::File> = files.get(directory.file(), Part::Index)?;
            self.chunk = None;
            self.pieces = directory.read_chunk(&*file, at)?;
            self.chunk = Some((directory.file(), at));
        }
        Ok(&self.pieces)
    }
}
