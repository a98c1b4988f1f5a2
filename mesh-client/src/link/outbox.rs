//! What waits to be written to the link, shared by everybody who sends.
//!
//! Senders encode straight into the buffer of a lane under a short lock; the link's task takes the whole buffer, leaves
//! an empty one, and writes. It is woken only when it sleeps: who sends in a loop wakes it once. So bytes leave when the
//! queue of what is to be said runs dry, or the buffer is full, and never on a timer.
//!
//! ```text
//!  poll_publish ─► lane of Publish ─┐
//!  poll_frame ───► lane of Request ─┼─► take ─► the link's task        one lane for all where the carrier has no more
//!  push_control ─► lane of Control ─┘
//! ```
//! Each lane has its bound and its own list of who waits: one that does not move holds up nobody else.

mod spares;
mod state;

use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use mesh_wire::class::Class;
use mesh_wire::frame::{FrameError, Parts};
use mesh_wire::subject::SubjectError;
use parking_lot::{Mutex, MutexGuard};

pub(crate) use self::spares::Spares;
pub(crate) use self::state::{LaneMap, Place};
use self::state::{Phase, State, wake_all, wake_writer};
use super::bulk::Order;

/// Bytes that may wait in a lane; one frame may overshoot it. The task writes as much again at the same time.
pub(crate) const OUTBOX_BYTES: usize = 256 * 1024;
/// A chunk of a large message is added while fewer bytes than this wait in its lane.
const BULK_BELOW_BYTES: usize = 64 * 1024;

/// One connection of the client to a node, by number: what belongs to an older one is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epoch(pub(crate) u64);

/// Why something can't be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not connected right now.
    Down,
    /// Closed for good.
    Closed,
    /// It belongs to a link that is gone.
    Stale,
    /// Not a subject that can be sent to.
    Subject(SubjectError),
    /// A part over its limit.
    Frame(FrameError),
}

