//! Where a data thread's messages meet their routes.
//!
//! ```text
//!   frame ─► match cache ─► routes ─┬─► batch for link 7 ─┐
//!                                   ├─► batch for link 9 ─┼─ flush: one mailbox message per link
//!                                   └─► …                 ┘
//! ```
//! One per data thread, used by the reader tasks and the subscriber actors of that thread, never across an await.
//! Between [`Switch::begin`] and [`Switch::flush`] everything goes by one snapshot.

use std::{rc::Rc, sync::Arc, time::Instant};

use bytes::BytesMut;
use mesh_core::{
    balancer::{self, Balancer},
    cache::{CACHE_TARGETS, MatchCache},
    large::Large,
    request::{Origin, Targets},
    routing::{LinkId, Routes, SubscriptionId, Target},
};
use mesh_wire::{
    code::Code,
    frame::{Flags, Frame, Kind, Parts},
    subject::SubjectError,
};

use crate::{
    shared::Shared,
    snapshot::{Gauge, LinkHandle, Snapshot},
    subscriber::message::{CancelCall, DeliverLarge, GrantReplies},
};

mod round;

use round::Round;
pub(crate) use round::{CallSpan, ReplySpan};

/// A message for a group, or a request, chooses its receiver here and nowhere else.
pub(crate) struct Switch {
    shared: Arc<Shared>,
    snapshot: Arc<Snapshot>,
    cache: MatchCache,
    balancer: Balancer,
    round: Round,
    lookups: u64,
    misses_told: u64,
}

/// What became of a published message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Published {
    /// Subscriptions that it was sent to.
    pub(crate) receivers: u32,
    /// Subscriptions that it should have been sent to, on links that have just gone.
    pub(crate) lost: u32,
}

impl Switch {
    pub(crate) fn new(shared: Arc<Shared>, thread: usize) -> Self {
        let snapshot = shared.snapshot.load_full();
        let seed = thread_seed(shared.seed, thread);
        let cache = MatchCache::with_bounds(seed, shared.config.match_cache.entries, CACHE_TARGETS);
        let balancer = Balancer::new(balancer::Options::default(), seed);
        Self { shared, snapshot, cache, balancer, round: Round::default(), lookups: 0, misses_told: 0 }
    }

    /// Takes up the newest snapshot, and lets the balancer do what is due.
    pub(crate) fn begin(&mut self) {
        self.take_snapshot();
        let now = Instant::now();
        if self.balancer.poll_timeout().is_some_and(|due| due <= now) {
            self.balancer.handle_timeout(now);
        }
    }

    #[inline]
    fn take_snapshot(&mut self) {
        if !Arc::ptr_eq(&self.snapshot, &*self.shared.snapshot.load()) {
            self.snapshot = self.shared.snapshot.load_full();
        }
    }

    /// Adds a published frame to the batches of all who want it.
    #[inline]
    pub(crate) fn publish(&mut self, frame: &Frame<'_>) -> Result<Published, SubjectError> {
        self.lookups += 1;
        let routes = Rc::clone(self.cache.lookup(&self.snapshot.table, frame.subject())?);
        let mut published = Published::default();
        for &target in &routes.events {
            published.count(self.round.deliver(&self.snapshot, target, frame));
        }
        for group in &routes.event_groups {
            if let Some(target) = self.balancer.choose_any(&group.members) {
                published.count(self.round.deliver(&self.snapshot, target, frame));
            }
        }
        Ok(published)
    }

    /// Sends a large published message to all who want it.
    pub(crate) fn publish_large(&mut self, large: &Large) -> Result<Published, SubjectError> {
        self.lookups += 1;
        let routes = Rc::clone(self.cache.lookup(&self.snapshot.table, &large.subject)?);
        let chosen = routes.event_groups.iter().filter_map(|g| self.balancer.choose_any(&g.members));
        let targets: Vec<Target> = routes.events.iter().copied().chain(chosen).collect();
        let mut published = Published::default();
        for target in targets {
            let flags = large.flags.without(Flags::MORE);
            let id = u64::from(target.subscription.0);
            let large = Large { kind: Kind::Deliver, flags, aux: 0, id, ..large.clone() };
            let bytes = large.len();
            let sent = self.link(target.link).is_some_and(|link| {
                link.gauge.sent(bytes);
                let message = DeliverLarge { subscription: target.subscription, large };
                link.subscriber.try_send(message).inspect_err(|_| link.gauge.received(bytes)).is_ok()
            });
            published.count(sent);
        }
        Ok(published)
    }

