//! Which records of which lane stand where.
//!
//! ```text
//!   lane: numbers ──────────────────────────────────────────────────────────►
//!     chunks   [ segment 7: 1..64 ][ segment 7: 65..90 ]
//!     pieces                 ▲ repaired: 10            [91][92][93..99][100]   ◄── each by itself: mostly in the log
//! ```
//! What stands in the log is held piece by piece (the log is bounded), what stands in segments by the chunk of up to
//! [`CHUNK_PIECES_MAX`] pieces, since the index of the segment knows the rest. Chunks of a lane never overlap; a piece that
//! is held by itself counts more than a chunk around it (it was repaired).
//!
//! Pure: commands change it, the rest are views.

mod chunk;
mod lane;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use self::chunk::{CHUNK_PIECES_MAX, Chunk};
use self::lane::Lane;
use crate::{
    id::{FileId, GroupId, LaneId},
    job::{Source, Wanted},
    location::Piece,
};

/// No more sources are given out for one read.
pub const SOURCES_MAX: usize = 256;

/// A run of a lane's records without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The lane.
    pub lane: LaneId,
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
    /// Bytes of all pieces.
    pub bytes: u64,
    /// CRC32C over the CRC32Cs (little-endian) of the pieces, in order.
    pub digest: u32,
}

/// Where records are said to be that are nowhere: whoever reads them finds damage, to be repaired by a peer.
pub const NOWHERE: FileId = FileId(u64::MAX);

/// What a file holds of what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Whether it is a segment.
    pub segment: bool,
    /// Bytes of pieces that were wanted when they came into it.
    pub written: u64,
    /// Bytes of pieces that still are.
    pub live: u64,
    /// Those of them that are in pieces above [`LARGE`].
    pub large: u64,
}

/// A piece above so many bytes is not moved without need.
pub const LARGE: u32 = 64 * 1024;

#[derive(Debug, Default)]
struct Held {
    usage: Usage,
    pieces: BTreeSet<(GroupId, LaneId, u64)>,
    chunks: BTreeSet<(GroupId, LaneId, u64)>,
}

/// Where all lanes of all groups of a node stand.
#[derive(Debug, Default)]
pub struct Lanes {
    groups: BTreeMap<GroupId, BTreeMap<LaneId, Lane>>,
    files: BTreeMap<FileId, Held>,
    unreadable: BTreeSet<FileId>,
}

/// Commands.
impl Lanes {
    /// Records were written to the log. Nothing happens when they are below what was trimmed, or when a segment has them
    /// already (the log is read again after a restart).
    pub fn put(&mut self, group: GroupId, piece: Piece) {
        self.fill(group, &piece);
        let lane = self.lane(group, piece.lane);
        if piece.last() < lane.low() || lane.chunk_with(piece.first).is_some() {
            return self.tidy(group, piece.lane);
        }
        self.hold(group, piece);
    }

    /// Records came from a peer and stand in a segment. They take the place of what was there under their numbers.
    pub fn stored(&mut self, group: GroupId, pieces: &[Piece]) {
        for piece in pieces {
            let lane = self.lane(group, piece.lane);
            if piece.last() < lane.low() {
                continue;
            }
            self.fill(group, piece);
            if self.lane(group, piece.lane).chunk_with(piece.first).is_some() {
                self.hold(group, *piece);
            } else {
                self.release(group, piece.lane, piece.first);
                self.append(group, *piece);
            }
        }
    }

    /// Pieces that stood in the log stand in a segment now. Those that nobody wants any more don't count.
    pub fn moved(&mut self, group: GroupId, pieces: &[Piece]) {
        for piece in pieces {
            if self.release(group, piece.lane, piece.first) {
                self.append(group, *piece);
            }
        }
    }

    /// A file of the log is a segment from now on.
    pub fn kept(&mut self, file: FileId) {
        for (group, piece) in self.pieces_in(file) {
            self.release(group, piece.lane, piece.first);
            self.append(group, piece);
        }
        self.held(file).usage.segment = true;
    }

