//! How pieces and chunks get into lanes and files, and out of them.

use super::{Held, LARGE, Lanes, NOWHERE, chunk::Chunk, lane::Lane};
use crate::{
    id::{FileId, GroupId, LaneId},
    location::Piece,
};

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
    pub(crate) fn load_segment(&mut self, file: FileId, written: u64, pieces: u64) {
        self.changes += 1;
        self.held(file).came = pieces;
        let usage = &mut self.held(file).usage;
        usage.segment = true;
        usage.written = written;
    }

    /// A file whose index can't be read: nobody knows what is in it, so it stays.
    pub(crate) fn load_unreadable(&mut self, file: FileId) {
        self.unreadable.insert(file);
    }
}

impl Lanes {
    pub(super) fn get(&self, group: GroupId, lane: LaneId) -> Option<&Lane> {
        self.groups.get(&group)?.get(&lane)
    }

    pub(super) fn piece(&self, group: GroupId, lane: LaneId, first: u64) -> Option<Piece> {
        self.get(group, lane)?.piece(first).copied()
    }

    pub(super) fn lane(&mut self, group: GroupId, lane: LaneId) -> &mut Lane {
        self.groups.entry(group).or_default().entry(lane).or_default()
    }

    pub(super) fn held(&mut self, file: FileId) -> &mut Held {
        self.files.entry(file).or_default()
    }

    /// Notes what came into segments that are built.
    pub(super) fn came<'a>(&mut self, pieces: impl Iterator<Item = &'a Piece>) {
        for piece in pieces.filter(|piece| crate::files::is_built(piece.location.file)) {
            self.held(piece.location.file).came += 1;
            self.changes += 1;
        }
    }

    /// Holds a piece by itself.
    pub(super) fn hold(&mut self, group: GroupId, piece: Piece) {
        self.release(group, piece.lane, piece.first);
        self.lane(group, piece.lane).insert_piece(piece);
        self.changes += u64::from(self.is_segment(piece.location.file));
        let held = self.held(piece.location.file);
        held.pieces += 1;
        held.keys.push((group, piece.lane, piece.first));
        let len = u64::from(piece.location.len);
        held.usage.written += len;
        held.usage.live += len;
        if piece.location.len > LARGE {
            held.usage.large += len;
        }
    }

    /// Holds a piece of a segment as a part of a chunk; by itself where a chunk of another segment is around it.
    pub(super) fn append(&mut self, group: GroupId, piece: Piece) {
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

    pub(super) fn insert_chunk(&mut self, group: GroupId, lane: LaneId, chunk: Chunk) {
        self.changes += 1;
        self.lane(group, lane).insert_chunk(chunk);
        let held = self.held(chunk.file);
        held.chunks.insert((group, lane, chunk.first));
        held.usage.segment = true;
        held.usage.written += chunk.bytes;
        held.usage.live += chunk.bytes;
    }

    /// What was missing is there.
    pub(super) fn fill(&mut self, group: GroupId, piece: &Piece) {
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

    pub(super) fn release(&mut self, group: GroupId, lane: LaneId, first: u64) -> bool {
        let found = self.groups.get_mut(&group).and_then(|lanes| lanes.get_mut(&lane));
        let Some(piece) = found.and_then(|lane| lane.remove_piece(first)) else { return false };
        self.forget_piece(&piece);
        true
    }

    pub(super) fn remove_chunk(&mut self, group: GroupId, lane: LaneId, first: u64) -> Option<Chunk> {
        let chunk = self.groups.get_mut(&group)?.get_mut(&lane)?.remove_chunk(first)?;
        self.forget_chunk(group, lane, &chunk);
        Some(chunk)
    }

    pub(super) fn forget_all(&mut self, group: GroupId, lane: LaneId, pieces: &[Piece], chunks: &[Chunk]) {
        for piece in pieces {
            self.forget_piece(piece);
        }
        for chunk in chunks {
            self.forget_chunk(group, lane, chunk);
        }
    }

    pub(super) fn forget_piece(&mut self, piece: &Piece) {
        let file = piece.location.file;
        let Some(held) = self.files.get_mut(&file) else { return };
        held.pieces = held.pieces.saturating_sub(1);
        if held.pieces == 0 {
            held.keys = Vec::new();
        }
        let len = u64::from(piece.location.len);
        held.usage.live = held.usage.live.saturating_sub(len);
        if piece.location.len > LARGE {
            held.usage.large = held.usage.large.saturating_sub(len);
        }
        let of_log = !held.usage.segment && !crate::files::is_built(file);
        if !of_log {
            self.changes += 1;
        } else if held.pieces == 0 {
            self.files.remove(&file);
        }
    }

    pub(super) fn forget_chunk(&mut self, group: GroupId, lane: LaneId, chunk: &Chunk) {
        self.changes += 1;
        if let Some(held) = self.files.get_mut(&chunk.file) {
            held.chunks.remove(&(group, lane, chunk.first));
            held.usage.live = held.usage.live.saturating_sub(chunk.bytes);
        }
    }

    /// A lane that has nothing, and of which nothing is known, needs no place.
    pub(super) fn tidy(&mut self, group: GroupId, lane: LaneId) {
        let Some(lanes) = self.groups.get_mut(&group) else { return };
        if lanes.get(&lane).is_some_and(Lane::is_idle) {
            lanes.remove(&lane);
        }
        if lanes.is_empty() {
            self.groups.remove(&group);
        }
    }
}
