//! The batches of one round, a link each.

use std::{collections::HashMap, sync::Arc};

use actix::dev::SendError;
use bytes::BytesMut;
use foldhash::fast::RandomState;
use mesh_core::{
    request::Origin,
    routing::{LinkId, SubscriptionId, Target},
    subscription::{Batch, Span},
};
use mesh_wire::{
    code::Code,
    frame::{Flags, Frame, FrameError, Kind, Parts},
};

use super::{Unsent, room};
use crate::{
    snapshot::{Gauge, LinkHandle, Snapshot},
    subscriber::message::{Calls, Deliver, Replies},
};

/// Frames are gathered in buffers of this size.
pub(super) const BUFFER_BYTES: usize = 256 * 1024;
/// A remainder below this is not kept for the next round.
const REMAINDER_BYTES: usize = 4 * 1024;
/// Buffers kept for the next round.
const SPARE_BUFFERS: usize = 4;
/// A batch is sent before the round ends when it is larger than this.
const BATCH_BYTES: usize = 1024 * 1024;

/// A call in a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallSpan {
    pub(crate) request: u64,
    pub(crate) subscription: SubscriptionId,
    pub(crate) credit: u32,
    pub(crate) bytes: u32,
}

/// A reply in a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReplySpan {
    pub(crate) request: u64,
    pub(crate) subscription: SubscriptionId,
    pub(crate) more: bool,
    pub(crate) bytes: u32,
}

#[derive(Default)]
pub(super) struct Round {
    outgoing: Vec<Outgoing>,
    index: HashMap<LinkId, usize, RandomState>,
    last: Option<(LinkId, usize)>,
    spare: Vec<BytesMut>,
    unsent: u64,
}

struct Outgoing {
    link: LinkHandle,
    deliveries: BytesMut,
    spans: Vec<Span>,
    calls: BytesMut,
    call_spans: Vec<CallSpan>,
    replies: BytesMut,
    reply_spans: Vec<ReplySpan>,
}

impl Round {
    #[inline]
    pub(super) fn deliver(&mut self, snapshot: &Snapshot, target: Target, frame: &Frame<'_>) -> bool {
        let Some(at) = self.at(snapshot, target.link) else { return false };
        let bytes = frame.len() as u32;
        let out = &mut self.outgoing[at];
        if out.deliveries.capacity() - out.deliveries.len() < frame.len() {
            out.deliveries = Self::grow(&mut self.spare, std::mem::take(&mut out.deliveries), frame.len());
        }
        let id = u64::from(target.subscription.0);
        frame.append_as(&mut out.deliveries, Kind::Deliver, Flags::NONE, 0, id);
        match out.spans.last_mut() {
            Some(span) if span.subscription == target.subscription => {
                span.messages += 1;
                span.bytes += bytes;
            }
            _ => out.spans.push(Span { subscription: target.subscription, messages: 1, bytes }),
        }
        if out.deliveries.len() >= BATCH_BYTES {
            self.unsent += out.send_deliveries(&mut self.spare);
        }
        true
    }

    pub(super) fn call(
        &mut self,
        snapshot: &Snapshot,
        target: Target,
        request: u64,
        credit: u32,
        parts: &Parts<'_>,
    ) -> bool {
        let Some(at) = self.at(snapshot, target.link) else { return false };
        let out = &mut self.outgoing[at];
        let id = u64::from(target.subscription.0) << 32;
        let parts = Parts { id, ..*parts };
        let Ok(bytes) = append(&mut self.spare, &mut out.calls, &parts) else { return false };
        out.call_spans.push(CallSpan { request, subscription: target.subscription, credit, bytes });
        true
    }

    pub(super) fn reply(
        &mut self,
        snapshot: &Snapshot,
        origin: Origin,
        from: SubscriptionId,
        more: bool,
        parts: &Parts<'_>,
    ) -> bool {
        let Some(at) = self.at(snapshot, origin.link) else { return false };
        let out = &mut self.outgoing[at];
        let parts = Parts { id: origin.request, ..*parts };
        let Ok(bytes) = append(&mut self.spare, &mut out.replies, &parts) else { return false };
        out.reply_spans.push(ReplySpan { request: origin.request, subscription: from, more, bytes });
        true
    }