    /// What was wanted of a segment stands elsewhere now; nothing of it is wanted any more.
    pub fn compacted(&mut self, file: FileId, pieces: &[(GroupId, Piece)]) {
        let Some(held) = self.files.get(&file) else { return };
        let chunks: Vec<_> = held.chunks.iter().copied().collect();
        let mut was: BTreeMap<(GroupId, LaneId), Vec<(u64, u64)>> = BTreeMap::new();
        for (group, lane, first) in chunks {
            if let Some(chunk) = self.remove_chunk(group, lane, first) {
                was.entry((group, lane)).or_default().push((chunk.first, chunk.last));
            }
        }
        for (group, piece) in pieces {
            let alone =
                self.piece(*group, piece.lane, piece.first).is_some_and(|old| old.location.file == file);
            let chunked = was.get(&(*group, piece.lane)).is_some_and(|ranges| {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&piece.first))
            });
            if alone {
                self.release(*group, piece.lane, piece.first);
            }
            if alone || chunked {
                self.append(*group, *piece);
            }
        }
    }

    /// The records of a lane below a number are not wanted any more. A chunk goes as a whole, with its last record.
    pub fn trim(&mut self, group: GroupId, lane: LaneId, below: u64) {
        let Some(found) = self.groups.get_mut(&group).and_then(|lanes| lanes.get_mut(&lane)) else {
            return;
        };
        let (pieces, chunks) = found.trim(below);
        self.forget_all(group, lane, &pieces, &chunks);
        self.tidy(group, lane);
    }

    /// Nothing of a group is wanted but the records in these ranges (lane, first, last): what its checkpoint says that
    /// there is. Said once at the start, before anything is [`put`](Self::put).
    pub fn restrict(&mut self, group: GroupId, ranges: &[(LaneId, u64, u64)]) {
        let Some(lanes) = self.groups.get_mut(&group) else { return };
        let mut wanted: BTreeMap<LaneId, Vec<(u64, u64)>> = BTreeMap::new();
        for (lane, first, last) in ranges {
            wanted.entry(*lane).or_default().push((*first, *last));
        }
        let gone: Vec<_> = lanes
            .iter_mut()
            .map(|(id, lane)| (*id, lane.keep_only(wanted.get(id).map_or(&[][..], Vec::as_slice))))
            .collect();
        for (lane, (pieces, chunks)) in gone {
            self.forget_all(group, lane, &pieces, &chunks);
            self.tidy(group, lane);
        }
    }

    /// Of these ranges (lane, first, last) nothing is missing, or it was lost: what is not there is to be found as damage
    /// from now on, until it is [`stored`](Self::stored) or [`put`](Self::put). Said at the start, when all that the
    /// checkpoint names was put.
    pub fn miss(&mut self, group: GroupId, ranges: &[(LaneId, u64, u64)]) {
        for (lane, first, last) in self.lacking(group, ranges) {
            self.unreadable.insert(NOWHERE);
            self.insert_chunk(group, lane, Chunk::missing(first, last));
        }
    }

    /// The group has no replica here any more.
    pub fn forget(&mut self, group: GroupId) {
        for (id, lane) in self.groups.remove(&group).unwrap_or_default() {
            let (pieces, chunks) = lane.into_parts();
            self.forget_all(group, id, &pieces, &chunks);
        }
    }

    /// A segment is gone.
    pub fn dropped(&mut self, file: FileId) {
        if self.files.get(&file).is_some_and(|held| held.pieces.is_empty() && held.chunks.is_empty()) {
            self.files.remove(&file);
        }
    }
}

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
        let keys = self.files.get(&file).into_iter().flat_map(|held| &held.pieces);
        keys.filter_map(|(group, lane, first)| Some((*group, self.piece(*group, *lane, *first)?))).collect()
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
        let lanes = self.groups.get(&group).into_iter().flatten();
        lanes.flat_map(|(id, lane)| lane.runs(*id)).collect()
    }

    /// What of these ranges (lane, first, last) is not there: (lane, first, last).
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
        let empty = |held: &Held| held.pieces.is_empty() && held.chunks.is_empty();
        let files = self
            .files
            .iter()
            .filter(|(file, held)| empty(held) && self.is_segment(**file) && !self.unreadable.contains(file));
        files.map(|(file, _)| *file).collect()
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
        for (group, id, first) in &held.pieces {
            let Some(piece) = self.piece(*group, *id, *first) else { continue };
            wanted.push(Wanted { group: *group, lane: *id, first: *first, last: piece.last() });
        }
        wanted
    }

    /// The groups that have records.
    pub fn groups(&self) -> impl Iterator<Item = GroupId> + '_ {
        self.groups.keys().copied()
    }
}

impl Lanes {
    /// A chunk of a segment, as its index has it. `Err` with the chunk that it would overlap.
    pub(crate) fn load(&mut self, group: GroupId, lane: LaneId, chunk: Chunk) -> Result<(), Chunk> {
        if let Some(other) = self.get(group, lane).and_then(|lane| lane.chunk_overlapping(&chunk)) {
            return Err(other);
        }
        self.insert_chunk(group, lane, chunk);
        Ok(())
    }

    /// A piece of a segment, unless a later one has its records.
    pub(crate) fn load_piece(&mut self, group: GroupId, piece: Piece) {
        let overlaps =
            self.get(group, piece.lane).and_then(|lane| lane.chunk_overlapping(&Chunk::of(&piece)));
        if overlaps.is_none() {
            self.append(group, piece);
        }
    }

    /// A segment, and the bytes of all pieces in it, wanted or not.
    pub(crate) fn load_segment(&mut self, file: FileId, written: u64) {
        let usage = &mut self.held(file).usage;
        usage.segment = true;
        usage.written = written;
    }

    /// A file whose index can't be read: nobody knows what is in it, so it stays.
    pub(crate) fn load_unreadable(&mut self, file: FileId) {
        self.unreadable.insert(file);
    }

