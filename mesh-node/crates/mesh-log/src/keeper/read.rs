//! Reading records, and never serving what is not what was written.

use bytes::Bytes;

use super::Keeper;
use crate::{
    files::{Part, read_exact},
    id::{FileId, GroupId, LaneId},
    job::{Done, Source},
    location::{Location, Piece},
    segment::{Gap, Key, Page, Segment, block::PIECE_BYTES_MAX},
};

/// What was read, as far as there was room.
struct Reading {
    last: u64,
    bytes_left: u64,
    pieces: Vec<(Piece, Option<Bytes>)>,
}

impl Keeper {
    pub(super) fn read(
        &self,
        (group, lane): (GroupId, LaneId),
        (first, last): (u64, u64),
        max_bytes: u32,
        sources: &[Source],
    ) -> Done {
        let mut reading = Reading { last, bytes_left: u64::from(max_bytes), pieces: Vec::new() };
        for source in sources {
            let more = match *source {
                Source::Piece(piece) if piece.last() < first => true,
                Source::Piece(piece) => self.read_into(&mut reading, piece),
                Source::Segment { file, first: from, last: to } => match self.segment(file) {
                    Some(segment) => {
                        let from = (group, lane, from.max(first));
                        self.read_segment(&mut reading, (file, &segment), from, to.min(last))
                    }
                    None => reading.push(unknown(file, Gap { group, lane, first: from, last: to }), None),
                },
            };
            if !more {
                break;
            }
        }
        Done::Read(reading.pieces)
    }

    /// Whether there is room for more.
    fn read_segment(
        &self,
        reading: &mut Reading,
        (file, segment): (FileId, &Segment),
        (group, lane, mut next): Key,
        last: u64,
    ) -> bool {
        let mut page = Page::default();
        while next <= last {
            let piece = match segment.piece_from(&self.files, (group, lane, next), &mut page) {
                Ok(Some(piece)) if piece.first <= last => piece,
                Ok(_) => return true,
                Err(gap) => {
                    if !reading.push(unknown(file, gap), None) {
                        return false;
                    }
                    match gap.last.checked_add(1) {
                        Some(behind) => next = behind,
                        None => return true,
                    }
                    continue;
                }
            };
            if !self.read_into(reading, piece) {
                return false;
            }
            match piece.last().checked_add(1) {
                Some(behind) => next = behind,
                None => return true,
            }
        }
        true
    }

    fn read_into(&self, reading: &mut Reading, piece: Piece) -> bool {
        if piece.first > reading.last {
            return false;
        }
        let bytes = self.read_piece(&piece);
        reading.push(piece, bytes)
    }

    /// The bytes of a piece; `None` when they are not what was written, or can't be read.
    pub(crate) fn read_piece(&self, piece: &Piece) -> Option<Bytes> {
        let Location { file, offset, len, crc } = piece.location;
        if len > PIECE_BYTES_MAX {
            return None;
        }
        let data = self.files.get(file, Part::Data).ok()?;
        let mut bytes = vec![0; len as usize];
        read_exact(&*data, &mut bytes, offset).ok()?;
        (crc32c::crc32c(&bytes) == crc).then(|| Bytes::from(bytes))
    }

    /// The pieces of a segment behind a place, for whoever goes through all of it. A part of its index that can't be
    /// read is given as a piece that can't be either.
    pub(crate) fn pieces_behind(&self, file: FileId, behind: Option<Key>) -> Vec<(GroupId, Piece)> {
        let Some(segment) = self.segment(file) else { return Vec::new() };
        match segment.pieces_behind(&self.files, behind) {
            Ok(pieces) => pieces,
            Err(gap) => vec![(gap.group, unknown(file, gap))],
        }
    }

    /// All pieces of a lane in a segment with numbers in a range.
    pub(super) fn pieces_within(&self, file: FileId, from: Key, last: u64) -> Result<Vec<Piece>, Piece> {
        let (group, lane, mut next) = from;
        let gone = || unknown(file, Gap { group, lane, first: from.2, last });
        let segment = self.segment(file).ok_or_else(gone)?;
        let mut page = Page::default();
        let mut pieces = Vec::new();
        while next <= last {
            let piece = segment.piece_from(&self.files, (group, lane, next), &mut page);
            let piece = piece.map_err(|gap| unknown(file, gap))?;
            let Some(piece) = piece.filter(|piece| piece.first <= last) else { break };
            pieces.push(piece);
            let Some(behind) = piece.last().checked_add(1) else { break };
            next = behind;
        }
        Ok(pieces)
    }
}

impl Reading {
    /// Whether there is room for more.
    fn push(&mut self, piece: Piece, bytes: Option<Bytes>) -> bool {
        let len = bytes.as_ref().map_or(0, Bytes::len) as u64;
        self.bytes_left = self.bytes_left.saturating_sub(len);
        self.pieces.push((piece, bytes));
        self.bytes_left > 0
    }
}

/// Records of which nothing but their numbers is known.
fn unknown(file: FileId, gap: Gap) -> Piece {
    let count = u32::try_from(gap.last.saturating_sub(gap.first).saturating_add(1)).unwrap_or(u32::MAX);
    let location = Location { file, offset: 0, len: u32::MAX, crc: 0 };
    Piece { lane: gap.lane, first: gap.first, count, location }
}
