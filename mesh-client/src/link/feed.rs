//! The queue between the link and one subscription or responder.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use mesh_wire::body::{ModeV1, SubscribeV1};
use mesh_wire::code::Code;
use mesh_wire::frame::{Kind, Parts};
use parking_lot::Mutex;

use super::outbox::{Epoch, Outbox};
use crate::error::Error;
use crate::message::Message;
use crate::state::credit::Credit;
use crate::subscribe::SlowPolicy;

/// Bytes that wait for one subscription in this process at most, frame headers included.
pub(crate) const FEED_BYTES: usize = 64 * 1024 * 1024;
/// A run shorter than this is copied when others wait before it: else each would keep a whole read buffer alive.
const COPIED_BELOW_BYTES: usize = 16 * 1024;

/// What waits for a consumer, in order.
#[derive(Debug)]
pub(crate) enum Item {
    /// Whole frames, back to back.
    Frames { bytes: Bytes, messages: u32 },
    /// A message that came in chunks.
    Message(Message),
}

impl Item {
    fn messages(&self) -> u32 {
        match self {
            Self::Frames { messages, .. } => *messages,
            Self::Message(_) => 1,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Frames { bytes, .. } => bytes.len(),
            Self::Message(message) => message.as_bytes().len(),
        }
    }
}

/// How a feed ended.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// By its owner or with its client.
    OnPurpose,
    /// By the node or its slow policy.
    Failed(Error),
}

/// What did not fit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Overflow {
    /// Messages that were dropped.
    pub(crate) dropped: u32,
    /// The feed was closed over it.
    pub(crate) closed: bool,
}

#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) id: u32,
    pub(crate) pattern: Box<str>,
    pub(crate) policy: SlowPolicy,
    spec: SubscribeV1,
    bytes_max: usize,
    dropped: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    items: VecDeque<Item>,
    messages: u32,
    bytes: usize,
    credit: Credit,
    epoch: Epoch,
    confirmed: bool,
    /// Its end was asked for; what is on its way still comes.
    retired: bool,
    end: Option<End>,
    waiter: Option<Waker>,
}

impl Feed {
    /// `spec.credit` is the capacity.
    pub(crate) fn new(id: u32, pattern: &str, policy: SlowPolicy, spec: SubscribeV1) -> Self {
        Self {
            id,
            pattern: pattern.into(),
            policy,
            bytes_max: FEED_BYTES,
            dropped: AtomicU64::new(0),
            state: Mutex::new(State {
                items: VecDeque::new(),
                messages: 0,
                bytes: 0,
                credit: Credit::new(spec.credit),
                epoch: Epoch(0),
                confirmed: false,
                retired: false,
                end: None,
                waiter: None,
            }),
            spec,
        }
    }

    pub(crate) fn is_responder(&self) -> bool {
        self.spec.mode == ModeV1::Responder
    }

    /// Messages that may wait for it, handed out or not.
    pub(crate) fn capacity(&self) -> u32 {
        self.state.lock().credit.capacity()
    }

    /// Messages that were dropped for it, here and at the node.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// The node dropped messages for it.
    pub(crate) fn count_dropped(&self, messages: u32) {
        self.dropped.fetch_add(messages.into(), Ordering::Relaxed);
    }

    /// Its owner wants nothing more once what is on its way has come. Whether that is new.
    pub(crate) fn retire(&self) -> bool {
        !std::mem::replace(&mut self.state.lock().retired, true)
    }

    /// Its owner wants nothing more.
    pub(crate) fn is_retired(&self) -> bool {
        self.state.lock().retired
    }

    /// The link that it was last asked for on.
    pub(crate) fn epoch(&self) -> Epoch {
        self.state.lock().epoch
    }

    /// The link that it is asked for on at first.
    pub(crate) fn set_epoch(&self, epoch: Epoch) {
        self.state.lock().epoch = epoch;
    }

    /// The link is new: what a `SUBSCRIBE` on it says. `None` when the feed has ended.
    pub(crate) fn relink(&self, epoch: Epoch) -> Option<SubscribeV1> {
        let mut state = self.state.lock();
        if state.retired {
            state.end.get_or_insert(End::OnPurpose);
        }
        if state.end.is_some() {
            let waiter = state.waiter.take();
            drop(state);
            waiter.into_iter().for_each(Waker::wake);
            return None;
        }
        state.epoch = epoch;
        let mut spec = self.spec.clone();
        if self.is_responder() {
            // Calls of the old link can't be answered any more; who works on some is told by the new epoch.
            state.items.clear();
            (state.messages, state.bytes) = (0, 0);
            let waiter = state.waiter.take();
            drop(state);
            waiter.into_iter().for_each(Waker::wake);
        } else {
            spec.credit = state.credit.initial(state.messages);
        }
        Some(spec)
    }

