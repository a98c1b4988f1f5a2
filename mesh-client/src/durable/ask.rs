//! What may be asked twice: it is asked again until there is an answer, or its time is up.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mesh_wire::code::Code;
use mesh_wire::frame::{Kind, Parts};

use crate::answer::ended_error;
use crate::client::Client;
use crate::durable::patience::What;
use crate::error::Error;
use crate::link::outbox::{Place, Refusal};
use crate::link::shared::Shared;
use crate::request::attempt::Asked;
use crate::state::requests::Ended;

/// The wait before it is asked again; it doubles each time, up to [`RETRY_DELAY_MAX`].
const RETRY_DELAY: Duration = Duration::from_millis(5);
/// The longest wait before it is asked again.
const RETRY_DELAY_MAX: Duration = Duration::from_millis(200);
/// How long one node may take: then another one may know better.
const ATTEMPT: Duration = Duration::from_secs(5);
/// How often in a row something that is not known is asked for again: a node may hear of it later than others.
const UNDECLARED_MAX: u32 = 4;
/// As before, for what was declared: it was there.
const DECLARED_MAX: u32 = 10;

/// Asks by a frame of `kind` with this body; `what` names it in errors. The body of the answer.
///
/// # Errors
/// Why there is none: the last refusal, when the time was up.
///
/// # Cancel safety
/// Safe: what was asked may be done all the same.
pub(crate) async fn ask(
    client: &Client,
    kind: Kind,
    body: &[u8],
    timeout: Duration,
    what: &str,
) -> Result<Bytes, Error> {
    let asked = Asked::new(client, Some(timeout))?;
    let mut retries = 0;
    loop {
        let until = asked.deadline.min(Instant::now() + ATTEMPT);
        let error = match attempt(client.shared(), kind, body, until).await {
            Ok(answer) => {
                client.shared().patience.handle_served(What::Asked);
                return Ok(answer);
            }
            Err(Failed::Refused(refusal)) => client.shared().refused(refusal, what),
            Err(Failed::Ended(ended)) => ended_error(ended, what),
        };
        client.shared().patience.handle_refused(What::Asked, error.code(), Instant::now());
        let delay = (RETRY_DELAY * (1 << retries.min(8_u32))).min(RETRY_DELAY_MAX);
        let code = error.code();
        let again = match code {
            Code::LaneUndeclared if kind == Kind::Declare => retries < UNDECLARED_MAX,
            Code::LaneUndeclared => retries < DECLARED_MAX,
            Code::ClientClosed | Code::ReconnectGaveUp => false,
            _ => code.is_retryable() || code.leaves_outcome_unknown(),
        };
        if !again || Instant::now() + delay >= asked.deadline {
            return Err(error);
        }
        retries += 1;
        tokio::time::sleep(delay).await;
        if code == Code::NotConnected {
            // Not longer than there is time: the next attempt says what is wrong then.
            drop(tokio::time::timeout_at(asked.deadline.into(), linked(client.shared())).await);
        }
    }
}

async fn linked(shared: &Shared) -> Result<(), Refusal> {
    let mut place = Place::default();
    poll_fn(|cx| shared.outbox.poll_up(&mut place, cx)).await
}

enum Failed {
    Refused(Refusal),
    Ended(Ended),
}

/// Forgets what was asked when nobody waits any more.
struct Open<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.shared.requests.lock().close(self.id);
    }
}

async fn attempt(shared: &Shared, kind: Kind, body: &[u8], until: Instant) -> Result<Bytes, Failed> {
    /// How much longer than the node this side waits.
    const SLACK: Duration = Duration::from_millis(250);
    let left = until.saturating_duration_since(Instant::now()).as_millis();
    let timeout_ms = u32::try_from(left).unwrap_or(u32::MAX).max(1);
    let too_many = || Failed::Ended(Ended::Code(Code::TooManyRequests.number().into()));
    let id = shared.requests.lock().open_one(until + SLACK, None).ok_or_else(too_many)?;
    let open = Open { shared, id };
    let frame = Parts::bare(kind, id).aux(timeout_ms).body(body);
    let (mut unsent, mut place) = (true, Place::default());
    poll_fn(|cx| {
        // Held while it is sent, so that a link that is lost right now takes this with it or refuses it.
        let mut requests = shared.requests.lock();
        let answer = requests.poll_one(open.id, |waiter| match waiter {
            Some(waiter) => waiter.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        });
        if let Poll::Ready(answer) = answer {
            return Poll::Ready(answer.map(|message| message.body()).map_err(Failed::Ended));
        }
        if unsent {
            match shared.outbox.poll_frame(&frame, &mut place, cx) {
                Poll::Ready(Ok(())) => unsent = false,
                Poll::Ready(Err(refusal)) => return Poll::Ready(Err(Failed::Refused(refusal))),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    })
    .await
}
