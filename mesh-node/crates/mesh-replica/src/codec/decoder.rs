//! From frames to messages.

use bytes::Bytes;
use mesh_wire::frame::{Flags, Frame, HEADER_BYTES, Kind};

use super::{
    CodecError, Forward, Forwarded, beat, body_bytes_max, forward, raft,
    reader::Reader,
    series::{Part, Series},
    snapshot,
};
use crate::{
    ident::{Ident, Join},
    message::Message,
};

/// What a frame held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A part; what it is part of is not whole yet.
    Nothing,
    /// Messages about groups.
    Messages(Vec<Message>),
    /// A request for a group that is led here.
    Forward(Forward),
    /// The answer to one.
    Forwarded(Forwarded),
    /// Who the node on the other side is.
    Ident(Ident),
    /// A node wants a number, or its answer.
    Join(Join),
}

/// Reads the frames of one link, in the order of each lane.
#[derive(Debug, Default)]
pub struct Decoder {
    series: Series,
}

impl Decoder {
    /// Nothing held.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Input: a whole frame. Large payloads are slices of it.
    ///
    /// # Errors
    /// [`CodecError`]: the link is to be closed.
    pub fn decode(&mut self, bytes: &Bytes) -> Result<Received, CodecError> {
        let Some(frame) = Frame::decode(bytes)?.filter(|frame| frame.len() == bytes.len()) else {
            let kind = bytes.get(4).copied().and_then(Kind::from_byte).unwrap_or(Kind::Raft);
            return Err(CodecError::Length { kind });
        };
        let (kind, header) = (frame.kind(), frame.header());
        let max = body_bytes_max(kind).ok_or(CodecError::Kind(kind))?;
        if frame.body_offset() != HEADER_BYTES {
            return Err(CodecError::Length { kind });
        }
        let goes_on = header.flags.contains(Flags::MORE);
        let body = if goes_on || header.aux != 0 || header.id != 0 {
            let (offset, id, bytes) = (header.aux, header.id, frame.body());
            self.series.take(Part { kind, offset, id, goes_on, bytes })?
        } else {
            self.series.give_up(kind);
            Some(bytes.slice(HEADER_BYTES..))
        };
        match body {
            None => Ok(Received::Nothing),
            Some(body) if body.len() > max.max(super::ROOM) => {
                Err(CodecError::TooLarge { what: "body", size: body.len() as u64, max })
            }
            Some(body) => read(kind, body),
        }
    }

    /// Bytes held of bodies that are not whole.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.series.held_bytes()
    }
}

fn read(kind: Kind, body: Bytes) -> Result<Received, CodecError> {
    let mut reader = Reader::new(kind, body);
    let messages = |reader: &mut Reader, one: fn(&mut Reader) -> Result<Message, CodecError>| {
        let mut messages = Vec::new();
        while !reader.is_empty() {
            messages.push(one(reader)?);
        }
        Ok(Received::Messages(messages))
    };
    match kind {
        Kind::Raft => messages(&mut reader, |reader| raft::read(reader).map(Message::Raft)),
        Kind::Beat => messages(&mut reader, beat::read),
        Kind::Pull => messages(&mut reader, |reader| snapshot::read_pull(reader).map(Message::Pull)),
        Kind::Part => messages(&mut reader, |reader| snapshot::read_part(reader).map(Message::Part)),
        Kind::Offer => Ok(Received::Messages(vec![Message::Offer(snapshot::read_offer(&mut reader)?)])),
        Kind::Alive if reader.is_empty() => Ok(Received::Messages(vec![Message::Alive])),
        Kind::Alive => Err(reader.short()),
        Kind::Forward => forward::read(&mut reader).map(Received::Forward),
        Kind::Forwarded => forward::read_answer(&mut reader).map(Received::Forwarded),
        Kind::Ident => Ident::decode(&reader.take_all())
            .map(Received::Ident)
            .map_err(|why| CodecError::Tagged { kind, why }),
        Kind::Join => Join::decode(&reader.take_all())
            .map(Received::Join)
            .map_err(|why| CodecError::Tagged { kind, why }),
        _ => Err(CodecError::Kind(kind)),
    }
}
