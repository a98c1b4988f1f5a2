//! The subscriptions of one link: credit, bounded pending rings, overflow policies, counted drops.
//!
//! ```text
//!             credit left, nothing pending, room in the outbox
//!   batch ──┬────────────────────────────────────────────────► Output::Frames (the batch's own bytes, no copy)
//!           └─► pending ring ──(credit, room)────────────────► Output::Frames
//!                  └─ full: drop oldest · drop newest · close ► Output::Dropped / Output::Closed
//! ```
//! Delivery is at most once. Messages of one subscription leave in the order in which they came. A message that is
//! dropped is counted and told to the client; nothing else is forgotten.

use std::collections::{BinaryHeap, VecDeque};

use bytes::Bytes;
use foldhash::fast::RandomState;
use mesh_wire::{code::Code, limits, name::Name, subject::Pattern};
use slab::Slab;

use crate::{
    large::Large,
    routing::{Mode, SubscriptionId},
};

mod ring;

use ring::{Ring, Run};

type Map<K, V> = std::collections::HashMap<K, V, RandomState>;

/// A run below this is copied into the ring, so that a few waiting bytes do not keep a whole read buffer alive.
const COPY_BELOW_BYTES: usize = 64 * 1024;

/// Messages that one subscription sends before another with pending messages has its turn.
const TURN_MESSAGES: u32 = 256;

/// What happens to a message for which the pending ring has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The oldest pending message makes room.
    DropOldest,
    /// The new message is dropped.
    DropNewest,
    /// The subscription is closed.
    Close,
}

/// Bounds of a pending ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingLimit {
    /// Messages.
    pub messages: u32,
    /// Bytes, frame headers included.
    pub bytes: u32,
}

/// What a client asked for.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The number under which the client knows it.
    pub id: SubscriptionId,
    /// What it matches.
    pub pattern: Pattern,
    /// The group that shares its messages.
    pub group: Option<Name>,
    /// Events or requests.
    pub mode: Mode,
    /// Messages that the client has room for (for a responder: calls that it takes at once).
    pub credit: u32,
    /// Bounds of the pending ring.
    pub pending: PendingLimit,
    /// What happens beyond them.
    pub overflow: Overflow,
}

/// Frames for one subscription, back to back in a [`Batch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Whom they are for.
    pub subscription: SubscriptionId,
    /// How many frames.
    pub messages: u32,
    /// How many bytes.
    pub bytes: u32,
}

/// Encoded `DELIVER` frames for one link, and where whose lie.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Whole frames.
    pub frames: Bytes,
    /// Their owners in order; their bytes add up to `frames`.
    pub spans: Vec<Span>,
}

/// What the shell has to do.
#[derive(Debug)]
pub enum Output {
    /// Write these whole frames.
    Frames(Bytes),
    /// Write this message in chunks, then call [`Subscriptions::handle_large_sent`].
    Large(SubscriptionId, Box<Large>),
    /// Tell the client that messages were dropped.
    Dropped(SubscriptionId, u32),
    /// The subscription is gone by its overflow policy: tell the client and the router.
    Closed(Spec),
}

/// A view for listings.
#[derive(Debug, Clone)]
pub struct Status {
    /// What the client asked for, with the credit that is left now.
    pub spec: Spec,
    /// Messages waiting.
    pub pending: u32,
    /// Messages handed to the link.
    pub delivered: u64,
    /// Messages dropped.
    pub dropped: u64,
}

#[derive(Debug)]
struct Subscription {
    spec: Spec,
    ring: Option<Box<Ring>>,
    /// A large message of it is on its way: what comes after waits, or it would overtake.
    large_under_way: bool,
    in_turn: bool,
    delivered: u64,
    dropped: u64,
    dropped_untold: u32,
}

impl Subscription {
    fn status(&self) -> Status {
        Status {
            spec: self.spec.clone(),
            pending: self.ring.as_ref().map_or(0, |r| r.messages()),
            delivered: self.delivered,
            dropped: self.dropped,
        }
    }
}

