//! What the outbox keeps under its lock.

use std::task::{Context, Poll, Waker};

use bytes::BytesMut;
use mesh_wire::subject::{Subject, SubjectError};
use parking_lot::MutexGuard;

use super::{Epoch, OUTBOX_BYTES, Refusal};
use crate::link::bulk::Bulk;

/// Where a sender that waits is noted, so that polling it twice does not note it twice.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
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

#[derive(Debug)]
pub(super) struct State {
    pub(super) buffer: BytesMut,
    pub(super) bulk: Bulk,
    pub(super) phase: Phase,
    pub(super) epoch: Epoch,
    /// The link's task, while it has nothing to write.
    pub(super) writer: Option<Waker>,
    /// Senders that wait for room or for a connection.
    pub(super) waiting: Vec<Waker>,
    /// How often `waiting` was emptied; starts at 1, so that a fresh `Place` is never taken for noted.
    round: u64,
    /// The subject that was published to last: it is well formed.
    checked: String,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            buffer: BytesMut::new(),
            bulk: Bulk::default(),
            phase: Phase::Down,
            epoch: Epoch(0),
            writer: None,
            waiting: Vec::new(),
            round: 1,
            checked: String::new(),
        }
    }

    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.phase == Phase::Up && self.buffer.len() < OUTBOX_BYTES
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
        place: &mut Place,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Refusal>> {
        if let Some(refusal) = self.refusal() {
            return Poll::Ready(Err(refusal));
        }
        self.note(place, cx);
        Poll::Pending
    }

    pub(super) fn note(&mut self, place: &mut Place, cx: &Context<'_>) {
        if place.round == self.round {
            self.waiting[place.index].clone_from(cx.waker());
        } else {
            *place = Place { round: self.round, index: self.waiting.len() };
            self.waiting.push(cx.waker().clone());
        }
    }
}

/// Wakes outside the lock: a woken thread would run into it.
#[inline]
pub(super) fn wake_writer(mut state: MutexGuard<'_, State>) {
    let writer = state.writer.take();
    drop(state);
    if let Some(writer) = writer {
        writer.wake();
    }
}

pub(super) fn wake_waiting(mut state: MutexGuard<'_, State>) {
    if state.waiting.is_empty() {
        return wake_writer(state);
    }
    state.round += 1;
    let waiting = std::mem::take(&mut state.waiting);
    wake_writer(state);
    waiting.into_iter().for_each(Waker::wake);
}
