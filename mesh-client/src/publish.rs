//! Publishing.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use mesh_wire::frame::Kind;
use mesh_wire::header::Value;

use crate::client::Client;
use crate::error::Error;
use crate::link::bulk::Order;
use crate::link::outbox::{Place, Refusal};
use crate::outgoing::Outgoing;
use crate::payload::Payload;
use crate::trace;

/// A message about to be published; see [`Client::publish`].
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct PublishBuilder<'a> {
    client: &'a Client,
    message: Outgoing<'a>,
    buffered: bool,
}

impl<'a> PublishBuilder<'a> {
    #[inline]
    pub(crate) fn new(client: &'a Client, subject: &'a str, payload: Result<Payload<'a>, Error>) -> Self {
        Self { client, message: Outgoing::new(subject, payload), buffered: false }
    }

    /// Adds a header behind the others; a name may appear more than once.
    pub fn header<'v>(mut self, name: &str, value: impl Into<Value<'v>>) -> Self {
        self.message.header(name, value.into());
        self
    }

    /// The message's key, at most 128 bytes.
    pub fn key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.message.key(key.as_ref());
        self
    }

    /// The message's id, at most 128 bytes.
    pub fn message_id(mut self, id: impl AsRef<[u8]>) -> Self {
        self.message.message_id(id.as_ref());
        self
    }

    /// Waits while the client is disconnected, instead of failing.
    pub fn buffered(mut self) -> Self {
        self.buffered = true;
        self
    }
}

impl<'a> IntoFuture for PublishBuilder<'a> {
    type Output = Result<(), Error>;
    type IntoFuture = PublishFuture<'a>;

    #[inline]
    fn into_future(self) -> PublishFuture<'a> {
        PublishFuture {
            client: self.client,
            message: self.message,
            buffered: self.buffered,
            prepared: None,
            place: Place::default(),
        }
    }
}

/// Puts the message into the outbox; waits while that is full.
///
/// # Errors
/// A malformed subject, a limit, or [`Code::NotConnected`](crate::Code::NotConnected).
///
/// # Cancel safety
/// Safe: a dropped future has sent the message whole or not at all.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct PublishFuture<'a> {
    client: &'a Client,
    message: Outgoing<'a>,
    buffered: bool,
    /// Once it was checked: the body, if it needs chunks.
    prepared: Option<Option<Bytes>>,
    place: Place,
}

impl Future for PublishFuture<'_> {
    type Output = Result<(), Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // Most messages are small and have nothing but a subject and a body.
        let shared = this.client.shared();
        if this.message.is_plain(shared.body_bytes_max()) && !trace::is_active() {
            let parts = this.message.parts(Kind::Publish, 0);
            if let Poll::Ready(Ok(())) =
                shared.outbox.poll_publish(&parts, this.message.subject, &mut this.place, cx)
            {
                return Poll::Ready(Ok(()));
            }
        }
        this.poll_slow(cx)
    }
}

impl PublishFuture<'_> {
    #[cold]
    fn poll_slow(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let shared = self.client.shared();
        if self.prepared.is_none() {
            trace::inject_current(&mut self.message);
            self.message.prepare(shared.body_bytes_max())?;
            self.prepared = Some(self.message.large_body());
        }
        let subject = self.message.subject;
        loop {
            let parts = self.message.parts(Kind::Publish, 0);
            let sent = match &self.prepared {
                Some(Some(body)) => {
                    shared.outbox.poll_large(&parts, body, Order::Subject(subject), &mut self.place, cx)
                }
                _ => shared.outbox.poll_publish(&parts, subject, &mut self.place, cx),
            };
            match ready!(sent) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(Refusal::Down) if self.buffered => {
                    if let Err(refusal) = ready!(shared.outbox.poll_up(&mut self.place, cx)) {
                        return Poll::Ready(Err(shared.refused(refusal, subject)));
                    }
                }
                Err(refusal) => return Poll::Ready(Err(shared.refused(refusal, subject))),
            }
        }
    }
}