impl From<FrameError> for Refusal {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State::new()) }
    }

    /// Publishes; `body` fits into one frame.
    #[inline]
    pub(crate) fn poll_publish(
        &self,
        parts: &Parts<'_>,
        subject: &str,
        place: &mut Place,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Refusal>> {
        let mut state = self.state.lock();
        if let Err(error) = state.check_subject(subject) {
            return Poll::Ready(Err(Refusal::Subject(error)));
        }
        let Some(lane) = state.lane_with_room(Class::Publish) else {
            return state.wait_or_refuse(Class::Publish, place, cx);
        };
        let bulk = &state.lanes[lane].bulk;
        if !bulk.is_empty() && bulk.blocks(Order::Subject(subject)) {
            return state.wait_or_refuse(Class::Publish, place, cx);
        }
        let encoded = state.encode(lane, parts);
        wake_writer(state, lane);
        Poll::Ready(encoded.map_err(Refusal::Frame))
    }

    /// Sends a frame that waits for room like any message, but has no order with others.
    pub(crate) fn poll_frame(
        &self,
        parts: &Parts<'_>,
        place: &mut Place,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Refusal>> {
        let class = parts.kind.class();
        let mut state = self.state.lock();
        let Some(lane) = state.lane_with_room(class) else {
            return state.wait_or_refuse(class, place, cx);
        };
        let encoded = state.encode(lane, parts);
        wake_writer(state, lane);
        Poll::Ready(encoded.map_err(Refusal::Frame))
    }

    /// Takes a message whose body needs chunks. Once taken, it is sent whole whatever becomes of the sender.
    pub(crate) fn poll_large(
        &self,
        parts: &Parts<'_>,
        body: &Bytes,
        order: Order<'_>,
        place: &mut Place,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Refusal>> {
        let class = Class::of_large(parts.kind);
        let mut state = self.state.lock();
        if let Order::Subject(subject) = order
            && let Err(error) = state.check_subject(subject)
        {
            return Poll::Ready(Err(Refusal::Subject(error)));
        }
        let Some(lane) = state.lane_with_room(class) else {
            return state.wait_or_refuse(class, place, cx);
        };
        if !state.lanes[lane].bulk.has_room(order) {
            return state.wait_or_refuse(class, place, cx);
        }
        state.lanes[lane].bulk.push(order, parts, body.clone());
        wake_writer(state, lane);
        Poll::Ready(Ok(()))
    }

    /// Sends a frame behind others of its `order`; `large` is the body when it needs chunks.
    #[cfg(feature = "registers")]
    pub(crate) fn poll_ordered(
        &self,
        parts: &Parts<'_>,
        large: Option<&Bytes>,
        order: Order<'_>,
        place: &mut Place,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Refusal>> {
        let mut state = self.state.lock();
        let Some(lane) = state.lane_for(parts.kind, large.is_some(), order) else {
            return state.wait_or_refuse(parts.kind.class(), place, cx);
        };
        Poll::Ready(add(state, lane, parts, large, order))
    }

    /// As [`Outbox::poll_ordered`], for whoever does not wait. `false` when it is not sent.
    #[cfg(feature = "registers")]
    #[must_use]
    pub(crate) fn try_ordered(&self, parts: &Parts<'_>, large: Option<&Bytes>, order: Order<'_>) -> bool {
        let state = self.state.lock();
        match state.lane_for(parts.kind, large.is_some(), order) {
            Some(lane) => add(state, lane, parts, large, order).is_ok(),
            None => false,
        }
    }

    /// Sends a reply on the link that its call came by; `large` is the body when it needs chunks.
    pub(crate) fn poll_reply(
        &self,
        epoch: Epoch,
        parts: &Parts<'_>,
        large: Option<&Bytes>,
        place: &mut Place,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Refusal>> {
        let mut state = self.state.lock();
        if state.epoch != epoch || !state.is_linked() {
            return Poll::Ready(Err(Refusal::Stale));
        }
        let class = if large.is_some() { Class::of_large(parts.kind) } else { parts.kind.class() };
        let lane = state.map.lane(class);
        let (order, bulk) = (Order::Call(parts.id), &state.lanes[lane].bulk);
        let blocked = match large {
            Some(_) => !bulk.has_room(order),
            None => !bulk.is_empty() && bulk.blocks(order),
        };
        if blocked || !state.lanes[lane].has_room() {
            state.note(lane, place, cx);
            return Poll::Pending;
        }
        let encoded = match large {
            Some(body) => {
                state.lanes[lane].bulk.push(order, parts, body.clone());
                Ok(())
            }
            None => state.encode(lane, parts),
        };
        wake_writer(state, lane);
        Poll::Ready(encoded.map_err(Refusal::Frame))
    }

    /// Sends a frame that the protocol needs (credit, cancel, …) whatever waits; without a link it is forgotten,
    /// because what it is about is gone too.
    pub(crate) fn push_control(&self, parts: &Parts<'_>) {
        let state = self.state.lock();
        if state.is_linked() {
            push(state, parts);
        }
    }

    /// As [`Outbox::push_control`], for what belongs to one link only.
    pub(crate) fn push_on(&self, epoch: Epoch, parts: &Parts<'_>) {
        let state = self.state.lock();
        if state.epoch == epoch && state.is_linked() {
            push(state, parts);
        }
    }

    /// Sends a frame at once whatever waits, or says why not. The link that it goes to.
    pub(crate) fn try_control(&self, parts: &Parts<'_>) -> Result<Epoch, Refusal> {
        let mut state = self.state.lock();
        state.refusal().map_or(Ok(()), Err)?;
        let lane = state.map.lane(parts.kind.class());
        state.encode(lane, parts)?;
        let epoch = state.epoch;
        wake_writer(state, lane);
        Ok(epoch)
    }

    /// The classes that have to be asked about so that all that was sent is asked about: one for each lane in use.
    pub(crate) fn classes_in_use(&self) -> Vec<Class> {
        let state = self.state.lock();
        let mut seen = 0u8;
        let mut classes = Class::ALL.to_vec();
        classes.retain(|class| {
            let bit = 1 << state.map.lane(*class);
            let keep = seen & bit == 0 && (*class == Class::Control || state.used & bit != 0);
            seen |= bit;
            keep
        });
        classes
    }

    /// Sends a frame in the lane of `class`, behind the large messages that were taken there before the first poll,
    /// which smaller frames overtake otherwise. `behind` is `None` at the first poll.
    pub(crate) fn poll_behind(
        &self,
        class: Class,
        parts: &Parts<'_>,
        behind: &mut Option<Option<u32>>,
        place: &mut Place,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Refusal>> {
        let mut state = self.state.lock();
        if let Some(refusal) = state.refusal() {
            return Poll::Ready(Err(refusal));
        }
        let lane = state.map.lane(class);
        let bulk = &state.lanes[lane].bulk;
        let newest = *behind.get_or_insert_with(|| bulk.newest());
        if newest.is_some_and(|newest| bulk.holds(newest)) {
            state.note(lane, place, cx);
            return Poll::Pending;
        }
        let encoded = state.encode(lane, parts);
        wake_writer(state, lane);
        Poll::Ready(encoded.map_err(Refusal::Frame))
    }

    /// For a sender that waits until the link is up; ready then.
    pub(crate) fn poll_up(&self, place: &mut Place, cx: &Context<'_>) -> Poll<Result<(), Refusal>> {
        let mut state = self.state.lock();
        match state.phase {
            Phase::Up => Poll::Ready(Ok(())),
            Phase::Closed => Poll::Ready(Err(Refusal::Closed)),
            Phase::Down | Phase::Paused => {
                state.note(0, place, cx);
                Poll::Pending
            }
        }
    }

    /// For the link's task: what waits for each lane whose bytes in `writing` are all written. Whether there was
    /// anything; if not, it is woken when there is.
    pub(crate) fn take(&self, writing: &mut [Bytes], spares: &mut Spares, cx: &Context<'_>) -> bool {
        let mut woken: Vec<Waker> = Vec::new();
        let (mut taken, mut listening) = (false, 0);
        let mut state = self.state.lock();
        for (index, (lane, bytes)) in state.lanes.iter_mut().zip(writing).enumerate() {
            if !bytes.is_empty() {
                continue;
            }
            lane.fill();
            if lane.buffer.is_empty() {
                listening |= 1 << index;
                continue;
            }
            let empty = spares.take(lane.buffer.len());
            *bytes = std::mem::replace(&mut lane.buffer, empty).freeze();
            lane.take_waiting(&mut woken);
            taken = true;
        }
        if !taken {
            state.listening = listening;
            match &mut state.writer {
                Some(writer) => writer.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
        }
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        taken
    }

    /// Whether nothing waits to be written.
    pub(crate) fn is_empty(&self) -> bool {
        self.state.lock().lanes.iter().all(|lane| lane.is_empty())
    }

    /// The link is open, with lanes as `map` says: `restore` goes out before anything else. New messages wait for
    /// [`Outbox::resume`] unless it is `ready`.
    pub(crate) fn up(&self, epoch: Epoch, map: LaneMap, restore: BytesMut, ready: bool) {
        let mut state = self.state.lock();
        if state.phase == Phase::Closed {
            return;
        }
        state.phase = if ready { Phase::Up } else { Phase::Paused };
        state.epoch = epoch;
        state.map = map;
        state.used = 0;
        state.lanes.iter_mut().for_each(|lane| lane.clear());
        let control = map.lane(Class::Control);
        state.lanes[control].buffer = restore;
        wake_all(state);
    }

    /// New messages need not wait any more.
    pub(crate) fn resume(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::Paused {
            state.phase = Phase::Up;
            wake_all(state);
        }
    }

    /// New messages wait from here on, until [`Outbox::up`] or [`Outbox::down`].
    pub(crate) fn pause(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::Up {
            state.phase = Phase::Paused;
        }
    }

    /// The link is gone, and what waited with it.
    pub(crate) fn down(&self) {
        self.leave(Phase::Down);
    }

    /// Nothing is taken ever again.
    pub(crate) fn close(&self) {
        self.leave(Phase::Closed);
    }

    fn leave(&self, phase: Phase) {
        let mut state = self.state.lock();
        if state.phase == Phase::Closed {
            return;
        }
        state.phase = phase;
        state.lanes.iter_mut().for_each(|lane| lane.clear());
        wake_all(state);
    }
}

#[cfg(feature = "registers")]
fn add(
    mut state: MutexGuard<'_, State>,
    lane: usize,
    parts: &Parts<'_>,
    large: Option<&Bytes>,
    order: Order<'_>,
) -> Result<(), Refusal> {
    match large {
        Some(body) => state.lanes[lane].bulk.push(order, parts, body.clone()),
        None => state.encode(lane, parts)?,
    }
    wake_writer(state, lane);
    Ok(())
}

fn push(mut state: MutexGuard<'_, State>, parts: &Parts<'_>) {
    let lane = state.map.lane(parts.kind.class());
    let encoded = state.encode(lane, parts);
    debug_assert!(encoded.is_ok(), "control frames are small");
    wake_writer(state, lane);
}

#[cfg(test)]
mod tests;
