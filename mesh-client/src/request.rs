//! Requesting.

pub(crate) mod attempt;

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use mesh_wire::code::Code;
use mesh_wire::ext::Tag;
use mesh_wire::frame::Flags;
use mesh_wire::header::Value;
use mesh_wire::limits;
use tokio::time::Sleep;

use self::attempt::{Asked, Attempt};
use crate::answer::{ended_error, is_worth_retrying, judge};
use crate::client::Client;
use crate::error::Error;
use crate::link::outbox::{Place, Refusal};
use crate::message::Message;
use crate::outgoing::Outgoing;
use crate::payload::Payload;
use crate::replies::{Replies, Until};
use crate::trace::RequestSpan;

/// Replies of a series that may wait in this process, if nothing else is said.
const REPLIES: u32 = 64;
/// How often an idempotent request is sent again at most.
const RETRIES_MAX: u32 = 3;
/// The wait before the first retry; it doubles with each.
const RETRY_DELAY: Duration = Duration::from_millis(10);

/// A request about to be sent; see [`Client::request`]. Awaited, it gives the reply.
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct RequestBuilder<'a> {
    client: &'a Client,
    message: Outgoing<'a>,
    timeout: Option<Duration>,
    idempotent: bool,
    replies: u32,
}

impl<'a> RequestBuilder<'a> {
    #[inline]
    pub(crate) fn new(client: &'a Client, subject: &'a str, payload: Result<Payload<'a>, Error>) -> Self {
        let message = Outgoing::new(subject, payload);
        Self { client, message, timeout: None, idempotent: false, replies: REPLIES }
    }

    /// Adds a header behind the others; a name may appear more than once.
    pub fn header<'v>(mut self, name: &str, value: impl Into<Value<'v>>) -> Self {
        self.message.header(name, value.into());
        self
    }

    /// The key: requests of one key may be kept to one responder.
    pub fn key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.message.key(key.as_ref());
        self
    }

    /// How long the reply may take, 1 ms to 1 hour. The client's default is 5 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Doing it twice does no harm: it may be sent again when the responder or the connection is lost or nobody is
    /// there, inside the deadline and a budget of one retry for ten calls.
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Replies of a series that may wait in this process, 1 to 65,535. 64 by default; for [`RequestBuilder::stream`].
    pub fn replies(mut self, count: u32) -> Self {
        self.replies = count;
        self
    }

    /// Sends it and gives the replies as they come: for responders that answer in a series. The deadline holds for
    /// the whole series.
    ///
    /// # Errors
    /// A malformed subject, a limit, or no connection.
    ///
    /// # Cancel safety
    /// Safe: what was sent is cancelled.
    pub async fn stream(mut self) -> Result<Replies, Error> {
        if self.replies == 0 || self.replies > limits::CREDIT_MAX {
            return Err(Error::of(Code::ReplyCreditOutOfRange));
        }
        self.message.number(Tag::REPLY_CREDIT, self.replies);
        let asked = Asked::new(self.client, self.timeout)?;
        let flags = self.flags();
        Replies::ask(self.client, self.message, asked, flags, Until::series(self.replies)).await
    }

    fn flags(&self) -> Flags {
        if self.idempotent { Flags::IDEMPOTENT } else { Flags::NONE }
    }
}

impl<'a> IntoFuture for RequestBuilder<'a> {
    type Output = Result<Message, Error>;
    type IntoFuture = RequestFuture<'a>;

    #[inline]
    fn into_future(self) -> RequestFuture<'a> {
        RequestFuture {
            flags: self.flags(),
            client: self.client,
            message: self.message,
            timeout: self.timeout,
            asked: None,
            retries: 0,
            span: RequestSpan::none(),
            state: State::Start,
        }
    }
}