/// All subscriptions of one link.
#[derive(Debug)]
pub struct Subscriptions {
    slab: Slab<Subscription>,
    by_id: Map<SubscriptionId, u32>,
    /// Slots with pending messages and credit, in turn.
    turns: VecDeque<u32>,
    /// Slots with drops that the client has not been told of.
    untold: Vec<u32>,
    outputs: VecDeque<Output>,
    /// Bytes that the outbox still takes.
    room: usize,
    room_max: usize,
    max: usize,
    pending_bytes: usize,
    delivered: u64,
    dropped: u64,
    orphans: u64,
}

impl Subscriptions {
    /// For at most `max` subscriptions and an outbox of `outbox_bytes`, which one batch may overshoot.
    pub fn new(max: usize, outbox_bytes: usize) -> Self {
        Self {
            slab: Slab::new(),
            by_id: Map::default(),
            turns: VecDeque::new(),
            untold: Vec::new(),
            outputs: VecDeque::new(),
            room: outbox_bytes,
            room_max: outbox_bytes,
            max,
            pending_bytes: 0,
            delivered: 0,
            dropped: 0,
            orphans: 0,
        }
    }

    /// Command: adds a subscription.
    ///
    /// # Errors
    /// The code of what is wrong: credit or bounds out of range, id in use, too many.
    pub fn subscribe(&mut self, spec: Spec) -> Result<(), Code> {
        if spec.credit == 0 || spec.credit > limits::CREDIT_MAX {
            return Err(Code::CreditOutOfRange);
        }
        if spec.pending.messages > limits::PENDING_MESSAGES_MAX
            || spec.pending.bytes > limits::PENDING_BYTES_MAX
        {
            return Err(Code::PendingLimitOutOfRange);
        }
        if self.by_id.contains_key(&spec.id) {
            return Err(Code::SubscriptionIdInUse);
        }
        if self.slab.len() >= self.max {
            return Err(Code::TooManySubscriptions);
        }
        let id = spec.id;
        let slot = self.slab.insert(Subscription {
            spec,
            ring: None,
            large_under_way: false,
            in_turn: false,
            delivered: 0,
            dropped: 0,
            dropped_untold: 0,
        });
        self.by_id.insert(id, slot as u32);
        Ok(())
    }

    /// Command: removes a subscription; what was pending goes with it, uncounted, since nobody wants it.
    pub fn unsubscribe(&mut self, id: SubscriptionId) -> Option<Spec> {
        let slot = self.by_id.remove(&id)?;
        let gone = self.slab.remove(slot as usize);
        self.pending_bytes -= gone.ring.map_or(0, |r| r.bytes());
        Some(gone.spec)
    }

