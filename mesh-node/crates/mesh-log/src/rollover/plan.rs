//! What becomes of a full file.

use std::collections::BTreeMap;

use super::{Options, waiting::Waiting};
use crate::{
    id::{FileId, GroupId},
    lanes::{LARGE, Lanes},
    location::Piece,
};

/// What becomes of a full file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// It stays as a segment.
    Keep(Vec<(GroupId, Piece)>),
    /// These go to another segment, batch by batch (the last one first).
    Move(Vec<(GroupId, Vec<Piece>)>),
    /// Nothing in it is wanted.
    Nothing,
}

impl Plan {
    pub(super) fn of(options: &Options, waiting: &Waiting, file: FileId, lanes: &Lanes) -> Self {
        let pieces = lanes.pieces_in(file);
        // It was kept before a crash, and some of it is known by its index only: it can't be moved piece by piece.
        if lanes.is_segment(file) {
            return Self::Keep(pieces);
        }
        if pieces.is_empty() {
            return Self::Nothing;
        }
        let len = |(_, piece): &(GroupId, Piece)| u64::from(piece.location.len);
        let live = pieces.iter().map(len).sum();
        let large = pieces.iter().filter(|(_, piece)| piece.location.len > LARGE).map(len).sum();
        if waiting.only_keep || options.is_mostly_live(waiting.bytes, live, large) {
            return Self::Keep(pieces);
        }
        Self::Move(batches(pieces, options.move_bytes))
    }
}

fn batches(pieces: Vec<(GroupId, Piece)>, bytes_max: u64) -> Vec<(GroupId, Vec<Piece>)> {
    let mut by_group: BTreeMap<GroupId, Vec<Piece>> = BTreeMap::new();
    for (group, piece) in pieces {
        by_group.entry(group).or_default().push(piece);
    }
    let mut batches: Vec<(GroupId, Vec<Piece>)> = Vec::new();
    for (group, pieces) in by_group {
        let mut bytes = u64::MAX;
        for piece in pieces {
            bytes = bytes.saturating_add(u64::from(piece.location.len));
            match batches.last_mut().filter(|_| bytes <= bytes_max) {
                Some((_, batch)) => batch.push(piece),
                None => {
                    bytes = u64::from(piece.location.len);
                    batches.push((group, vec![piece]));
                }
            }
        }
    }
    batches.reverse();
    batches
}
