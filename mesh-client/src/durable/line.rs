//! One producer's way to one lane: its window, and who sends from it.
//!
//! Whoever puts a batch sends it there and then, and whoever reads the link hands out the answers: as long as all is well
//! nobody else is woken. What can't be sent at once, what has to be sent again, and what is over its time is the work of
//! a task of the line's own.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use mesh_wire::batch::Producer;
use mesh_wire::chunk;
use mesh_wire::code::Code;
use mesh_wire::durable::{PutOk, put_ext};
use mesh_wire::frame::{Frame, Kind, Parts};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Sleep;

use super::window::{Failed, Window};
use crate::error::Error;
use crate::link::bulk::Order;
use crate::link::outbox::{Place, Refusal};
use crate::link::shared::Shared;

/// A batch that is kept, and who waits to hear of it.
pub(crate) type Kept = (Waiter, PutOk);

/// What a batch came to.
pub(crate) type Answer = Result<PutOk, Error>;

/// Who waits for the answer, and the room that the batch takes until then.
#[derive(Debug)]
pub(crate) struct Waiter {
    answer: oneshot::Sender<Answer>,
    room: OwnedSemaphorePermit,
    records: u32,
}

impl Waiter {
    /// For a batch of so many records.
    pub(crate) fn new(answer: oneshot::Sender<Answer>, room: OwnedSemaphorePermit, records: u32) -> Self {
        Self { answer, room, records }
    }

    fn tell(self, answer: Answer) {
        // Room first: who hears of it may put the next one at once.
        drop(self.room);
        // Whoever does not want to know is gone.
        drop(self.answer.send(answer));
    }
}

#[derive(Debug)]
pub(crate) struct Line {
    number: u32,
    lane: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    window: Window<Waiter>,
    /// The line's task, while it sleeps.
    task: Option<Waker>,
    /// Whether the task wakes by itself in time for whatever is under way.
    armed: bool,
    /// Nothing more is put; the task ends with the last answer.
    retired: bool,
    closed: bool,
}

impl Line {
    pub(crate) fn new(number: u32, lane: u64, producer: u64) -> Self {
        let state = State {
            window: Window::new(producer, Instant::now()),
            task: None,
            armed: false,
            retired: false,
            closed: false,
        };
        Self { number, lane, state: Mutex::new(state) }
    }

    /// As whom the next batch is to be encoded.
    pub(crate) fn producer(&self) -> Producer {
        self.state.lock().window.producer(Instant::now())
    }

    /// How many batches are under way.
    pub(crate) fn in_flight(&self) -> usize {
        self.state.lock().window.len()
    }

    /// Whether the link owes no answer.
    pub(crate) fn is_quiet(&self) -> bool {
        self.state.lock().window.is_quiet()
    }

    /// Puts a batch that was encoded for `producer`; gives it back when that is not whom it has to
    /// be encoded for any more.
    pub(crate) fn push(
        &self,
        shared: &Shared,
        (producer, batch): (Producer, Bytes),
        timeout: Duration,
        waiter: Waiter,
    ) -> Result<(), Waiter> {
        let now = Instant::now();
        let mut state = self.state.lock();
        if state.window.producer(now) != producer {
            return Err(waiter);
        }
        if state.closed {
            drop(state);
            waiter.tell(Err(Error::of(Code::NotConnected).with_cause("the client was closed before")));
            return Ok(());
        }
        let was_sent = state.window.is_sent();
        let records = waiter.records;
        state.window.push(batch, records, now + timeout, now, waiter);
        // What waits already is the task's to send, and this behind it.
        let is_sent = was_sent && self.send_now(shared, &mut state.window, now);
        if (was_sent && !is_sent) || !state.armed {
            wake(state);
        }
        Ok(())
    }

    /// Sends what there is as long as it is taken at once; whether that was all.
    fn send_now(&self, shared: &Shared, window: &mut Window<Waiter>, now: Instant) -> bool {
        while let Some(sending) = window.poll_send(now) {
            let ext = put_ext(self.lane);
            let (parts, body) = self.parts(&ext, sending.number, sending.timeout_ms, sending.batch);
            let order = Order::Producer(self.number);
            if !shared.outbox.try_ordered(&parts, body, order) {
                return false;
            }
            window.handle_sent(now);
        }
        window.is_sent()
    }

