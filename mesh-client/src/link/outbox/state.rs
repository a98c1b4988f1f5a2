//! What the outbox keeps under its lock.

use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use mesh_transport::link::Outbound;
use mesh_wire::class::Class;
#[cfg(feature = "registers")]
use mesh_wire::frame::Kind;
use mesh_wire::frame::{FrameError, Parts};
use mesh_wire::subject::{Subject, SubjectError};
use parking_lot::MutexGuard;

use super::{BULK_BELOW_BYTES, Epoch, OUTBOX_BYTES, Refusal};
use crate::link::bulk::Bulk;
#[cfg(feature = "registers")]
use crate::link::bulk::Order;

/// Where a sender that waits is noted, so that polling it twice does not note it twice.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    lane: usize,
    round: u64,
    index: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Down,
    Up,
    /// Connected, but new messages wait: subscriptions are being restored, or the client changes to another node.
    Paused,
    Closed,
}

/// Which lane carries which class, on one link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LaneMap([usize; Class::COUNT]);

impl LaneMap {
    /// One lane for everything.
    pub(crate) const SHARED: Self = Self([0; Class::COUNT]);

    /// A lane for each class.
    #[cfg(test)]
    pub(crate) const EACH: Self = Self([0, 1, 2, 3, 4, 5]);

    pub(crate) fn of(outbound: &Outbound) -> Self {
        Self(Class::ALL.map(|class| outbound.lane_of(class).min(Class::COUNT - 1)))
    }

    #[inline]
    pub(crate) fn lane(&self, class: Class) -> usize {
        self.0[class.index()]
    }
}

/// What waits for one lane.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) buffer: BytesMut,
    pub(super) bulk: Bulk,
    /// Senders that wait for room or for a connection.
    pub(super) waiting: Vec<Waker>,
    /// How often `waiting` was emptied; starts at 1, so that a fresh [`Place`] is never taken for noted.
    round: u64,
}

impl Lane {
    fn new() -> Self {
        Self { buffer: BytesMut::new(), bulk: Bulk::default(), waiting: Vec::new(), round: 1 }
    }

    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.buffer.len() < OUTBOX_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty() && self.bulk.is_empty()
    }

    /// Adds chunks of large messages while there is little else.
    pub(super) fn fill(&mut self) {
        while !self.bulk.is_empty() && self.buffer.len() < BULK_BELOW_BYTES {
            self.bulk.poll_chunk(&mut self.buffer);
        }
    }

    pub(super) fn clear(&mut self) {
        self.buffer = BytesMut::new();
        self.bulk = Bulk::default();
    }

    /// Those who wait; to be woken outside the lock.
    pub(super) fn take_waiting(&mut self, into: &mut Vec<Waker>) {
        if !self.waiting.is_empty() {
            self.round += 1;
            into.append(&mut self.waiting);
        }
    }
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) lanes: [Lane; Class::COUNT],
    pub(super) map: LaneMap,
    pub(super) phase: Phase,
    pub(super) epoch: Epoch,
    /// The link's task, while it has nothing to write to the lanes of `listening`.
    pub(super) writer: Option<Waker>,
    /// A bit for each lane whose next bytes the link's task waits for.
    pub(super) listening: u8,
    /// A bit for each lane that something was sent on since the link came up.
    pub(super) used: u8,
    /// The subject that was published to last: it is well formed.
    checked: String,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            lanes: std::array::from_fn(|_| Lane::new()),
            map: LaneMap::SHARED,
            phase: Phase::Down,
            epoch: Epoch(0),
            writer: None,
            listening: 0,
            used: 0,
            checked: String::new(),
        }
    }

    /// The lane of `class`, if messages may be sent and it has room for more.
    #[inline]
    pub(super) fn lane_with_room(&self, class: Class) -> Option<usize> {
        let lane = self.map.lane(class);
        (self.phase == Phase::Up && self.lanes[lane].has_room()).then_some(lane)
    }

    /// The lane for a frame that stays behind others of its order, if it can be sent now.
    #[cfg(feature = "registers")]
    pub(super) fn lane_for(&self, kind: Kind, large: bool, order: Order<'_>) -> Option<usize> {
        let class = if large { Class::of_large(kind) } else { kind.class() };
        let lane = self.lane_with_room(class)?;
        let bulk = &self.lanes[lane].bulk;
        let free = if large { bulk.has_room(order) } else { bulk.is_empty() || !bulk.blocks(order) };
        free.then_some(lane)
    }

    /// Whether there is a link, for what belongs to it.
    #[inline]
    pub(super) fn is_linked(&self) -> bool {
        matches!(self.phase, Phase::Up | Phase::Paused)
    }

    #[inline]
    pub(super) fn encode(&mut self, lane: usize, parts: &Parts<'_>) -> Result<(), FrameError> {
        parts.encode(&mut self.lanes[lane].buffer).map(drop)
    }

    #[inline]
    pub(super) fn check_subject(&mut self, subject: &str) -> Result<(), SubjectError> {
        if self.checked != subject {
            Subject::check_unreserved(subject.as_bytes())?;
            self.checked.clear();
            self.checked.push_str(subject);
        }
        Ok(())
    }

    pub(super) fn refusal(&self) -> Option<Refusal> {
        match self.phase {
            Phase::Down => Some(Refusal::Down),
            Phase::Closed => Some(Refusal::Closed),
            Phase::Up | Phase::Paused => None,
        }
    }

    #[cold]
    pub(super) fn wait_or_refuse(
        &mut self,
        class: Class,
        place: &mut Place,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Refusal>> {
        if let Some(refusal) = self.refusal() {
            return Poll::Ready(Err(refusal));
        }
        self.note(self.map.lane(class), place, cx);
        Poll::Pending
    }

    pub(super) fn note(&mut self, lane: usize, place: &mut Place, cx: &Context<'_>) {
        let noted = place.lane == lane;
        let (round, waiting) = (self.lanes[lane].round, &mut self.lanes[lane].waiting);
        if noted && place.round == round {
            waiting[place.index].clone_from(cx.waker());
        } else {
            *place = Place { lane, round, index: waiting.len() };
            waiting.push(cx.waker().clone());
        }
    }
}

/// Wakes the link's task if it waits for bytes of `lane`; outside the lock, which a woken thread would run into.
#[inline]
pub(super) fn wake_writer(mut state: MutexGuard<'_, State>, lane: usize) {
    let bit = 1 << lane;
    state.used |= bit;
    if state.listening & bit == 0 {
        return;
    }
    state.listening = 0;
    let writer = state.writer.take();
    drop(state);
    if let Some(writer) = writer {
        writer.wake();
    }
}

/// Wakes everybody: the link or what may be sent has changed.
pub(super) fn wake_all(mut state: MutexGuard<'_, State>) {
    let mut woken = Vec::new();
    state.lanes.iter_mut().for_each(|lane| lane.take_waiting(&mut woken));
    state.listening = 0;
    woken.extend(state.writer.take());
    drop(state);
    woken.into_iter().for_each(Waker::wake);
}