    /// Appends what came. What does not fit goes by the slow policy; the node gets the credit for it back.
    pub(crate) fn push(&self, item: Item, outbox: &Outbox) -> Overflow {
        let mut state = self.state.lock();
        if state.end.is_some() {
            return Overflow::default();
        }
        let item = match item {
            Item::Frames { bytes, messages }
                if !state.items.is_empty() && bytes.len() < COPIED_BELOW_BYTES =>
            {
                Item::Frames { bytes: Bytes::copy_from_slice(&bytes), messages }
            }
            item => item,
        };
        state.messages += item.messages();
        state.bytes += item.bytes();
        state.items.push_back(item);
        let mut overflow = Overflow::default();
        if state.bytes > self.bytes_max && !self.is_responder() {
            overflow = self.shed(&mut state, outbox);
        }
        let waiter = state.waiter.take();
        drop(state);
        waiter.into_iter().for_each(Waker::wake);
        overflow
    }

    fn shed(&self, state: &mut State, outbox: &Outbox) -> Overflow {
        let mut dropped = 0;
        if self.policy == SlowPolicy::Close {
            let error = Error::of(Code::SubscriptionOverflow)
                .with_cause(format!("more than {} bytes wait for it in this process", self.bytes_max));
            state.end = Some(End::Failed(error));
            return Overflow { dropped, closed: true };
        }
        while state.bytes > self.bytes_max && state.items.len() > 1 {
            let item = match self.policy {
                SlowPolicy::DropNewest => state.items.pop_back(),
                _ => state.items.pop_front(),
            };
            let Some(item) = item else { break };
            state.bytes -= item.bytes();
            state.messages -= item.messages();
            dropped += item.messages();
        }
        self.count_dropped(dropped);
        self.send_credit(dropped, outbox);
        Overflow { dropped, closed: false }
    }

    /// Moves all that waits into `into`, which is empty, with the epoch of the link that it came by. Ready with nothing
    /// in it when the epoch is another than `seen`; `None` when the feed has ended.
    pub(crate) fn poll_take(
        &self,
        into: &mut VecDeque<Item>,
        seen: Epoch,
        cx: &Context<'_>,
    ) -> Poll<Option<Epoch>> {
        let mut state = self.state.lock();
        if !state.items.is_empty() || (self.is_responder() && state.epoch != seen) {
            let State { items, credit, messages, .. } = &mut *state;
            std::mem::swap(items, into);
            credit.handle_taken(*messages);
            (state.messages, state.bytes) = (0, 0);
            return Poll::Ready(Some(state.epoch));
        }
        if state.end.is_some() {
            return Poll::Ready(None);
        }
        match &mut state.waiter {
            Some(waiter) => waiter.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Returns the credit for `messages` that the consumer is done with.
    pub(crate) fn return_credit(&self, messages: u32, outbox: &Outbox) {
        // Under the lock: a link that comes up meanwhile must count these either as held or as returned.
        let mut state = self.state.lock();
        state.credit.handle_returned(messages);
        if state.end.is_none() {
            self.send_credit(messages, outbox);
        }
    }

    fn send_credit(&self, messages: u32, outbox: &Outbox) {
        if messages > 0 {
            outbox.push_control(&Parts::bare(Kind::Credit, self.id.into()).aux(messages));
        }
    }

    /// The node has confirmed it.
    pub(crate) fn confirm(&self) {
        let mut state = self.state.lock();
        state.confirmed = true;
        let waiter = state.waiter.take();
        drop(state);
        waiter.into_iter().for_each(Waker::wake);
    }

    /// Ready when the node has confirmed it, or it has ended.
    pub(crate) fn poll_confirmed(&self, cx: &Context<'_>) -> Poll<Result<(), End>> {
        let mut state = self.state.lock();
        if let Some(end) = &state.end {
            return Poll::Ready(Err(end.clone()));
        }
        if state.confirmed {
            return Poll::Ready(Ok(()));
        }
        state.waiter = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ends it; the first end counts.
    pub(crate) fn end(&self, end: End) {
        let mut state = self.state.lock();
        state.end.get_or_insert(end);
        let waiter = state.waiter.take();
        drop(state);
        waiter.into_iter().for_each(Waker::wake);
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&self) -> Option<End> {
        self.state.lock().end.clone()
    }
}

#[cfg(test)]
mod tests;
