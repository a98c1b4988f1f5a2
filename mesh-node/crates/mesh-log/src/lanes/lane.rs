//! One lane: pieces that are known by themselves, and chunks of segments.

use std::collections::BTreeMap;

use super::{
    NOWHERE, Run,
    chunk::{Chunk, digest, joined},
};
use crate::{id::LaneId, job::Source, location::Piece};

/// Where the records of one lane stand.
#[derive(Debug, Default)]
pub(super) struct Lane {
    low: u64,
    pieces: BTreeMap<u64, Piece>,
    chunks: BTreeMap<u64, Chunk>,
}

/// The stretch that has a number, or the first one behind it.
fn at_or_after<T: Copy>(map: &BTreeMap<u64, T>, number: u64, last: impl Fn(&T) -> u64) -> Option<T> {
    let before =
        map.range(..=number).next_back().map(|(_, found)| *found).filter(|found| last(found) >= number);
    before.or_else(|| map.range(number..).next().map(|(_, found)| *found))
}

impl Lane {
    pub(super) fn low(&self) -> u64 {
        self.low
    }

    pub(super) fn piece(&self, first: u64) -> Option<&Piece> {
        self.pieces.get(&first)
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.values()
    }

    pub(super) fn piece_with(&self, number: u64) -> Option<Piece> {
        at_or_after(&self.pieces, number, Piece::last).filter(|piece| piece.first <= number)
    }

    pub(super) fn chunk_with(&self, number: u64) -> Option<Chunk> {
        at_or_after(&self.chunks, number, |chunk| chunk.last).filter(|chunk| chunk.first <= number)
    }

    pub(super) fn chunk_overlapping(&self, chunk: &Chunk) -> Option<Chunk> {
        at_or_after(&self.chunks, chunk.first, |chunk| chunk.last).filter(|other| other.first <= chunk.last)
    }

    pub(super) fn insert_piece(&mut self, piece: Piece) {
        self.pieces.insert(piece.first, piece);
    }

    pub(super) fn remove_piece(&mut self, first: u64) -> Option<Piece> {
        self.pieces.remove(&first)
    }

    pub(super) fn insert_chunk(&mut self, chunk: Chunk) {
        self.chunks.insert(chunk.first, chunk);
    }

    pub(super) fn remove_chunk(&mut self, first: u64) -> Option<Chunk> {
        self.chunks.remove(&first)
    }

    /// Takes a piece into the chunk before it, if it follows.
    pub(super) fn extend(&mut self, piece: &Piece) -> bool {
        self.chunks.range_mut(..piece.first).next_back().is_some_and(|(_, chunk)| chunk.push(piece))
    }

    /// Everything that ends below; out of the lane.
    pub(super) fn trim(&mut self, below: u64) -> (Vec<Piece>, Vec<Chunk>) {
        self.low = self.low.max(below);
        let mut pieces = Vec::new();
        while let Some(entry) = self.pieces.first_entry().filter(|entry| entry.get().last() < below) {
            pieces.push(entry.remove());
        }
        let mut chunks = Vec::new();
        while let Some(entry) = self.chunks.first_entry().filter(|entry| entry.get().last < below) {
            chunks.push(entry.remove());
        }
        (pieces, chunks)
    }

    /// Everything that has nothing in these ranges; out of the lane.
    pub(super) fn keep_only(&mut self, ranges: &[(u64, u64)]) -> (Vec<Piece>, Vec<Chunk>) {
        let touches = |first: u64, last: u64| ranges.iter().any(|(from, to)| *from <= last && first <= *to);
        let pieces = self.pieces.values().filter(|piece| !touches(piece.first, piece.last()));
        let pieces: Vec<_> = pieces.copied().collect();
        pieces.iter().for_each(|piece| _ = self.pieces.remove(&piece.first));
        let chunks = self.chunks.values().filter(|chunk| !touches(chunk.first, chunk.last));
        let chunks: Vec<_> = chunks.copied().collect();
        chunks.iter().for_each(|chunk| _ = self.chunks.remove(&chunk.first));
        (pieces, chunks)
    }

    /// What is known to be missing.
    pub(super) fn missing(&self) -> impl Iterator<Item = &Chunk> {
        self.chunks.values().filter(|chunk| chunk.file == NOWHERE)
    }

