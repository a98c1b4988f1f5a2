//! What handlers give.

use bytes::Bytes;
use futures_core::Stream;
use mesh_wire::header::Headers;
use serde::Serialize;

use super::{Body, Request};
use crate::error::Failure;
use crate::message::Message;
use crate::payload::Payload;
use crate::unfinished::unfinished;

/// The answer to a request: one body, a series of them, or a failure.
#[derive(Debug)]
pub struct Response {}

impl Response {
    /// One body.
    #[must_use]
    pub fn new(_payload: Payload<'static>) -> Self {
        unfinished()
    }

    /// An error of the application.
    #[must_use]
    pub fn failed(_failure: Failure) -> Self {
        unfinished()
    }

    /// The same with these headers.
    #[must_use]
    pub fn with_headers(self, _headers: Headers) -> Self {
        self
    }

    /// The failure, where it is one.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        unfinished()
    }
}

/// What a handler can return.
pub trait IntoReply {
    /// Makes the response to `request` of it.
    fn into_reply(self, request: &Request) -> Response;
}

impl IntoReply for Response {
    fn into_reply(self, _request: &Request) -> Response {
        self
    }
}

impl IntoReply for () {
    fn into_reply(self, _request: &Request) -> Response {
        Response::new(Payload::raw(Bytes::new()))
    }
}

impl IntoReply for Bytes {
    fn into_reply(self, _request: &Request) -> Response {
        Response::new(Payload::raw(self))
    }
}

impl IntoReply for Vec<u8> {
    fn into_reply(self, _request: &Request) -> Response {
        Response::new(Payload::raw(self))
    }
}

impl IntoReply for String {
    fn into_reply(self, _request: &Request) -> Response {
        Response::new(Payload::raw(self))
    }
}

impl IntoReply for &'static str {
    fn into_reply(self, _request: &Request) -> Response {
        Response::new(Payload::raw(self))
    }
}

/// The body of a message, with its encoding: what an echo returns.
impl IntoReply for Message {
    fn into_reply(self, _request: &Request) -> Response {
        Response::new(Payload::encoded(self.body(), self.encoding()))
    }
}

impl<T: Serialize> IntoReply for Body<T> {
    fn into_reply(self, _request: &Request) -> Response {
        unfinished()
    }
}

impl<T: IntoReply, E: Into<Failure>> IntoReply for Result<T, E> {
    fn into_reply(self, request: &Request) -> Response {
        match self {
            Ok(reply) => reply.into_reply(request),
            Err(error) => Response::failed(error.into()),
        }
    }
}

/// A series of replies, made from a stream. Each item waits for the requester's credit; a failure ends the series.
pub struct ReplyStream {}

impl ReplyStream {
    /// A series with one reply for each item.
    pub fn new<T, St>(_stream: St) -> Self
    where
        St: Stream<Item = T> + Send + 'static,
        T: IntoReply,
    {
        unfinished()
    }
}

impl std::fmt::Debug for ReplyStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReplyStream").finish_non_exhaustive()
    }
}

impl IntoReply for ReplyStream {
    fn into_reply(self, _request: &Request) -> Response {
        unfinished()
    }
}
