//! Messages too large for one frame, on their way out.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};
use mesh_wire::ext::Tag;
use mesh_wire::frame::{Flags, Kind, Parts};
use mesh_wire::limits;

/// What must stay in order: nothing of it is sent while a large message of the same is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order<'a> {
    /// Messages published to a subject.
    Subject(&'a str),
    /// Replies to a call.
    Call(u64),
    /// What one producer puts to one lane.
    #[cfg_attr(not(feature = "registers"), expect(dead_code, reason = "only producers do"))]
    Producer(u32),
    /// In no order with anything.
    Free,
}

#[derive(Debug, PartialEq, Eq)]
enum OrderKey {
    Subject(Box<str>),
    Call(u64),
    Producer(u32),
    Free,
}

impl OrderKey {
    fn is(&self, order: Order<'_>) -> bool {
        match (self, order) {
            (Self::Subject(ours), Order::Subject(theirs)) => **ours == *theirs,
            (Self::Call(ours), Order::Call(theirs)) => *ours == theirs,
            (Self::Producer(ours), Order::Producer(theirs)) => *ours == theirs,
            _ => false,
        }
    }
}

#[derive(Debug)]
struct Message {
    order: OrderKey,
    series: u32,
    /// The opening frame, until it was sent: encoded, without body.
    opening: Option<Opening>,
    body: Bytes,
    sent: usize,
}

#[derive(Debug)]
struct Opening {
    kind: Kind,
    flags: Flags,
    aux: u32,
    id: u64,
    ext: Bytes,
    subject: Bytes,
    headers: Bytes,
}

/// Large messages under way, at most [`limits::CHUNK_SERIES`], a chunk of each in turn.
#[derive(Debug, Default)]
pub(crate) struct Bulk {
    messages: VecDeque<Message>,
    series: u32,
}

impl Bulk {
    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether a frame of `order` has to wait.
    pub(crate) fn blocks(&self, order: Order<'_>) -> bool {
        self.messages.iter().any(|message| message.order.is(order))
    }

    /// Whether one more message of `order` is taken.
    pub(crate) fn has_room(&self, order: Order<'_>) -> bool {
        self.messages.len() < limits::CHUNK_SERIES && !self.blocks(order)
    }

    /// The number of the message that was taken last, if one is still on its way.
    pub(crate) fn newest(&self) -> Option<u32> {
        (!self.is_empty()).then_some(self.series)
    }

    /// Whether a message is still on its way that was taken no later than the one of this number.
    pub(crate) fn holds(&self, number: u32) -> bool {
        // Numbers wrap; those under way are close together.
        self.messages.iter().any(|message| number.wrapping_sub(message.series) <= u32::MAX / 2)
    }

    /// Command: a message whose body is `body`; `parts.body` is not looked at.
    pub(crate) fn push(&mut self, order: Order<'_>, parts: &Parts<'_>, body: Bytes) {
        self.series = self.series.wrapping_add(1);
        let order = match order {
            Order::Subject(subject) => OrderKey::Subject(subject.into()),
            Order::Call(id) => OrderKey::Call(id),
            Order::Producer(number) => OrderKey::Producer(number),
            Order::Free => OrderKey::Free,
        };
        let opening = Opening {
            kind: parts.kind,
            flags: parts.flags,
            aux: parts.aux,
            id: parts.id,
            ext: with_chunk_entry(parts.ext, self.series, body.len()),
            subject: Bytes::copy_from_slice(parts.subject),
            headers: Bytes::copy_from_slice(parts.headers),
        };
        self.messages.push_back(Message {
            order,
            series: self.series,
            opening: Some(opening),
            body,
            sent: 0,
        });
    }

    /// Output: appends the next chunk to `out`. Whether a message was finished by it.
    pub(crate) fn poll_chunk(&mut self, out: &mut BytesMut) -> bool {
        let Some(mut message) = self.messages.pop_front() else { return false };
        let end = message.body.len().min(message.sent + limits::CHUNK_BYTES);
        let part = &message.body[message.sent..end];
        let more = end < message.body.len();
        let encoded = match &message.opening {
            Some(o) => Parts {
                kind: o.kind,
                flags: o.flags,
                aux: o.aux,
                id: o.id,
                ext: &o.ext,
                subject: &o.subject,
                headers: &o.headers,
                body: part,
            }
            .encode(out),
            None => {
                let flags = if more { Flags::MORE } else { Flags::NONE };
                let chunk = Parts { flags, ..Parts::bare(Kind::Chunk, message.series.into()) };
                chunk.body(part).encode(out)
            }
        };
        debug_assert!(encoded.is_ok(), "limits were checked when the message was taken");
        message.opening = None;
        message.sent = end;
        if more {
            self.messages.push_back(message);
        }
        !more
    }
}

