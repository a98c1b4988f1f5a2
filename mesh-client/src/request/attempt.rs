//! One sending of a request.

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use mesh_wire::code::Code;
use mesh_wire::frame::{Flags, Kind};
use mesh_wire::limits;
use mesh_wire::subject::Subject;

use crate::client::Client;
use crate::error::Error;
use crate::link::bulk::Order;
use crate::link::outbox::{Place, Refusal};
use crate::link::shared::Shared;
use crate::message::Message;
use crate::outgoing::Outgoing;
use crate::state::requests::Ended;

/// How much later than the node this client ends a request by itself: only a node that is stuck does not say so.
const DEADLINE_SLACK: Duration = Duration::from_millis(250);

/// When a request was asked for, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) deadline: Instant,
    timeout: Duration,
}

impl Asked {
    pub(crate) fn new(client: &Client, timeout: Option<Duration>) -> Result<Self, Error> {
        let timeout = timeout.unwrap_or(client.shared().request_timeout);
        let longest = Duration::from_millis(limits::REQUEST_TIMEOUT_MS_MAX.into());
        if timeout < Duration::from_millis(1) || timeout > longest {
            return Err(Error::of(Code::TimeoutOutOfRange).with_cause(format!("it is {timeout:?}")));
        }
        Ok(Self { deadline: Instant::now() + timeout, timeout })
    }

    /// The whole timeout, in milliseconds as frames carry them: for what is sent at once, without a look at the clock.
    pub(crate) fn timeout_ms(&self) -> u32 {
        whole_ms(self.timeout)
    }

    /// What is left of it, at least one.
    pub(crate) fn remaining_ms(&self) -> u32 {
        whole_ms(self.deadline.saturating_duration_since(Instant::now()))
    }

    /// When this client gives up by itself.
    pub(crate) fn give_up(&self) -> Instant {
        self.deadline + DEADLINE_SLACK
    }
}

/// Rounded up, and at least one.
fn whole_ms(left: Duration) -> u32 {
    let ms = left.as_secs() * 1_000 + u64::from(left.subsec_nanos().div_ceil(1_000_000));
    u32::try_from(ms).unwrap_or(u32::MAX).max(1)
}

/// Checks a request, once.
pub(crate) fn prepare(message: &mut Outgoing<'_>, shared: &Shared) -> Result<(), Error> {
    let subject = message.subject;
    Subject::check(subject.as_bytes()).map_err(|error| shared.refused(Refusal::Subject(error), subject))?;
    message.prepare(shared.body_bytes_max())
}

/// Puts a request into the outbox.
pub(crate) fn poll_send(
    shared: &Shared,
    message: &Outgoing<'_>,
    large: &Option<Bytes>,
    head: (u64, u32, Flags),
    place: &mut Place,
    cx: &Context<'_>,
) -> Poll<Result<(), Refusal>> {
    let (id, timeout_ms, flags) = head;
    let mut parts = message.parts(Kind::Request, id).aux(timeout_ms);
    parts.flags = flags;
    match large {
        Some(body) => shared.outbox.poll_large(&parts, body, Order::Free, place, cx),
        None => shared.outbox.poll_frame(&parts, place, cx),
    }
}

/// Why an attempt failed.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It was not sent.
    Refused(Refusal),
    /// It ended without a reply.
    Ended(Ended),
}

/// One sending of a request, and the wait for its reply. Dropped, it is cancelled.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    shared: &'a Shared,
    id: u64,
    asked: Asked,
    flags: Flags,
    timeout_ms: u32,
    /// The body, where it needs chunks.
    large: Option<Bytes>,
    /// Until it stands in the outbox: the place among those who wait for room.
    unsent: Option<Place>,
    done: bool,
}

impl<'a> Attempt<'a> {
    pub(crate) fn open(
        client: &'a Client,
        message: &Outgoing<'_>,
        asked: Asked,
        timeout_ms: u32,
        flags: Flags,
        cx: &Context<'_>,
    ) -> Result<Self, Error> {
        let shared: &Shared = client.shared();
        let id = shared.requests.lock().open_one(asked.give_up(), Some(cx.waker().clone()));
        let id = id.ok_or_else(|| Error::of(Code::TooManyRequests))?;
        let large = message.large_body();
        Ok(Self { shared, id, asked, flags, timeout_ms, large, unsent: Some(Place::default()), done: false })
    }

    pub(crate) fn poll_reply(
        &mut self,
        message: &Outgoing<'_>,
        cx: &Context<'_>,
    ) -> Poll<Result<Message, Failed>> {
        let mut requests = self.shared.requests.lock();
        let outcome = requests.poll_one(self.id, |waiter| match waiter {
            Some(waiter) => waiter.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        });
        if let Poll::Ready(outcome) = outcome {
            self.done = true;
            return Poll::Ready(outcome.map_err(Failed::Ended));
        }
        let Some(place) = &mut self.unsent else { return Poll::Pending };
        // Under the lock, so that a link that is lost right now takes this request with it or refuses it.
        let head = (self.id, self.timeout_ms, self.flags);
        match poll_send(self.shared, message, &self.large, head, place, cx) {
            Poll::Pending => {
                self.timeout_ms = self.asked.remaining_ms();
                Poll::Pending
            }
            Poll::Ready(Ok(())) => {
                self.unsent = None;
                Poll::Pending
            }
            Poll::Ready(Err(refusal)) => {
                requests.close(self.id);
                self.done = true;
                Poll::Ready(Err(Failed::Refused(refusal)))
            }
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        match self.unsent {
            None => self.shared.close_request(self.id),
            Some(_) => {
                self.shared.requests.lock().close(self.id);
            }
        }
    }
}