    /// Everyone who could answer a request for `subject`.
    pub(crate) fn responders(&mut self, subject: &[u8]) -> Result<Rc<Routes>, SubjectError> {
        self.lookups += 1;
        self.cache.lookup(&self.snapshot.table, subject).map(Rc::clone)
    }

    /// The one responder that gets a request.
    pub(crate) fn choose_one(&mut self, now: Instant, routes: &Routes) -> Option<Target> {
        match (&*routes.responders, &*routes.responder_groups) {
            ([], [group]) => self.balancer.choose(now, &group.members),
            (alone, []) => self.balancer.choose(now, alone),
            (alone, groups) => {
                let members = groups.iter().flat_map(|g| g.members.iter());
                let all: Vec<Target> = alone.iter().chain(members).copied().collect();
                self.balancer.choose(now, &all)
            }
        }
    }

    /// All who get a gathering request: one member of each group, and everyone without a group.
    pub(crate) fn choose_all(&mut self, now: Instant, routes: &Routes) -> Targets {
        let chosen = routes.responder_groups.iter().filter_map(|g| self.balancer.choose(now, &g.members));
        let mut targets: Targets = routes.responders.iter().copied().chain(chosen).collect();
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// Hits and misses of the match cache since this was asked last.
    pub(crate) fn take_lookups(&mut self) -> (u64, u64) {
        let misses = self.cache.misses() - self.misses_told;
        self.misses_told = self.cache.misses();
        (std::mem::take(&mut self.lookups).saturating_sub(misses), misses)
    }

    /// The balancer, to be told how calls went.
    pub(crate) fn balancer(&mut self) -> &mut Balancer {
        &mut self.balancer
    }

    /// Adds a call to the batch of its responder's link; false when that link has just gone.
    pub(crate) fn call(&mut self, target: Target, request: u64, credit: u32, parts: &Parts<'_>) -> bool {
        self.round.call(&self.snapshot, target, request, credit, parts)
    }

    /// Adds a reply to the batch of its requester's link; false when that link has gone.
    pub(crate) fn reply(
        &mut self,
        origin: Origin,
        from: SubscriptionId,
        more: bool,
        parts: &Parts<'_>,
    ) -> bool {
        self.round.reply(&self.snapshot, origin, from, more, parts)
    }

    /// Tells responders that nobody waits for a request any more.
    pub(crate) fn cancel(&self, origin: Origin, targets: &[Target]) {
        for target in targets {
            // A responder that can't be told answers into the void: its reply is counted as late.
            if let Some(link) = self.link(target.link) {
                link.subscriber.do_send(CancelCall { origin, subscription: target.subscription });
            }
        }
    }

    /// Passes credit for replies on to a responder.
    pub(crate) fn grant(&self, origin: Origin, target: Target, more: u32) {
        if let Some(link) = self.link(target.link) {
            link.subscriber.do_send(GrantReplies { origin, subscription: target.subscription, more });
        }
    }

    /// A link of this node.
    pub(crate) fn link(&self, id: LinkId) -> Option<&LinkHandle> {
        self.snapshot.links.get(&id)
    }

    /// Sends every batch of this round. `from` and its `load` go with calls and replies.
    ///
    /// Gauges of links that have too much queued are added to `crowded`, so that a publisher can hold back. What a
    /// mailbox refused is given back, so that it can be counted and told.
    pub(crate) fn flush(&mut self, from: LinkId, load: u32, crowded: &mut Vec<Arc<Gauge>>) -> Unsent {
        self.round.flush(from, load, self.shared.config.pacing.high_water, crowded)
    }
}

/// What mailboxes refused.
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    pub(crate) messages: u64,
    pub(crate) calls: Vec<(u64, Target, Code)>,
    pub(crate) replies: u64,
}

impl Published {
    fn count(&mut self, sent: bool) {
        if sent { self.receivers += 1 } else { self.lost += 1 }
    }
}

/// A seed of its own for each thread, so that threads do not choose in step.
fn thread_seed(seed: u64, thread: usize) -> u64 {
    seed ^ (thread as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Room for the frames of a round.
pub(super) fn room(spare: &mut Vec<BytesMut>, need: usize) -> BytesMut {
    match spare.pop() {
        Some(buffer) if buffer.capacity() >= need => buffer,
        _ => BytesMut::with_capacity(round::BUFFER_BYTES.max(need)),
    }
}
