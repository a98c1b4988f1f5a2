//! From messages to frames.

use bytes::{Bytes, BytesMut};
use mesh_log::record::Entry;
use mesh_wire::{
    class::Class,
    frame::{Flags, FrameHeader, HEADER_BYTES, Kind},
};

use super::{CodecError, Forward, Forwarded, ROOM, beat, forward, raft, series::id_of, snapshot};
use crate::{
    ident::{Ident, Join},
    message::{Message, Raft},
};

/// A frame, and the lane that it is for. Frames of one class are sent in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The lane.
    pub class: Class,
    /// The whole frame.
    pub frame: Bytes,
}

/// The number of `MsgAppend`: the only message whose entries may come in several.
const APPEND: u8 = raft::APPEND;

/// Fills frames with messages to one node. What belongs to one kind shares frames and keeps its order.
#[derive(Debug, Default)]
pub struct Encoder {
    done: Vec<Outgoing>,
    open: Vec<(Kind, BytesMut)>,
}

/// The frames of messages to one node.
///
/// # Errors
/// The first message that is too large for its kind.
pub fn encode(messages: &[Message]) -> Result<Vec<Outgoing>, CodecError> {
    let mut encoder = Encoder::new();
    for message in messages {
        encoder.push(message)?;
    }
    Ok(encoder.finish())
}

impl Encoder {
    /// No frames yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a message.
    ///
    /// # Errors
    /// When it is too large for its kind; nothing was added then.
    pub fn push(&mut self, message: &Message) -> Result<(), CodecError> {
        match message {
            Message::Raft(message) => return self.push_raft(message),
            Message::Beat(beats) | Message::BeatReply(beats) => {
                let is_reply = matches!(message, Message::BeatReply(_));
                for beats in beats.chunks(beat::BEATS_MAX) {
                    beat::write(is_reply, beats, self.room(Kind::Beat, beat::len(beats)));
                }
            }
            // It has no body, so a frame can't have two.
            Message::Alive => self.put(Kind::Alive, &[]),
            Message::Offer(offer) => {
                let mut body = BytesMut::new();
                snapshot::write_offer(offer, &mut body)?;
                self.put(Kind::Offer, &body);
            }
            Message::Pull(pull) => {
                snapshot::write_pull(pull, self.room(Kind::Pull, snapshot::PULL_BYTES));
            }
            Message::Part(part) => {
                let len = snapshot::part_len(part)?;
                if len <= ROOM {
                    snapshot::write_part(part, self.room(Kind::Part, len));
                } else {
                    check_len(Kind::Part, len)?;
                    let mut body = BytesMut::with_capacity(len);
                    snapshot::write_part(part, &mut body);
                    self.put(Kind::Part, &body);
                }
            }
        }
        Ok(())
    }

    fn push_raft(&mut self, message: &Raft) -> Result<(), CodecError> {
        raft::check(message)?;
        let whole = raft::head_len(message) + message.entries.iter().map(raft::entry_len).sum::<usize>();
        if whole > ROOM && message.entries.len() > 1 && message.kind != APPEND {
            return Err(CodecError::TooLarge { what: "message", size: whole as u64, max: ROOM });
        }
        let mut before = (message.index, message.log_term);
        let mut rest = &message.entries[..];
        loop {
            let (here, behind) = rest.split_at(fitting(message, rest));
            let len = raft::head_len(message) + here.iter().map(raft::entry_len).sum::<usize>();
            if len <= ROOM {
                raft::write(message, before, here, self.room(Kind::Raft, len));
            } else {
                let mut body = BytesMut::with_capacity(len);
                raft::write(message, before, here, &mut body);
                self.put(Kind::Raft, &body);
            }
            if let Some(last) = here.last() {
                before = (last.index, last.term);
            }
            rest = behind;
            if rest.is_empty() {
                return Ok(());
            }
        }
    }

