//! What is known of lanes and files.

use std::collections::BTreeMap;

use super::{Held, Lanes, NOWHERE, Run, SOURCES_MAX, Usage, lane::Lane};
use crate::{
    id::{FileId, GroupId, LaneId},
    job::{Source, Wanted},
    location::{Location, Piece},
};

/// Views.
impl Lanes {
    /// Where the records `first..=last` of a lane stand, in order, as far as they are there; no more than
    /// [`SOURCES_MAX`] places.
    #[must_use]
    pub fn find(&self, group: GroupId, lane: LaneId, first: u64, last: u64) -> Vec<Source> {
        self.get(group, lane).map(|lane| lane.find(first, last, SOURCES_MAX)).unwrap_or_default()
    }

    /// The pieces in a file that are known one by one: those in a file of the log, and repaired ones.
    #[must_use]
    pub fn pieces_in(&self, file: FileId) -> Vec<(GroupId, Piece)> {
        let mut keys = self.files.get(&file).map(|held| held.keys.clone()).unwrap_or_default();
        keys.sort_unstable();
        keys.dedup();
        let found = keys.into_iter().filter_map(|(group, lane, first)| {
            Some((group, self.piece(group, lane, first).filter(|piece| piece.location.file == file)?))
        });
        found.collect()
    }

    /// The pieces of a group that stand in files of the log: what a checkpoint has to name, since the log is not read
    /// again below it.
    #[must_use]
    pub fn in_log(&self, group: GroupId) -> Vec<Piece> {
        let lanes = self.groups.get(&group).into_iter().flat_map(BTreeMap::values);
        lanes.flat_map(Lane::pieces).filter(|piece| !self.is_segment(piece.location.file)).copied().collect()
    }

    /// The runs of a group's records, in order of lane and number. A run may begin with a few records below what was
    /// trimmed, which are still there. Missing records are a run of their own, without bytes.
    #[must_use]
    pub fn runs(&self, group: GroupId) -> Vec<Run> {
        self.runs_from(group, |_| 0)
    }

    /// As [`runs`](Self::runs), without what ends below a number of its lane.
    #[must_use]
    pub fn runs_from(&self, group: GroupId, from: impl Fn(LaneId) -> u64) -> Vec<Run> {
        let lanes = self.groups.get(&group).into_iter().flatten();
        lanes.flat_map(|(id, lane)| lane.runs(*id, from(*id))).collect()
    }

    /// What of a group is known to be [`miss`](Self::miss)ing. Nothing but the numbers is known of it, so the length is
    /// `u32::MAX`.
    #[must_use]
    pub fn missing(&self, group: GroupId) -> Vec<Piece> {
        let lanes = self.groups.get(&group).into_iter().flatten();
        let holes = lanes.flat_map(|(id, lane)| lane.missing().map(|hole| (*id, *hole)));
        let location = Location { file: NOWHERE, offset: 0, len: u32::MAX, crc: 0 };
        let piece = |(lane, hole): (LaneId, super::Chunk)| {
            let count = u32::try_from(hole.last - hole.first + 1).unwrap_or(u32::MAX);
            Piece { lane, first: hole.first, count, location }
        };
        holes.map(piece).collect()
    }

    /// Below this number nothing of a lane is wanted.
    #[must_use]
    pub fn low(&self, group: GroupId, lane: LaneId) -> u64 {
        self.get(group, lane).map_or(0, Lane::low)
    }

    /// What of these ranges (lane, first, last) is not there, known to be missing or not: (lane, first, last).
    #[must_use]
    pub fn lacking(&self, group: GroupId, ranges: &[(LaneId, u64, u64)]) -> Vec<(LaneId, u64, u64)> {
        let empty = Lane::default();
        let mut lacking = Vec::new();
        for (id, first, last) in ranges {
            let lane = self.get(group, *id).unwrap_or(&empty);
            lacking.extend(lane.lacking(*first, *last).into_iter().map(|(first, last)| (*id, first, last)));
        }
        lacking
    }

    /// Whether the records of a piece are still to be found where it says: in its file, under its numbers.
    #[must_use]
    pub fn stands(&self, group: GroupId, piece: &Piece) -> bool {
        self.get(group, piece.lane).is_some_and(|lane| match lane.piece_with(piece.first) {
            Some(found) => found.location.file == piece.location.file,
            None => lane.chunk_with(piece.first).is_some_and(|chunk| chunk.file == piece.location.file),
        })
    }

    /// Whether a file is a segment.
    #[must_use]
    pub fn is_segment(&self, file: FileId) -> bool {
        crate::files::is_built(file)
            || self.files.get(&file).is_some_and(|held| held.usage.segment)
            || self.unreadable.contains(&file)
    }

    /// What a file holds.
    #[must_use]
    pub fn usage(&self, file: FileId) -> Usage {
        let usage = self.files.get(&file).map(|held| held.usage).unwrap_or_default();
        Usage { segment: self.is_segment(file), ..usage }
    }

    /// The segments whose index can be read, in the order of their ids.
    pub fn segments(&self) -> impl Iterator<Item = (FileId, Usage)> + '_ {
        let files = self.files.keys().filter(|file| !self.unreadable.contains(file));
        files.map(|file| (*file, self.usage(*file))).filter(|(_, usage)| usage.segment)
    }

    /// The segments of which nothing is wanted.
    #[must_use]
    pub fn unwanted(&self) -> Vec<FileId> {
        let empty = |held: &Held| held.pieces == 0 && held.chunks.is_empty();
        let files = self
            .files
            .iter()
            .filter(|(file, held)| empty(held) && self.is_segment(**file) && !self.unreadable.contains(file));
        files.map(|(file, _)| *file).collect()
    }

    /// How many pieces came into a segment that is built, wanted or not. While more are on their way, of which nothing is
    /// known here yet, it must neither be dropped nor compacted.
    #[must_use]
    pub fn came_into(&self, file: FileId) -> u64 {
        self.files.get(&file).map_or(0, |held| held.came)
    }

    /// Rises with each change of what is wanted of segments.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// What is wanted of a segment.
    #[must_use]
    pub fn wanted(&self, file: FileId) -> Vec<Wanted> {
        let Some(held) = self.files.get(&file) else { return Vec::new() };
        let mut wanted = Vec::new();
        for (group, id, first) in &held.chunks {
            let Some(lane) = self.get(*group, *id) else { continue };
            let ranges = lane.chunk_without_pieces(*first);
            wanted.extend(ranges.into_iter().map(|(first, last)| Wanted {
                group: *group,
                lane: *id,
                first,
                last,
            }));
        }
        let alone = self.pieces_in(file).into_iter();
        wanted.extend(alone.map(|(group, piece)| Wanted {
            group,
            lane: piece.lane,
            first: piece.first,
            last: piece.last(),
        }));
        wanted
    }

    /// The groups that have records.
    pub fn groups(&self) -> impl Iterator<Item = GroupId> + '_ {
        self.groups.keys().copied()
    }
}