    pub(super) fn find(&self, first: u64, last: u64, max: usize) -> Vec<Source> {
        let mut found: Vec<Source> = Vec::new();
        let mut next = first;
        while next <= last && found.len() < max {
            let piece = at_or_after(&self.pieces, next, Piece::last).filter(|piece| piece.first <= last);
            let chunk =
                at_or_after(&self.chunks, next, |chunk| chunk.last).filter(|chunk| chunk.first <= last);
            let reached = match (piece, chunk) {
                (None, None) => break,
                (Some(piece), chunk) if chunk.is_none_or(|chunk| piece.first <= chunk.first.max(next)) => {
                    found.push(Source::Piece(piece));
                    piece.last()
                }
                (piece, Some(chunk)) => {
                    let until = piece.map_or(u64::MAX, |piece| piece.first - 1);
                    // Missing records are repaired by the piece, and only their ends are known to be those of pieces.
                    let stretch = if chunk.file == NOWHERE {
                        (chunk.first, chunk.last)
                    } else {
                        (chunk.first.max(next), chunk.last.min(last).min(until))
                    };
                    push_segment(&mut found, &chunk, stretch);
                    stretch.1
                }
                (Some(_), None) => break,
            };
            let Some(behind) = reached.checked_add(1) else { break };
            next = behind;
        }
        found
    }

    /// The parts of a chunk that are not covered by pieces held by themselves.
    pub(super) fn chunk_without_pieces(&self, first: u64) -> Vec<(u64, u64)> {
        let Some(chunk) = self.chunks.get(&first) else { return Vec::new() };
        let sources = self.find(chunk.first, chunk.last, usize::MAX);
        let parts = sources.into_iter().filter_map(|source| match source {
            Source::Segment { first, last, .. } => Some((first, last)),
            Source::Piece(_) => None,
        });
        parts.collect()
    }

    pub(super) fn lacking(&self, first: u64, last: u64) -> Vec<(u64, u64)> {
        let mut lacking = Vec::new();
        let mut next = first;
        for source in self.find(first, last, usize::MAX) {
            let (from, to) = match source {
                Source::Piece(piece) => (piece.first, piece.last()),
                // Known to be missing is not there either.
                Source::Segment { file: NOWHERE, .. } => continue,
                Source::Segment { first, last, .. } => (first, last),
            };
            if from > next {
                lacking.push((next, from - 1));
            }
            let Some(behind) = to.checked_add(1) else { return lacking };
            next = behind;
        }
        if next <= last {
            lacking.push((next, last));
        }
        lacking
    }

    /// Chunks and pieces that end at a number or behind it, in order, joined where nothing is between them. A piece inside
    /// a chunk is the same records.
    pub(super) fn runs(&self, lane: LaneId, from: u64) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let chunk = at_or_after(&self.chunks, from, |chunk| chunk.last).map(|chunk| chunk.first);
        let piece = at_or_after(&self.pieces, from, Piece::last).map(|piece| piece.first);
        let Some(mut next) = chunk.into_iter().chain(piece).min() else { return runs };
        let mut was_missing = false;
        loop {
            let chunk = self.chunks.range(next..).next().map(|(_, chunk)| *chunk);
            let piece = self.pieces.range(next..).next().map(|(_, piece)| *piece);
            let mut crc = None;
            let (run, pieces) = match (piece, chunk) {
                (None, None) => return runs,
                (Some(piece), chunk) if chunk.is_none_or(|chunk| piece.first < chunk.first) => {
                    let bytes = u64::from(piece.location.len);
                    let digest = digest(0, piece.location.crc);
                    crc = Some(piece.location.crc);
                    (Run { lane, first: piece.first, last: piece.last(), bytes, digest }, 1)
                }
                (_, Some(Chunk { first, last, bytes, digest, pieces, .. })) => {
                    (Run { lane, first, last, bytes, digest }, pieces)
                }
                (Some(_), None) => return runs,
            };
            let is_missing = pieces == 0;
            // Without their bytes nothing can be said of missing records together with others.
            let joins = |before: &&mut Run| before.last.checked_add(1) == Some(run.first) && !is_missing;
            match runs.last_mut().filter(joins).filter(|_| !was_missing) {
                Some(before) => {
                    before.last = run.last;
                    before.bytes += run.bytes;
                    // One piece is much cheaper to go on with than to join.
                    before.digest = match crc {
                        Some(crc) => digest(before.digest, crc),
                        None => joined(before.digest, run.digest, pieces),
                    };
                }
                None => runs.push(run),
            }
            was_missing = is_missing;
            let Some(behind) = run.last.checked_add(1) else { return runs };
            next = behind;
        }
    }

    /// Whether nothing would be lost with it.
    pub(super) fn is_idle(&self) -> bool {
        self.pieces.is_empty() && self.chunks.is_empty() && (self.low == 0 || self.low == u64::MAX)
    }

    pub(super) fn into_parts(self) -> (Vec<Piece>, Vec<Chunk>) {
        (self.pieces.into_values().collect(), self.chunks.into_values().collect())
    }
}

fn push_segment(found: &mut Vec<Source>, chunk: &Chunk, (from, to): (u64, u64)) {
    if let Some(Source::Segment { file, last, .. }) = found.last_mut()
        && *file == chunk.file
        && last.checked_add(1) == Some(from)
    {
        *last = to;
        return;
    }
    found.push(Source::Segment { file: chunk.file, first: from, last: to });
}