    pub(super) fn flush(
        &mut self,
        from: LinkId,
        load: u32,
        high_bytes: usize,
        crowded: &mut Vec<Arc<Gauge>>,
    ) -> Unsent {
        let mut unsent = Unsent { messages: std::mem::take(&mut self.unsent), ..Unsent::default() };
        self.index.clear();
        self.last = None;
        for mut out in self.outgoing.drain(..) {
            if !out.spans.is_empty() {
                unsent.messages += out.send_deliveries(&mut self.spare);
                // A link that publishes to itself is not held back: it could not read what would free it.
                let gauge = &out.link.gauge;
                if out.link.id != from && gauge.queued_bytes() > high_bytes && !gauge.is_slow() {
                    crowded.push(Arc::clone(gauge));
                }
            }
            out.send_calls(from, &mut unsent);
            out.send_replies(from, load, &mut unsent);
            for buffer in [out.deliveries, out.calls, out.replies] {
                keep(&mut self.spare, buffer);
            }
        }
        unsent
    }

    #[inline]
    fn at(&mut self, snapshot: &Snapshot, link: LinkId) -> Option<usize> {
        if let Some((last, at)) = self.last
            && last == link
        {
            return Some(at);
        }
        let at = match self.index.get(&link) {
            Some(&at) => at,
            None => {
                let handle = snapshot.links.get(&link)?.clone();
                self.outgoing.push(Outgoing {
                    link: handle,
                    deliveries: BytesMut::new(),
                    spans: Vec::new(),
                    calls: BytesMut::new(),
                    call_spans: Vec::new(),
                    replies: BytesMut::new(),
                    reply_spans: Vec::new(),
                });
                let at = self.outgoing.len() - 1;
                self.index.insert(link, at);
                at
            }
        };
        self.last = Some((link, at));
        Some(at)
    }

    /// More room for a batch that is under way: spare room if it is empty, else twice what it has.
    #[cold]
    fn grow(spare: &mut Vec<BytesMut>, mut buffer: BytesMut, need: usize) -> BytesMut {
        if buffer.is_empty() {
            return room(spare, need);
        }
        buffer.reserve(buffer.len().max(need));
        buffer
    }
}

impl Outgoing {
    /// Gives back how many messages the mailbox refused.
    fn send_deliveries(&mut self, spare: &mut Vec<BytesMut>) -> u64 {
        let frames = self.deliveries.split().freeze();
        keep(spare, std::mem::take(&mut self.deliveries));
        let (bytes, spans) = (frames.len(), std::mem::take(&mut self.spans));
        let messages: u64 = spans.iter().map(|s| u64::from(s.messages)).sum();
        self.link.gauge.sent(bytes);
        match self.link.subscriber.try_send(Deliver(Batch { frames, spans })) {
            Ok(()) => 0,
            Err(_) => {
                self.link.gauge.received(bytes);
                messages
            }
        }
    }

    fn send_calls(&mut self, from: LinkId, unsent: &mut Unsent) {
        if self.call_spans.is_empty() {
            return;
        }
        let calls = std::mem::take(&mut self.call_spans);
        let refused: Vec<_> =
            calls.iter().map(|c| (c.request, Target::new(self.link.id, c.subscription))).collect();
        let message = Calls { origin: from, frames: self.calls.split(), calls };
        let code = match self.link.subscriber.try_send(message) {
            Ok(()) => return,
            Err(SendError::Full(_)) => Code::ResponderBusy,
            Err(SendError::Closed(_)) => Code::ResponderGone,
        };
        unsent.calls.extend(refused.into_iter().map(|(request, target)| (request, target, code)));
    }

    fn send_replies(&mut self, from: LinkId, load: u32, unsent: &mut Unsent) {
        if self.reply_spans.is_empty() {
            return;
        }
        let replies = std::mem::take(&mut self.reply_spans);
        let count = replies.len() as u64;
        let message = Replies { from, load, frames: self.replies.split(), replies };
        if self.link.subscriber.try_send(message).is_err() {
            unsent.replies += count;
        }
    }
}

fn append(spare: &mut Vec<BytesMut>, buffer: &mut BytesMut, parts: &Parts<'_>) -> Result<u32, FrameError> {
    if buffer.capacity() == 0 {
        *buffer = room(spare, parts.encoded_len());
    }
    parts.encode(buffer)?;
    Ok(parts.encoded_len() as u32)
}

fn keep(spare: &mut Vec<BytesMut>, buffer: BytesMut) {
    if spare.len() < SPARE_BUFFERS && buffer.is_empty() && buffer.capacity() >= REMAINDER_BYTES {
        spare.push(buffer);
    }
}
