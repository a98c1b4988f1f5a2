//! Receiving.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;

use crate::client::Client;
use crate::error::Error;
use crate::link::feed::{End, Feed, Item};
use crate::link::outbox::Epoch;
use crate::message::Message;
use crate::state::credit::Credit;

/// The messages of one subscription, in order. A `Stream` with a bounded buffer; dropping it unsubscribes.
///
/// It survives reconnects; what was published meanwhile is not seen. It ends when it is closed: by
/// [`Subscription::unsubscribe`], with its client, or by its slow policy; [`Subscription::error`] says which.
pub struct Subscription {
    client: Client,
    feed: Arc<Feed>,
    local: Local,
    /// Messages handed out whose credit was not returned yet.
    consumed: u32,
    credit_batch: u32,
    error: Option<Error>,
}

/// What was taken from the feed and not yet handed out.
#[derive(Debug, Default)]
pub(crate) struct Local {
    items: VecDeque<Item>,
    /// Frames, back to back.
    frames: Bytes,
    /// The message that is lent out, and in its frames those behind it.
    lent: Option<Message>,
}

impl Local {
    /// Where a feed puts more, once there is nothing left.
    pub(crate) fn items(&mut self) -> &mut VecDeque<Item> {
        &mut self.items
    }

    /// The next message, in order.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Message> {
        if self.lent.is_some() {
            self.end_lending();
        }
        loop {
            if let Some(frame) = next_frame(&mut self.frames) {
                return Some(Message::new(frame));
            }
            match self.items.pop_front()? {
                Item::Frames { bytes, .. } => self.frames = bytes,
                Item::Message(message) => return Some(message),
            }
        }
    }
}

impl Local {
    /// Lends the next message, in order.
    #[inline]
    fn advance(&mut self) -> Option<()> {
        if let Some(lent) = &mut self.lent
            && lent.advance()
        {
            return Some(());
        }
        self.refill()
    }

    #[cold]
    fn refill(&mut self) -> Option<()> {
        self.lent = None;
        self.lent = Some(match std::mem::take(&mut self.frames) {
            frames if !frames.is_empty() => Message::first_of(frames),
            _ => match self.items.pop_front()? {
                Item::Frames { bytes, .. } => Message::first_of(bytes),
                Item::Message(message) => message,
            },
        });
        Some(())
    }

    /// What is behind the message that is lent out is to be taken as usual.
    #[cold]
    fn end_lending(&mut self) {
        if let Some(mut lent) = self.lent.take()
            && lent.advance()
        {
            self.frames = lent.into_frames();
        }
    }

    fn is_empty(&mut self) -> bool {
        if self.lent.is_some() {
            self.end_lending();
        }
        self.frames.is_empty() && self.items.is_empty()
    }
}

/// Takes the first of `frames`, which were found whole when they came.
#[inline]
fn next_frame(frames: &mut Bytes) -> Option<Bytes> {
    let len = u32::from_le_bytes(*frames.first_chunk()?) as usize;
    // The last one takes the reference along instead of counting one more.
    Some(if len < frames.len() { frames.split_to(len) } else { std::mem::take(frames) })
}

impl Subscription {
    pub(crate) fn new(client: Client, feed: Arc<Feed>) -> Self {
        let credit_batch = Credit::new(feed.capacity()).batch();
        Self { client, feed, local: Local::default(), consumed: 0, credit_batch, error: None }
    }

    /// The next message; `None` when the subscription has ended.
    ///
    /// # Cancel safety
    /// Safe: no message is lost.
    pub async fn next(&mut self) -> Option<Message> {
        poll_fn(|cx| self.poll_message(cx)).await
    }

    /// The next message; `Ok(None)` when the subscription was ended on purpose.
    ///
    /// # Errors
    /// Why the subscription was closed otherwise.
    ///
    /// # Cancel safety
    /// Safe: no message is lost.
    pub async fn try_next(&mut self) -> Result<Option<Message>, Error> {
        match self.next().await {
            Some(message) => Ok(Some(message)),
            None => self.error.clone().map_or(Ok(None), Err),
        }
    }

    /// All messages that are there, at least one; `None` when the subscription has ended. For hot loops.
    ///
    /// # Cancel safety
    /// Safe: no message is lost.
    pub async fn next_batch(&mut self) -> Option<Batch<'_>> {
        poll_fn(|cx| self.poll_fill(cx)).await?;
        Some(Batch { subscription: self })
    }

    /// The subscription's number on this connection.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.feed.id
    }

    /// What it subscribed to.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.feed.pattern
    }

    /// Messages dropped so far because this subscription could not keep up, by the node and here.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.feed.dropped()
    }

    /// Why the subscription ended; `None` while it has not, and when it was ended on purpose. Known once
    /// [`Subscription::next`] gave `None`.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Ends intake; messages that are here already still come.
    pub fn unsubscribe(&mut self) {
        self.client.shared().remove_feed(&self.feed);
    }

    #[inline]
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        loop {
            if let Some(message) = self.take() {
                return Poll::Ready(Some(message));
            }
            if ready!(self.poll_fill(cx)).is_none() {
                return Poll::Ready(None);
            }
        }
    }

    /// Hands out a message that is there.
    #[inline]
    fn take(&mut self) -> Option<Message> {
        let message = self.local.next()?;
        self.consumed += 1;
        if self.consumed >= self.credit_batch {
            self.return_credit();
        }
        Some(message)
    }

    /// Lends a message that is there.
    #[inline]
    fn take_ref(&mut self) -> Option<&Message> {
        self.local.advance()?;
        self.consumed += 1;
        if self.consumed >= self.credit_batch {
            self.return_credit();
        }
        self.local.lent.as_ref()
    }

    #[cold]
    fn return_credit(&mut self) {
        self.feed.return_credit(std::mem::take(&mut self.consumed), &self.client.shared().outbox);
    }

    /// Ready with messages there, or `None` at the end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        if !self.local.is_empty() {
            return Poll::Ready(Some(()));
        }
        match ready!(self.feed.poll_take(&mut self.local.items, Epoch(0), cx)) {
            Some(_) => Poll::Ready(Some(())),
            None => {
                if let Some(End::Failed(error)) = self.feed.ended() {
                    self.error = Some(error);
                }
                Poll::Ready(None)
            }
        }
    }
}

impl Stream for Subscription {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_message(cx)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.client.shared().remove_feed(&self.feed);
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription")
            .field("id", &self.id())
            .field("pattern", &self.pattern())
            .finish_non_exhaustive()
    }
}

/// A run of messages that are there; an iterator. What is left over when it is dropped stays in the subscription.
///
/// As an iterator it gives messages to keep. Who only looks at them is quicker with [`Batch::next_ref`], which counts no
/// references.
#[derive(Debug)]
pub struct Batch<'a> {
    subscription: &'a mut Subscription,
}

impl Batch<'_> {
    /// The next message, to look at; a clone of it can be kept.
    ///
    /// ```no_run
    /// # async fn example(mut sub: mesh_client::Subscription) {
    /// let mut bytes = 0;
    /// while let Some(mut batch) = sub.next_batch().await {
    ///     while let Some(message) = batch.next_ref() {
    ///         bytes += message.as_bytes().len();
    ///     }
    /// }
    /// # }
    /// ```
    #[inline]
    pub fn next_ref(&mut self) -> Option<&Message> {
        self.subscription.take_ref()
    }
}

impl Iterator for Batch<'_> {
    type Item = Message;

    #[inline]
    fn next(&mut self) -> Option<Message> {
        self.subscription.take()
    }
}
