//! Requesting.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use mesh_wire::header::Value;

use crate::client::Client;
use crate::error::Error;
use crate::message::Message;
use crate::payload::Payload;
use crate::replies::Replies;
use crate::unfinished::unfinished;

/// A request about to be sent; see [`Client::request`]. Awaited, it gives the reply.
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct RequestBuilder<'a> {
    client: &'a Client,
    _subject: &'a str,
    _payload: Result<Payload<'a>, Error>,
}

impl<'a> RequestBuilder<'a> {
    #[inline]
    pub(crate) fn new(client: &'a Client, subject: &'a str, payload: Result<Payload<'a>, Error>) -> Self {
        Self { client, _subject: subject, _payload: payload }
    }

    /// Adds a header behind the others; a name may appear more than once.
    pub fn header<'v>(self, _name: &str, _value: impl Into<Value<'v>>) -> Self {
        self
    }

    /// The key: requests of one key may be kept to one responder.
    pub fn key(self, _key: impl AsRef<[u8]>) -> Self {
        self
    }

    /// How long the reply may take, 1 ms to 1 hour. The client's default is 5 seconds.
    pub fn timeout(self, _timeout: Duration) -> Self {
        self
    }

    /// Doing it twice does no harm: it may be sent again when the responder or the connection is lost or nobody is
    /// there, inside the deadline and a budget of one retry for ten calls.
    pub fn idempotent(self) -> Self {
        self
    }

    /// Replies of a series that may wait in this process, 1 to 65,535. 64 by default; for [`RequestBuilder::stream`].
    pub fn replies(self, _count: u32) -> Self {
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
    pub async fn stream(self) -> Result<Replies, Error> {
        unfinished()
    }
}

impl<'a> IntoFuture for RequestBuilder<'a> {
    type Output = Result<Message, Error>;
    type IntoFuture = RequestFuture<'a>;

    #[inline]
    fn into_future(self) -> RequestFuture<'a> {
        RequestFuture { _client: self.client }
    }
}

/// A request under way, from its first poll on; gives the reply.
///
/// # Errors
/// By kind: `NoResponders` (at once), `Deadline`, `Disconnected`, `Application` (see [`Error::failure`]), `Invalid`,
/// `Limit`, `Refused`.
///
/// # Cancel safety
/// Dropping it cancels the request; the responder is told.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct RequestFuture<'a> {
    _client: &'a Client,
}

impl Future for RequestFuture<'_> {
    type Output = Result<Message, Error>;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        unfinished()
    }
}