fn with_chunk_entry(ext: &[u8], series: u32, total: usize) -> Bytes {
    const VALUE_BYTES: u8 = 12;
    let mut out = BytesMut::with_capacity(ext.len() + 2 + usize::from(VALUE_BYTES));
    out.put_slice(ext);
    out.put_slice(&[Tag::CHUNK.0, VALUE_BYTES]);
    out.put_u32_le(series);
    out.put_u64_le(total as u64);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use mesh_wire::chunk::Reassembler;
    use mesh_wire::ext::Ext;
    use mesh_wire::frame::Frame;

    use super::*;

    fn push(bulk: &mut Bulk, order: Order<'_>, body: Bytes) {
        let parts = Parts { subject: b"a.b", ext: &[Tag::ENCODING.0, 1, 1], ..Parts::bare(Kind::Publish, 7) };
        bulk.push(order, &parts, body);
    }

    #[test]
    fn chunks_of_several_messages_take_turns_and_come_back_whole() {
        let bodies = [limits::CHUNK_BYTES + 1, 2 * limits::CHUNK_BYTES, 3 * limits::CHUNK_BYTES + 5]
            .map(|len| Bytes::from((0..len).map(|i| (i * len) as u8).collect::<Vec<_>>()));
        let mut bulk = Bulk::default();
        for body in &bodies {
            push(&mut bulk, Order::Free, body.clone());
        }
        let mut wire = BytesMut::new();
        let mut finished = 0;
        while !bulk.is_empty() {
            finished += usize::from(bulk.poll_chunk(&mut wire));
        }
        assert_eq!(finished, bodies.len());

        let mut reassembler = Reassembler::new(limits::BODY_BYTES_DEFAULT as u64);
        let mut whole = Vec::new();
        let mut at = 0;
        while let Some(frame) = Frame::decode(&wire[at..]).unwrap() {
            at += frame.len();
            if frame.kind() == Kind::Chunk {
                let more = frame.flags().contains(Flags::MORE);
                whole.extend(reassembler.handle_part(frame.id(), frame.body(), more).unwrap());
            } else {
                let ext = Ext::parse(frame.ext()).unwrap();
                let (series, total) = ext.chunk().unwrap();
                assert_eq!((frame.id(), frame.subject(), ext.encoding()), (7, &b"a.b"[..], 1));
                reassembler.handle_opening(series, total, series, frame.body()).unwrap();
            }
        }
        assert_eq!(at, wire.len());
        whole.sort_by_key(|(series, _)| *series);
        assert!(whole.iter().map(|(_, body)| body).eq(&bodies));
    }

    #[test]
    fn a_subject_is_blocked_until_its_message_is_sent() {
        let body = Bytes::from(vec![0; limits::CHUNK_BYTES + 1]);
        let mut bulk = Bulk::default();
        push(&mut bulk, Order::Subject("a.b"), body.clone());
        push(&mut bulk, Order::Call(7), body);
        assert!(bulk.blocks(Order::Subject("a.b")) && bulk.blocks(Order::Call(7)));
        assert!(
            !bulk.blocks(Order::Subject("a.c")) && !bulk.blocks(Order::Call(8)) && !bulk.blocks(Order::Free)
        );
        let mut wire = BytesMut::new();
        while !bulk.poll_chunk(&mut wire) {}
        assert!(!bulk.blocks(Order::Subject("a.b")));
        assert!(bulk.blocks(Order::Call(7)));
    }

    #[test]
    fn what_was_taken_before_is_known_until_it_is_sent() {
        let body = Bytes::from(vec![0; limits::CHUNK_BYTES + 1]);
        let mut bulk = Bulk { series: u32::MAX - 1, ..Bulk::default() };
        assert_eq!(bulk.newest(), None);
        push(&mut bulk, Order::Free, body.clone());
        let first = bulk.newest().unwrap();
        let mut wire = BytesMut::new();
        assert!(!bulk.poll_chunk(&mut wire));
        // The number wraps with this one.
        push(&mut bulk, Order::Free, body);
        let second = bulk.newest().unwrap();
        assert!(bulk.holds(first) && bulk.holds(second));
        while !bulk.poll_chunk(&mut wire) {}
        assert!(!bulk.holds(first) && bulk.holds(second), "what came later does not count");
        while !bulk.poll_chunk(&mut wire) {}
        assert!(!bulk.holds(second));
    }

    #[test]
    fn the_number_under_way_is_bounded() {
        let body = Bytes::from(vec![0; limits::CHUNK_BYTES + 1]);
        let mut bulk = Bulk::default();
        for _ in 0..limits::CHUNK_SERIES {
            assert!(bulk.has_room(Order::Free));
            push(&mut bulk, Order::Free, body.clone());
        }
        assert!(!bulk.has_room(Order::Free));
    }
}
