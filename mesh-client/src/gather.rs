//! Requests to many.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use mesh_wire::header::Value;

use crate::client::Client;
use crate::error::Error;
use crate::payload::Payload;
use crate::replies::Replies;
use crate::unfinished::unfinished;

/// A request to everybody who serves the subject; see [`Client::request_many`]. Awaited, it gives the replies.
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct GatherBuilder<'a> {
    _client: &'a Client,
    _subject: &'a str,
    _payload: Result<Payload<'a>, Error>,
}

impl<'a> GatherBuilder<'a> {
    pub(crate) fn new(client: &'a Client, subject: &'a str, payload: Result<Payload<'a>, Error>) -> Self {
        Self { _client: client, _subject: subject, _payload: payload }
    }

    /// Adds a header behind the others; a name may appear more than once.
    pub fn header<'v>(self, _name: &str, _value: impl Into<Value<'v>>) -> Self {
        self
    }

    /// Ends after this many replies.
    pub fn max(self, _replies: u32) -> Self {
        self
    }

    /// Ends when no reply came for this long after the last one.
    pub fn silence(self, _silence: Duration) -> Self {
        self
    }

    /// Ends after this time, with what has come. The client's default is 5 seconds.
    pub fn timeout(self, _timeout: Duration) -> Self {
        self
    }
}

/// The replies end when every responder has answered, or by what the builder said; none of these ends is an error.
///
/// # Errors
/// A malformed subject, a limit, or no connection. *No responders* is the first item of the replies.
///
/// # Cancel safety
/// Safe: what was sent is cancelled.
impl<'a> IntoFuture for GatherBuilder<'a> {
    type Output = Result<Replies, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        unfinished()
    }
}
