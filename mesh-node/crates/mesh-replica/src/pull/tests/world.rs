//! Records of some lanes, as every replica has them.

use bytes::Bytes;
use mesh_log::{
    id::{FileId, GroupId, LaneId},
    location::{Location, Piece},
    payload::Payload,
};

use crate::{
    id::NodeNumber,
    members::Members,
    message::{Extent, Manifest, Offer},
};

pub(super) const GROUP: GroupId = GroupId(3);
pub(super) const OWN: NodeNumber = NodeNumber(1);
pub(super) const LEADER: NodeNumber = NodeNumber(2);

/// The bytes of the records of a lane from a number on: the same everywhere.
pub(super) fn bytes(lane: u64, first: u64, len: usize) -> Bytes {
    (0..len).map(|at| (lane * 31 + first * 7 + at as u64) as u8).collect()
}

pub(super) fn piece(lane: u64, first: u64, count: u32, len: usize) -> (Piece, Bytes) {
    let bytes = bytes(lane, first, len);
    let crc = crc32c::crc32c(&bytes);
    let location = Location { file: FileId(0), offset: 0, len: len as u32, crc };
    (Piece { lane: LaneId(lane), first, count, location }, bytes)
}

pub(super) fn payload((piece, bytes): &(Piece, Bytes)) -> (u64, u32, Payload) {
    (piece.first, piece.count, Payload::new(bytes.clone()))
}

/// Pieces of a lane from 1 on: (records, bytes) each.
pub(super) fn lane(lane: u64, sizes: &[(u32, usize)]) -> Vec<(Piece, Bytes)> {
    let mut first = 1;
    let pieces = sizes.iter().map(|(count, len)| {
        let piece = piece(lane, first, *count, *len);
        first += u64::from(*count);
        piece
    });
    pieces.collect()
}

/// The run of some pieces that follow each other.
pub(super) fn extent(pieces: &[(Piece, Bytes)]) -> Extent {
    let (first, last) = (pieces.first().unwrap().0, pieces.last().unwrap().0);
    let digest = pieces
        .iter()
        .fold(0, |digest, (piece, _)| crc32c::crc32c_append(digest, &piece.location.crc.to_le_bytes()));
    let bytes = pieces.iter().map(|(piece, _)| u64::from(piece.location.len)).sum();
    Extent { lane: first.lane, first: first.first, last: last.last(), bytes, digest }
}

pub(super) fn offer(from: NodeNumber, index: u64, extents: Vec<Extent>) -> Offer {
    let members = Members::of_voters([1, 2, 3].map(NodeNumber));
    let state = Payload::new(Bytes::from(vec![7; 10]));
    let manifest = Manifest { index, term: 5, time_ms: 0, members, state, extents };
    Offer { group: GROUP, from, to: OWN, term: 5, loss: 0, manifest }
}

/// All numbers of the extents.
pub(super) fn all(offer: &Offer) -> Vec<(LaneId, u64, u64)> {
    offer.manifest.extents.iter().map(|extent| (extent.lane, extent.first, extent.last)).collect()
}
