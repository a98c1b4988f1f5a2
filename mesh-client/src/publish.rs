//! Publishing.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use mesh_wire::header::Value;

use crate::client::Client;
use crate::error::Error;
use crate::payload::Payload;
use crate::unfinished::unfinished;

/// A message about to be published; see [`Client::publish`].
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct PublishBuilder<'a> {
    client: &'a Client,
    _subject: &'a str,
    _payload: Result<Payload<'a>, Error>,
}

impl<'a> PublishBuilder<'a> {
    #[inline]
    pub(crate) fn new(client: &'a Client, subject: &'a str, payload: Result<Payload<'a>, Error>) -> Self {
        Self { client, _subject: subject, _payload: payload }
    }

    /// Adds a header behind the others; a name may appear more than once.
    pub fn header<'v>(self, _name: &str, _value: impl Into<Value<'v>>) -> Self {
        self
    }

    /// The message's key, at most 128 bytes.
    pub fn key(self, _key: impl AsRef<[u8]>) -> Self {
        self
    }

    /// The message's id, at most 128 bytes.
    pub fn message_id(self, _id: impl AsRef<[u8]>) -> Self {
        self
    }

    /// Waits while the client is disconnected, instead of failing.
    pub fn buffered(self) -> Self {
        self
    }
}

impl<'a> IntoFuture for PublishBuilder<'a> {
    type Output = Result<(), Error>;
    type IntoFuture = PublishFuture<'a>;

    #[inline]
    fn into_future(self) -> PublishFuture<'a> {
        PublishFuture { _client: self.client }
    }
}

/// Puts the message into the outbox; waits while that is full.
///
/// # Errors
/// A malformed subject, a limit, or [`Code::NotConnected`](crate::Code::NotConnected).
///
/// # Cancel safety
/// Safe: a dropped future has sent the message whole or not at all. One exception: of a body over 256 KiB a part may
/// have gone out; nobody gets that message.
#[derive(Debug)]
pub struct PublishFuture<'a> {
    _client: &'a Client,
}

impl Future for PublishFuture<'_> {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        unfinished()
    }
}
