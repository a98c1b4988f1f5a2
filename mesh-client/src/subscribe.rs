//! Subscribing.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use crate::client::Client;
use crate::error::Error;
use crate::subscription::Subscription;
use crate::unfinished::unfinished;

/// What happens to a message for which a slow subscription has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SlowPolicy {
    /// The oldest message that waits makes room. Counted, told.
    #[default]
    DropOldest,
    /// The new message is dropped. Counted, told.
    DropNewest,
    /// The subscription ends with an error.
    Close,
}

/// A subscription about to be made; see [`Client::subscribe`].
#[derive(Debug)]
#[must_use = "nothing is subscribed until it is awaited"]
pub struct SubscribeBuilder<'a> {
    _client: &'a Client,
    _pattern: &'a str,
}

impl<'a> SubscribeBuilder<'a> {
    pub(crate) fn new(client: &'a Client, pattern: &'a str) -> Self {
        Self { _client: client, _pattern: pattern }
    }

    /// Joins a group: each message goes to one of its members.
    pub fn group(self, _name: impl Into<String>) -> Self {
        self
    }

    /// Messages that wait in this process at most, 1 to 65,535. 8,192 by default.
    pub fn capacity(self, _messages: u32) -> Self {
        self
    }

    /// What the node keeps for this subscription beyond that, in messages and in bytes; 0 for the node's default.
    pub fn pending(self, _messages: u32, _bytes: u32) -> Self {
        self
    }

    /// What happens to messages beyond both. [`SlowPolicy::DropOldest`] by default.
    pub fn on_slow(self, _policy: SlowPolicy) -> Self {
        self
    }
}

/// Ready when the node has confirmed the subscription: what is published from then on is seen.
///
/// # Errors
/// A malformed pattern or name, a limit, no connection, or what the node refused it with.
///
/// # Cancel safety
/// Safe: a subscription that was not handed out is taken back.
impl<'a> IntoFuture for SubscribeBuilder<'a> {
    type Output = Result<Subscription, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        unfinished()
    }
}
