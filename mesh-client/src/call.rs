//! Typed requests.

use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use mesh_wire::header::Value;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::request::{RequestBuilder, RequestFuture};

/// A request whose reply is decoded; see [`Client::call`](crate::Client::call).
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct CallBuilder<'a, Resp> {
    request: RequestBuilder<'a>,
    reply: PhantomData<fn() -> Resp>,
}

impl<'a, Resp> CallBuilder<'a, Resp> {
    pub(crate) fn new(request: RequestBuilder<'a>) -> Self {
        Self { request, reply: PhantomData }
    }

    /// Adds a header behind the others; a name may appear more than once.
    pub fn header<'v>(self, name: &str, value: impl Into<Value<'v>>) -> Self {
        Self { request: self.request.header(name, value), ..self }
    }

    /// As [`RequestBuilder::key`].
    pub fn key(self, key: impl AsRef<[u8]>) -> Self {
        Self { request: self.request.key(key), ..self }
    }

    /// As [`RequestBuilder::timeout`].
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { request: self.request.timeout(timeout), ..self }
    }

    /// As [`RequestBuilder::idempotent`].
    pub fn idempotent(self) -> Self {
        Self { request: self.request.idempotent(), ..self }
    }
}

impl<'a, Resp: DeserializeOwned> IntoFuture for CallBuilder<'a, Resp> {
    type Output = Result<Resp, Error>;
    type IntoFuture = CallFuture<'a, Resp>;

    fn into_future(self) -> CallFuture<'a, Resp> {
        CallFuture { request: self.request.into_future(), reply: PhantomData }
    }
}

/// A call under way; gives the decoded reply.
///
/// # Errors
/// As [`RequestFuture`], and [`Code::DecodeFailed`](crate::Code::DecodeFailed) for a reply of another shape.
///
/// # Cancel safety
/// As [`RequestFuture`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct CallFuture<'a, Resp> {
    request: RequestFuture<'a>,
    reply: PhantomData<fn() -> Resp>,
}

impl<Resp: DeserializeOwned> Future for CallFuture<'_, Resp> {
    type Output = Result<Resp, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.request).poll(cx).map(|reply| reply?.decode())
    }
}