    /// Adds a request for the leader of a group.
    ///
    /// # Errors
    /// When its body is too large.
    pub fn push_forward(&mut self, forward: &Forward) -> Result<(), CodecError> {
        let body = forward::write(forward)?;
        self.put(Kind::Forward, &body);
        Ok(())
    }

    /// Adds the answer to one.
    ///
    /// # Errors
    /// When its body is too large.
    pub fn push_forwarded(&mut self, answer: &Forwarded) -> Result<(), CodecError> {
        let body = forward::write_answer(answer)?;
        self.put(Kind::Forwarded, &body);
        Ok(())
    }

    /// Adds who this node is.
    pub fn push_ident(&mut self, ident: &Ident) {
        self.put(Kind::Ident, &ident.encode());
    }

    /// Adds that this node wants a number, or the answer to that.
    pub fn push_join(&mut self, join: &Join) {
        self.put(Kind::Join, &join.encode());
    }

    /// The frames.
    #[must_use]
    pub fn finish(mut self) -> Vec<Outgoing> {
        for (kind, frame) in std::mem::take(&mut self.open) {
            self.close(kind, frame);
        }
        self.done
    }

    /// The open frame of a kind, with room for `len` bytes more.
    fn room(&mut self, kind: Kind, len: usize) -> &mut BytesMut {
        let at = match self.open.iter().position(|(other, _)| *other == kind) {
            Some(at) => at,
            None => {
                self.open.push((kind, BytesMut::zeroed(HEADER_BYTES)));
                self.open.len() - 1
            }
        };
        if self.open[at].1.len() + len > HEADER_BYTES + ROOM {
            let full = std::mem::replace(&mut self.open[at].1, BytesMut::zeroed(HEADER_BYTES));
            self.close(kind, full);
        }
        &mut self.open[at].1
    }

    fn close(&mut self, kind: Kind, mut frame: BytesMut) {
        let mut head = BytesMut::with_capacity(HEADER_BYTES);
        header(kind, Flags::NONE, frame.len() - HEADER_BYTES, 0, 0).write(&mut head);
        frame[..HEADER_BYTES].copy_from_slice(&head);
        self.done.push(Outgoing { class: kind.class(), frame: frame.freeze() });
    }

    /// Adds a body in a frame, or frames, of its own.
    fn put(&mut self, kind: Kind, body: &[u8]) {
        // What was pushed before stays in front.
        if let Some(at) = self.open.iter().position(|(other, _)| *other == kind) {
            let (kind, frame) = self.open.remove(at);
            self.close(kind, frame);
        }
        let id = if body.len() > ROOM { id_of(body) } else { 0 };
        let mut offset = 0;
        loop {
            let end = body.len().min(offset + ROOM);
            let flags = if end < body.len() { Flags::MORE } else { Flags::NONE };
            let mut frame = BytesMut::with_capacity(HEADER_BYTES + end - offset);
            header(kind, flags, end - offset, offset as u32, id).write(&mut frame);
            frame.extend_from_slice(&body[offset..end]);
            self.done.push(Outgoing { class: kind.class(), frame: frame.freeze() });
            offset = end;
            if offset == body.len() {
                return;
            }
        }
    }
}

/// How many of `entries` go into one message: as many as fit, one at least.
fn fitting(message: &Raft, entries: &[Entry]) -> usize {
    let mut len = raft::head_len(message);
    let fit = entries.iter().take_while(|entry| {
        len += raft::entry_len(entry);
        len <= ROOM
    });
    fit.count().max(1).min(entries.len())
}

fn check_len(kind: Kind, len: usize) -> Result<(), CodecError> {
    match super::body_bytes_max(kind) {
        Some(max) if len > max => Err(CodecError::TooLarge { what: "body", size: len as u64, max }),
        _ => Ok(()),
    }
}

fn header(kind: Kind, flags: Flags, body: usize, aux: u32, id: u64) -> FrameHeader {
    let len = (HEADER_BYTES + body) as u32;
    FrameHeader { len, kind, flags, subject_len: 0, headers_len: 0, ext_len: 0, aux, id }
}
