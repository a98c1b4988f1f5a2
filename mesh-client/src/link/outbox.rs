//! What waits to be written to the link, shared by everybody who sends.
//!
//! Senders encode straight into one buffer under a short lock; the link's task takes the whole buffer, leaves an empty
//! one, and writes. It is woken only when it sleeps: who sends in a loop wakes it once. So bytes leave when the queue
//! of what is to be said runs dry, or the buffer is full, and never on a timer.

mod state;

use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use mesh_wire::frame::{FrameError, Parts};
use mesh_wire::subject::SubjectError;
use parking_lot::Mutex;

pub(crate) use self::state::Place;
use self::state::{Phase, State, wake_waiting, wake_writer};
use super::bulk::{Bulk, Lane};

/// Bytes that may wait; one frame may overshoot it. The task writes as much again at the same time.
pub(crate) const OUTBOX_BYTES: usize = 256 * 1024;
/// A chunk of a large message is added while fewer bytes than this wait.
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
        if !state.has_room() || (!state.bulk.is_empty() && state.bulk.blocks(Lane::Subject(subject))) {
            return state.wait_or_refuse(place, cx);
        }
        let encoded = parts.encode(&mut state.buffer);
        wake_writer(state);
        Poll::Ready(encoded.map_err(Refusal::Frame))
    }

    /// Sends a frame that waits for room like any message, but has no order with others.
    pub(crate) fn poll_frame(
        &self,
        parts: &Parts<'_>,
        place: &mut Place,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Refusal>> {
        let mut state = self.state.lock();
        if !state.has_room() {
            return state.wait_or_refuse(place, cx);
        }
        let encoded = parts.encode(&mut state.buffer);
        wake_writer(state);
        Poll::Ready(encoded.map_err(Refusal::Frame))
    }

    /// Takes a message whose body needs chunks. Once taken, it is sent whole whatever becomes of the sender.
    pub(crate) fn poll_large(
        &self,
        parts: &Parts<'_>,
        body: &Bytes,
        lane: Lane<'_>,
        place: &mut Place,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Refusal>> {
        let mut state = self.state.lock();
        if let Lane::Subject(subject) = lane
            && let Err(error) = state.check_subject(subject)
        {
            return Poll::Ready(Err(Refusal::Subject(error)));
        }
        if !state.has_room() || !state.bulk.has_room(lane) {
            return state.wait_or_refuse(place, cx);
        }
        state.bulk.push(lane, parts, body.clone());
        wake_writer(state);
        Poll::Ready(Ok(()))
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
        if state.epoch != epoch || !matches!(state.phase, Phase::Up | Phase::Paused) {
            return Poll::Ready(Err(Refusal::Stale));
        }
        let lane = Lane::Call(parts.id);
        let blocked = match large {
            Some(_) => !state.bulk.has_room(lane),
            None => !state.bulk.is_empty() && state.bulk.blocks(lane),
        };
        if blocked || state.buffer.len() >= OUTBOX_BYTES {
            state.note(place, cx);
            return Poll::Pending;
        }
        let encoded = match large {
            Some(body) => {
                state.bulk.push(lane, parts, body.clone());
                Ok(())
            }
            None => parts.encode(&mut state.buffer),
        };
        wake_writer(state);
        Poll::Ready(encoded.map_err(Refusal::Frame))
    }

    /// Sends a frame that the protocol needs (credit, cancel, …) whatever waits; without a link it is forgotten,
    /// because what it is about is gone too.
    pub(crate) fn push_control(&self, parts: &Parts<'_>) {
        let mut state = self.state.lock();
        if !matches!(state.phase, Phase::Up | Phase::Paused) {
            return;
        }
        let encoded = parts.encode(&mut state.buffer);
        debug_assert!(encoded.is_ok(), "control frames are small");
        wake_writer(state);
    }

    /// As [`Outbox::push_control`], for what belongs to one link only.
    pub(crate) fn push_on(&self, epoch: Epoch, parts: &Parts<'_>) {
        let mut state = self.state.lock();
        if state.epoch != epoch || !matches!(state.phase, Phase::Up | Phase::Paused) {
            return;
        }
        let encoded = parts.encode(&mut state.buffer);
        debug_assert!(encoded.is_ok(), "control frames are small");
        wake_writer(state);
    }

    /// Sends a frame at once whatever waits, or says why not. The link that it goes to.
    pub(crate) fn try_control(&self, parts: &Parts<'_>) -> Result<Epoch, Refusal> {
        let mut state = self.state.lock();
        state.refusal().map_or(Ok(()), Err)?;
        parts.encode(&mut state.buffer)?;
        let epoch = state.epoch;
        wake_writer(state);
        Ok(epoch)
    }

    /// Sends a frame behind the large messages that were taken before the first poll, which smaller frames overtake
    /// otherwise. `behind` is `None` at the first poll.
    pub(crate) fn poll_behind(
        &self,
        parts: &Parts<'_>,
        behind: &mut Option<Option<u32>>,
        place: &mut Place,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Refusal>> {
        let mut state = self.state.lock();
        if let Some(refusal) = state.refusal() {
            return Poll::Ready(Err(refusal));
        }
        let newest = *behind.get_or_insert_with(|| state.bulk.newest());
        if newest.is_some_and(|newest| state.bulk.holds(newest)) {
            state.note(place, cx);
            return Poll::Pending;
        }
        let encoded = parts.encode(&mut state.buffer);
        wake_writer(state);
        Poll::Ready(encoded.map_err(Refusal::Frame))
    }

    /// For a sender that waits until the link is up; ready then.
    pub(crate) fn poll_up(&self, place: &mut Place, cx: &Context<'_>) -> Poll<Result<(), Refusal>> {
        let mut state = self.state.lock();
        match state.phase {
            Phase::Up => Poll::Ready(Ok(())),
            Phase::Closed => Poll::Ready(Err(Refusal::Closed)),
            Phase::Down | Phase::Paused => {
                state.note(place, cx);
                Poll::Pending
            }
        }
    }

    /// For the link's task: swaps what waits against `empty`; notes whom to wake when nothing does.
    pub(crate) fn poll_take(&self, empty: &mut BytesMut, cx: &Context<'_>) -> Poll<()> {
        debug_assert!(empty.is_empty());
        let mut state = self.state.lock();
        while !state.bulk.is_empty() && state.buffer.len() < BULK_BELOW_BYTES {
            let State { bulk, buffer, .. } = &mut *state;
            bulk.poll_chunk(buffer);
        }
        if state.buffer.is_empty() {
            match &mut state.writer {
                Some(writer) => writer.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
        std::mem::swap(&mut state.buffer, empty);
        wake_waiting(state);
        Poll::Ready(())
    }

    /// Whether nothing waits to be written.
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.state.lock();
        state.buffer.is_empty() && state.bulk.is_empty()
    }

    /// The link is open: `restore` goes out before anything else. New messages wait for [`Outbox::resume`] unless it is
    /// `ready`.
    pub(crate) fn up(&self, epoch: Epoch, restore: BytesMut, ready: bool) {
        let mut state = self.state.lock();
        if state.phase == Phase::Closed {
            return;
        }
        state.phase = if ready { Phase::Up } else { Phase::Paused };
        state.epoch = epoch;
        state.buffer = restore;
        state.bulk = Bulk::default();
        wake_waiting(state);
    }

    /// New messages need not wait any more.
    pub(crate) fn resume(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::Paused {
            state.phase = Phase::Up;
            wake_waiting(state);
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
        state.buffer = BytesMut::new();
        state.bulk = Bulk::default();
        wake_waiting(state);
    }
}

#[cfg(test)]
mod tests;