/// A request under way, from its first poll on; gives the reply.
///
/// # Errors
/// By kind: `NoResponders` (at once), `Deadline`, `Disconnected`, `Application` (see [`Error::failure`]), `Invalid`,
/// `Limit`, `Busy`.
///
/// # Cancel safety
/// Dropping it cancels the request; the responder is told.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct RequestFuture<'a> {
    client: &'a Client,
    message: Outgoing<'a>,
    timeout: Option<Duration>,
    flags: Flags,
    asked: Option<Asked>,
    retries: u32,
    span: RequestSpan,
    state: State<'a>,
}

#[derive(Debug)]
enum State<'a> {
    Start,
    Asking(Attempt<'a>),
    /// Until it is sent again.
    Pausing(Pin<Box<Sleep>>),
    /// Until there is a connection, or the deadline.
    Disconnected(Pin<Box<Sleep>>, Place),
}

impl Future for RequestFuture<'_> {
    type Output = Result<Message, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(self.poll_result(cx));
        self.span.end(&result);
        Poll::Ready(result)
    }
}

impl RequestFuture<'_> {
    fn poll_result(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, Error>> {
        let this = self;
        loop {
            match &mut this.state {
                State::Start => this.start(cx)?,
                State::Asking(attempt) => match ready!(attempt.poll_reply(&this.message, cx)) {
                    Ok(message) => return Poll::Ready(judge(message, this.message.subject)),
                    Err(failed) => this.fail(failed)?,
                },
                State::Pausing(sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    this.state = State::Start;
                }
                State::Disconnected(sleep, place) => {
                    let shared = this.client.shared();
                    match shared.outbox.poll_up(place, cx) {
                        Poll::Ready(Ok(())) => this.state = State::Start,
                        Poll::Ready(Err(refusal)) => {
                            return Poll::Ready(Err(shared.refused(refusal, this.message.subject)));
                        }
                        Poll::Pending => {
                            ready!(sleep.as_mut().poll(cx));
                            return Poll::Ready(Err(shared.refused(Refusal::Down, this.message.subject)));
                        }
                    }
                }
            }
        }
    }

    fn start(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        let shared = self.client.shared();
        let (asked, timeout_ms) = match self.asked {
            Some(asked) => (asked, asked.remaining_ms()),
            None => {
                self.span = RequestSpan::start(&mut self.message);
                attempt::prepare(&mut self.message, shared)?;
                if self.is_idempotent() {
                    shared.budget.lock().handle_call();
                }
                let asked = *self.asked.insert(Asked::new(self.client, self.timeout)?);
                (asked, asked.timeout_ms())
            }
        };
        self.state =
            State::Asking(Attempt::open(self.client, &self.message, asked, timeout_ms, self.flags, cx)?);
        Ok(())
    }

    fn is_idempotent(&self) -> bool {
        self.flags.contains(Flags::IDEMPOTENT)
    }

    /// Goes on after an attempt failed, or says that the request has.
    fn fail(&mut self, failed: attempt::Failed) -> Result<(), Error> {
        let shared = self.client.shared();
        let deadline = self.asked.map_or_else(Instant::now, |asked| asked.deadline);
        let in_time = Instant::now() < deadline;
        match failed {
            attempt::Failed::Refused(Refusal::Down) if self.is_idempotent() && in_time => {
                self.wait_for_link(deadline);
                Ok(())
            }
            attempt::Failed::Refused(refusal) => Err(shared.refused(refusal, self.message.subject)),
            attempt::Failed::Ended(ended) => {
                let again = self.is_idempotent()
                    && in_time
                    && self.retries < RETRIES_MAX
                    && is_worth_retrying(&ended)
                    && shared.budget.lock().take();
                if !again {
                    return Err(ended_error(ended, self.message.subject));
                }
                let delay = RETRY_DELAY * (1 << self.retries);
                self.retries += 1;
                let until = (Instant::now() + delay).min(deadline);
                self.state = State::Pausing(Box::pin(tokio::time::sleep_until(until.into())));
                Ok(())
            }
        }
    }

    fn wait_for_link(&mut self, deadline: Instant) {
        let sleep = Box::pin(tokio::time::sleep_until(deadline.into()));
        self.state = State::Disconnected(sleep, Place::default());
    }
}
