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
mod hold;
mod lane;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet};

pub use self::chunk::{CHUNK_PIECES_MAX, Chunk};
use self::lane::Lane;
use crate::{
    id::{FileId, GroupId, LaneId},
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
    /// How many pieces came into it as a segment that is built, wanted or not.
    came: u64,
    /// How many pieces there are that are held by themselves.
    pieces: usize,
    /// Where to look for them; some of these may be elsewhere by now.
    keys: Vec<(GroupId, LaneId, u64)>,
    chunks: BTreeSet<(GroupId, LaneId, u64)>,
}

/// Where all lanes of all groups of a node stand.
#[derive(Debug, Default)]
pub struct Lanes {
    groups: BTreeMap<GroupId, BTreeMap<LaneId, Lane>>,
    files: BTreeMap<FileId, Held>,
    unreadable: BTreeSet<FileId>,
    changes: u64,
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
        self.came(pieces.iter());
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
        self.came(pieces.iter());
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
        self.changes += 1;
    }

    /// What was wanted of a segment stands elsewhere now; nothing of it is wanted any more.
    pub fn compacted(&mut self, file: FileId, pieces: &[(GroupId, Piece)]) {
        self.came(pieces.iter().map(|(_, piece)| piece));
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
        // Of what is missing only the rest is still to be found.
        let straddles = found.chunk_with(below).filter(|hole| hole.file == NOWHERE && hole.first < below);
        self.forget_all(group, lane, &pieces, &chunks);
        if let Some(hole) = straddles {
            self.remove_chunk(group, lane, hole.first);
            self.insert_chunk(group, lane, Chunk::missing(below, hole.last));
        }
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
            let mut hole = Chunk::missing(first.max(self.low(group, lane)), last);
            if hole.first > hole.last {
                continue;
            }
            // What was known to be missing there is a part of it.
            while let Some(known) = self.get(group, lane).and_then(|lane| lane.chunk_overlapping(&hole)) {
                self.remove_chunk(group, lane, known.first);
                hole = Chunk::missing(hole.first.min(known.first), hole.last.max(known.last));
            }
            self.unreadable.insert(NOWHERE);
            self.insert_chunk(group, lane, hole);
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
        if self.files.get(&file).is_some_and(|held| held.pieces == 0 && held.chunks.is_empty()) {
            self.files.remove(&file);
        }
    }
}