    /// The frame of a batch, and the batch where it needs chunks.
    fn parts<'a>(
        &self,
        ext: &'a [u8],
        sending: u32,
        timeout_ms: u32,
        batch: &'a Bytes,
    ) -> (Parts<'a>, Option<&'a Bytes>) {
        let id = u64::from(self.number) << 32 | u64::from(sending);
        let parts = Parts { ext, ..Parts::bare(Kind::Put, id).aux(timeout_ms) };
        match chunk::needs_chunks(batch.len()) {
            true => (parts, Some(batch)),
            false => (parts.body(batch), None),
        }
    }

    /// Input: `PUT_OK`s, back to back.
    pub(crate) fn handle_kept(&self, frames: &[u8], done: &mut Vec<Kept>) {
        let now = Instant::now();
        let mut state = self.state.lock();
        let mut rest = frames;
        while let Ok(Some(frame)) = Frame::decode(rest) {
            rest = &rest[frame.len()..];
            // What can't be read is no answer; the batch is sent again when its time is up.
            let Ok(kept) = PutOk::decode(frame.body()) else { continue };
            if let Some(waiter) = state.window.handle_kept(frame.id() as u32, now) {
                done.push((waiter, kept));
            }
        }
        if state.retired && state.window.is_empty() {
            wake(state);
        }
    }

    /// Input: an `ERROR` about a `PUT`.
    pub(crate) fn handle_refused(&self, id: u64, error: Error, retry_after: Duration) {
        let now = Instant::now();
        let mut state = self.state.lock();
        if error.code() == Code::SequenceForgotten {
            // It was kept, and others behind it since.
            let waiter = state.window.handle_kept(id as u32, now);
            wake(state);
            if let Some(waiter) = waiter {
                let kept = PutOk { lane: self.lane, first: 0, count: waiter.records, duplicate: true };
                waiter.tell(Ok(kept));
            }
            return;
        }
        let failed = state.window.handle_refused(id as u32, error, retry_after, now);
        wake(state);
        tell(failed);
    }

    /// Input: the link is gone.
    pub(crate) fn handle_lost(&self) {
        let mut state = self.state.lock();
        state.window.handle_lost();
        wake(state);
    }

    /// Input: there is no link ever again.
    pub(crate) fn handle_closed(&self, error: &Error) {
        let mut state = self.state.lock();
        state.closed = true;
        let failed = state.window.handle_closed(error);
        wake(state);
        tell(failed);
    }

    /// Nothing more is put.
    pub(crate) fn retire(&self) {
        let mut state = self.state.lock();
        state.retired = true;
        wake(state);
    }
}

/// Tells those whose batches were kept; outside the lock.
pub(crate) fn tell_kept(done: &mut Vec<Kept>) {
    done.drain(..).for_each(|(waiter, kept)| waiter.tell(Ok(kept)));
}

fn tell(failed: Failed<Waiter>) {
    failed.into_iter().for_each(|(waiter, error)| waiter.tell(Err(error)));
}

fn wake(mut state: MutexGuard<'_, State>) {
    let task = state.task.take();
    drop(state);
    task.into_iter().for_each(Waker::wake);
}

/// What a line's task does until nothing is put and nothing under way any more.
pub(crate) struct Errands {
    line: Arc<Line>,
    shared: Arc<Shared>,
    place: Place,
    timer: Pin<Box<Sleep>>,
}

impl Errands {
    pub(crate) fn new(line: Arc<Line>, shared: Arc<Shared>) -> Self {
        Self { line, shared, place: Place::default(), timer: Box::pin(tokio::time::sleep(Duration::ZERO)) }
    }

    /// Whether it makes sense to go on: not without a client.
    fn poll_send(&mut self, window: &mut Window<Waiter>, now: Instant, cx: &Context<'_>) -> bool {
        let Self { line, shared, place, .. } = self;
        while let Some(sending) = window.poll_send(now) {
            let ext = put_ext(line.lane);
            let (parts, body) = line.parts(&ext, sending.number, sending.timeout_ms, sending.batch);
            match shared.outbox.poll_ordered(&parts, body, Order::Producer(line.number), place, cx) {
                Poll::Ready(Ok(())) => window.handle_sent(now),
                // Woken when there is a link again. One that came up since is noticed by asking for it.
                Poll::Ready(Err(Refusal::Down)) => {
                    if shared.outbox.poll_up(place, cx).is_pending() {
                        return true;
                    }
                }
                Poll::Pending => return true,
                Poll::Ready(Err(_)) => return false,
            }
        }
        true
    }
}

impl Future for Errands {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let line = Arc::clone(&this.line);
        let mut state = line.state.lock();
        loop {
            let now = Instant::now();
            let failed = state.window.handle_time(now);
            if !failed.is_empty() {
                drop(state);
                tell(failed);
                state = line.state.lock();
                continue;
            }
            if state.closed || (state.retired && state.window.is_empty()) {
                drop(state);
                this.shared.lines.lock().remove(line.number);
                return Poll::Ready(());
            }
            if !this.poll_send(&mut state.window, now, cx) {
                state.closed = true;
                let failed = state.window.handle_closed(&Error::of(Code::ClientClosed));
                drop(state);
                tell(failed);
                state = line.state.lock();
                continue;
            }
            match &mut state.task {
                Some(task) => task.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            let Some(next) = state.window.poll_timeout() else {
                // A timer that is set anyway is left to run, so that the next batch wakes nobody.
                state.armed = state.armed && this.timer.as_mut().poll(cx).is_pending();
                return Poll::Pending;
            };
            if !state.armed || this.timer.deadline() > next.into() {
                this.timer.as_mut().reset(next.into());
                state.armed = true;
            }
            if this.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            state.armed = false;
        }
    }
}