    /// Command: removes all; for a link that closes.
    pub fn drain(&mut self) -> impl Iterator<Item = Spec> + '_ {
        self.by_id.clear();
        self.turns.clear();
        self.untold.clear();
        self.pending_bytes = 0;
        self.slab.drain().map(|s| s.spec)
    }

    /// Input: the client has room for `more` messages.
    ///
    /// # Errors
    /// [`Code::SubscriptionUnknown`], or [`Code::CreditOverflow`] beyond [`limits::CREDIT_MAX`]; then nothing changes.
    pub fn handle_credit(&mut self, id: SubscriptionId, more: u32) -> Result<(), Code> {
        let Some(&slot) = self.by_id.get(&id) else { return Err(Code::SubscriptionUnknown) };
        let s = &mut self.slab[slot as usize];
        match s.spec.credit.checked_add(more) {
            Some(sum) if sum <= limits::CREDIT_MAX => s.spec.credit = sum,
            _ => return Err(Code::CreditOverflow),
        }
        self.enqueue_turn(slot);
        self.take_turns();
        Ok(())
    }

    /// Input: the outbox wrote `bytes`.
    pub fn handle_written(&mut self, bytes: usize) {
        self.room = self.room.saturating_add(bytes).min(self.room_max);
        self.take_turns();
        self.tell_drops();
    }

    /// Input: the last chunk of a large message of this subscription is queued.
    pub fn handle_large_sent(&mut self, id: SubscriptionId) {
        let Some(&slot) = self.by_id.get(&id) else { return };
        self.slab[slot as usize].large_under_way = false;
        self.enqueue_turn(slot);
        self.take_turns();
    }

    /// Input: frames from a router. The whole batch leaves as it is when all have credit and there is room.
    pub fn handle_batch(&mut self, batch: &Batch) {
        let mut accepted = 0..0usize;
        let mut last: Option<(SubscriptionId, u32)> = None;
        for span in &batch.spans {
            let at = accepted.end;
            let end = at + span.bytes as usize;
            let slot = match last {
                Some((id, slot)) if id == span.subscription => Some(slot),
                _ => self.by_id.get(&span.subscription).copied(),
            };
            let taken = match slot {
                Some(slot) => {
                    last = Some((span.subscription, slot));
                    self.take_at_once(slot, span.messages, span.bytes as usize)
                }
                None => {
                    self.orphans += u64::from(span.messages);
                    false
                }
            };
            if taken {
                accepted.end = end;
                continue;
            }
            self.emit(batch.frames.slice(accepted));
            accepted = end..end;
            if let Some(slot) = slot {
                self.pend(slot, Run::frames(slice_to_keep(&batch.frames, at..end), span.messages));
                last = None;
            }
        }
        self.emit(batch.frames.slice(accepted));
        self.tell_drops();
    }

    /// Input: one large message from a router.
    pub fn handle_large(&mut self, id: SubscriptionId, large: Large) {
        match self.by_id.get(&id) {
            Some(&slot) => self.pend(slot, Run::large(large)),
            None => self.orphans += 1,
        }
        self.tell_drops();
    }

    /// Output: the next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Messages that came for subscriptions that are gone; reading resets it.
    pub fn take_orphans(&mut self) -> u64 {
        std::mem::take(&mut self.orphans)
    }

    /// Bytes that wait in all rings.
    pub fn pending_bytes(&self) -> usize {
        self.pending_bytes
    }

    /// Whether something waits for [`Self::handle_written`]: messages with credit, or drops to be told.
    pub fn wants_room(&self) -> bool {
        self.room == 0 && !(self.turns.is_empty() && self.untold.is_empty())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    /// What a subscription was made with.
    pub fn get(&self, id: SubscriptionId) -> Option<&Spec> {
        self.by_id.get(&id).map(|&slot| &self.slab[slot as usize].spec)
    }

    /// A view of up to `limit` subscriptions with ids above `after`, by rising id.
    pub fn statuses(&self, after: Option<SubscriptionId>, limit: usize) -> Vec<Status> {
        let mut nearest = BinaryHeap::with_capacity(limit.saturating_add(1).min(self.by_id.len() + 1));
        for (&id, &slot) in self.by_id.iter().filter(|(id, _)| after.is_none_or(|after| **id > after)) {
            nearest.push((id, slot));
            if nearest.len() > limit {
                nearest.pop();
            }
        }
        nearest.into_sorted_vec().into_iter().map(|(_, slot)| self.slab[slot as usize].status()).collect()
    }

    /// Messages handed to the link since it was opened.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Messages dropped since the link was opened.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn take_at_once(&mut self, slot: u32, messages: u32, bytes: usize) -> bool {
        let s = &mut self.slab[slot as usize];
        let clear = s.ring.is_none() && !s.large_under_way;
        if !clear || s.spec.credit < messages || self.room == 0 {
            return false;
        }
        s.spec.credit -= messages;
        s.delivered += u64::from(messages);
        self.delivered += u64::from(messages);
        self.room = self.room.saturating_sub(bytes);
        true
    }

    fn emit(&mut self, frames: Bytes) {
        if !frames.is_empty() {
            self.outputs.push_back(Output::Frames(frames));
        }
    }

    fn pend(&mut self, slot: u32, run: Run) {
        let s = &mut self.slab[slot as usize];
        let ring = s.ring.get_or_insert_with(Box::default);
        let before = ring.bytes();
        ring.push(run);
        self.pending_bytes += ring.bytes() - before;
        // What can go goes first: the ring's bound is on what waits.
        self.enqueue_turn(slot);
        self.take_turns();
        let Some(s) = self.slab.get_mut(slot as usize) else { return };
        let Some(ring) = s.ring.as_mut() else { return };
        if ring.fits(s.spec.pending) {
            return;
        }
        let before = ring.bytes();
        let dropped = match s.spec.overflow {
            Overflow::DropOldest => ring.drop_oldest_to(s.spec.pending),
            Overflow::DropNewest => ring.drop_newest_to(s.spec.pending),
            Overflow::Close => {
                let gone = self.slab.remove(slot as usize);
                self.by_id.remove(&gone.spec.id);
                self.pending_bytes -= before;
                self.turns.retain(|&t| t != slot);
                self.untold.retain(|&t| t != slot);
                let lost = gone.ring.map_or(0, |r| r.messages());
                self.dropped += u64::from(lost);
                self.outputs.push_back(Output::Dropped(gone.spec.id, gone.dropped_untold + lost));
                self.outputs.push_back(Output::Closed(gone.spec));
                return;
            }
        };
        self.pending_bytes -= before - ring.bytes();
        if ring.is_empty() {
            s.ring = None;
        }
        s.dropped += u64::from(dropped);
        self.dropped += u64::from(dropped);
        if s.dropped_untold == 0 {
            self.untold.push(slot);
        }
        s.dropped_untold = s.dropped_untold.saturating_add(dropped);
    }

    fn enqueue_turn(&mut self, slot: u32) {
        let s = &mut self.slab[slot as usize];
        if !s.in_turn && s.ring.is_some() && s.spec.credit > 0 && !s.large_under_way {
            s.in_turn = true;
            self.turns.push_back(slot);
        }
    }

    fn take_turns(&mut self) {
        while self.room > 0 {
            let Some(slot) = self.turns.pop_front() else { return };
            // The slot may have been given to another subscription meanwhile.
            let Some(s) = self.slab.get_mut(slot as usize) else { continue };
            s.in_turn = false;
            if s.large_under_way {
                continue;
            }
            let Some(ring) = s.ring.as_mut() else { continue };
            let before = ring.bytes();
            match ring.pop(s.spec.credit.min(TURN_MESSAGES)) {
                Some(Run::Frames { bytes, messages }) => {
                    s.spec.credit -= messages;
                    s.delivered += u64::from(messages);
                    self.delivered += u64::from(messages);
                    self.room = self.room.saturating_sub(bytes.len());
                    self.outputs.push_back(Output::Frames(bytes));
                }
                Some(Run::Large(large)) => {
                    s.spec.credit -= 1;
                    s.delivered += 1;
                    self.delivered += 1;
                    s.large_under_way = true;
                    self.room = self.room.saturating_sub(large.len());
                    self.outputs.push_back(Output::Large(s.spec.id, large));
                }
                None => {}
            }
            self.pending_bytes -= before - ring.bytes();
            if ring.is_empty() {
                s.ring = None;
            }
            self.enqueue_turn(slot);
        }
    }

    /// Drops are told only while the outbox has room: a client that does not read is told when it reads again.
    fn tell_drops(&mut self) {
        if self.room == 0 {
            return;
        }
        while let Some(slot) = self.untold.pop() {
            let Some(s) = self.slab.get_mut(slot as usize) else { continue };
            let count = std::mem::take(&mut s.dropped_untold);
            if count > 0 {
                self.outputs.push_back(Output::Dropped(s.spec.id, count));
            }
        }
    }
}

fn slice_to_keep(frames: &Bytes, range: std::ops::Range<usize>) -> Bytes {
    if range.len() < COPY_BELOW_BYTES { Bytes::copy_from_slice(&frames[range]) } else { frames.slice(range) }
}

#[cfg(test)]
mod tests;
