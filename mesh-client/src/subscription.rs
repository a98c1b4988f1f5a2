//! Receiving.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::error::Error;
use crate::message::Message;
use crate::unfinished::unfinished;

/// The messages of one subscription, in order. A `Stream` with a bounded buffer; dropping it unsubscribes.
///
/// It survives reconnects; what was published meanwhile is not seen. It ends when it is closed: by
/// [`Subscription::unsubscribe`], with its client, or by its slow policy; [`Subscription::error`] says which.
#[derive(Debug)]
pub struct Subscription {}

impl Subscription {
    /// The next message; `None` when the subscription has ended.
    ///
    /// # Cancel safety
    /// Safe: no message is lost.
    pub async fn next(&mut self) -> Option<Message> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The next message; `Ok(None)` when the subscription was ended on purpose.
    ///
    /// # Errors
    /// Why the subscription was closed otherwise.
    ///
    /// # Cancel safety
    /// Safe: no message is lost.
    pub async fn try_next(&mut self) -> Result<Option<Message>, Error> {
        unfinished()
    }

    /// All messages that are there, at least one; `None` when the subscription has ended. For hot loops.
    ///
    /// # Cancel safety
    /// Safe: no message is lost.
    pub async fn next_batch(&mut self) -> Option<Batch<'_>> {
        unfinished()
    }

    /// The subscription's number on this connection.
    #[must_use]
    pub fn id(&self) -> u32 {
        unfinished()
    }

    /// What it subscribed to.
    #[must_use]
    pub fn pattern(&self) -> &str {
        unfinished()
    }

    /// Messages dropped so far because this subscription could not keep up, by the node and here.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        unfinished()
    }

    /// Why the subscription ended; `None` while it has not, and when it was ended on purpose.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        unfinished()
    }

    /// Ends intake; messages that are here already still come.
    pub fn unsubscribe(&mut self) {
        unfinished()
    }
}

impl Stream for Subscription {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Message>> {
        unfinished()
    }
}

/// A run of messages that are there; an iterator. What is left over when it is dropped stays in the subscription.
#[derive(Debug)]
pub struct Batch<'a> {
    _subscription: &'a mut Subscription,
}

impl Iterator for Batch<'_> {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        unfinished()
    }
}