    fn get(&self, group: GroupId, lane: LaneId) -> Option<&Lane> {
        self.groups.get(&group)?.get(&lane)
    }

    fn piece(&self, group: GroupId, lane: LaneId, first: u64) -> Option<Piece> {
        self.get(group, lane)?.piece(first).copied()
    }

    fn lane(&mut self, group: GroupId, lane: LaneId) -> &mut Lane {
        self.groups.entry(group).or_default().entry(lane).or_default()
    }

    fn held(&mut self, file: FileId) -> &mut Held {
        self.files.entry(file).or_default()
    }

    /// Holds a piece by itself.
    fn hold(&mut self, group: GroupId, piece: Piece) {
        self.release(group, piece.lane, piece.first);
        self.lane(group, piece.lane).insert_piece(piece);
        let held = self.held(piece.location.file);
        held.pieces.insert((group, piece.lane, piece.first));
        let len = u64::from(piece.location.len);
        held.usage.written += len;
        held.usage.live += len;
        if piece.location.len > LARGE {
            held.usage.large += len;
        }
    }

    /// Holds a piece of a segment as a part of a chunk; by itself where a chunk of another segment is around it.
    fn append(&mut self, group: GroupId, piece: Piece) {
        let lane = self.lane(group, piece.lane);
        if lane.chunk_with(piece.first).is_some() {
            return self.hold(group, piece);
        }
        if lane.extend(&piece) {
            let held = self.held(piece.location.file);
            held.usage.written += u64::from(piece.location.len);
            held.usage.live += u64::from(piece.location.len);
        } else {
            self.insert_chunk(group, piece.lane, Chunk::of(&piece));
        }
    }

    fn insert_chunk(&mut self, group: GroupId, lane: LaneId, chunk: Chunk) {
        self.lane(group, lane).insert_chunk(chunk);
        let held = self.held(chunk.file);
        held.chunks.insert((group, lane, chunk.first));
        held.usage.segment = true;
        held.usage.written += chunk.bytes;
        held.usage.live += chunk.bytes;
    }

    /// What was missing is there.
    fn fill(&mut self, group: GroupId, piece: &Piece) {
        let is_hole = |chunk: &Chunk| chunk.file == NOWHERE;
        loop {
            let found =
                self.get(group, piece.lane).and_then(|lane| lane.chunk_overlapping(&Chunk::of(piece)));
            let Some(hole) = found.filter(is_hole) else { return };
            self.remove_chunk(group, piece.lane, hole.first);
            if hole.first < piece.first {
                self.insert_chunk(group, piece.lane, Chunk::missing(hole.first, piece.first - 1));
            }
            if hole.last > piece.last() {
                self.insert_chunk(group, piece.lane, Chunk::missing(piece.last() + 1, hole.last));
            }
        }
    }

    fn release(&mut self, group: GroupId, lane: LaneId, first: u64) -> bool {
        let found = self.groups.get_mut(&group).and_then(|lanes| lanes.get_mut(&lane));
        let Some(piece) = found.and_then(|lane| lane.remove_piece(first)) else { return false };
        self.forget_piece(group, &piece);
        true
    }

    fn remove_chunk(&mut self, group: GroupId, lane: LaneId, first: u64) -> Option<Chunk> {
        let chunk = self.groups.get_mut(&group)?.get_mut(&lane)?.remove_chunk(first)?;
        self.forget_chunk(group, lane, &chunk);
        Some(chunk)
    }

    fn forget_all(&mut self, group: GroupId, lane: LaneId, pieces: &[Piece], chunks: &[Chunk]) {
        for piece in pieces {
            self.forget_piece(group, piece);
        }
        for chunk in chunks {
            self.forget_chunk(group, lane, chunk);
        }
    }

    fn forget_piece(&mut self, group: GroupId, piece: &Piece) {
        let file = piece.location.file;
        let Some(held) = self.files.get_mut(&file) else { return };
        held.pieces.remove(&(group, piece.lane, piece.first));
        let len = u64::from(piece.location.len);
        held.usage.live = held.usage.live.saturating_sub(len);
        if piece.location.len > LARGE {
            held.usage.large = held.usage.large.saturating_sub(len);
        }
        let of_log = !held.usage.segment && !crate::files::is_built(file);
        if of_log && held.pieces.is_empty() {
            self.files.remove(&file);
        }
    }

    fn forget_chunk(&mut self, group: GroupId, lane: LaneId, chunk: &Chunk) {
        if let Some(held) = self.files.get_mut(&chunk.file) {
            held.chunks.remove(&(group, lane, chunk.first));
            held.usage.live = held.usage.live.saturating_sub(chunk.bytes);
        }
    }

    /// A lane that has nothing, and of which nothing is known, needs no place.
    fn tidy(&mut self, group: GroupId, lane: LaneId) {
        let Some(lanes) = self.groups.get_mut(&group) else { return };
        if lanes.get(&lane).is_some_and(Lane::is_idle) {
            lanes.remove(&lane);
        }
        if lanes.is_empty() {
            self.groups.remove(&group);
        }
    }
}
