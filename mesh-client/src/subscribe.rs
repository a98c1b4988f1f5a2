//! Subscribing.

use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::sync::Arc;

use mesh_wire::body::{ModeV1, OverflowV1, ServiceV1, SubscribeV1};
use mesh_wire::code::Code;
use mesh_wire::limits;
use mesh_wire::name::Name;
use mesh_wire::subject::Pattern;

use crate::client::Client;
use crate::error::Error;
use crate::link::feed::{End, Feed};
use crate::link::shared::Shared;
use crate::subscription::Subscription;

/// Messages that wait for a subscription in this process at most, if nothing else is said.
pub(crate) const CAPACITY: u32 = 8_192;

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

impl SlowPolicy {
    fn to_wire(self) -> OverflowV1 {
        match self {
            Self::DropOldest => OverflowV1::DropOldest,
            Self::DropNewest => OverflowV1::DropNewest,
            Self::Close => OverflowV1::Close,
        }
    }
}

/// A subscription about to be made; see [`Client::subscribe`].
#[derive(Debug)]
#[must_use = "nothing is subscribed until it is awaited"]
pub struct SubscribeBuilder<'a> {
    client: &'a Client,
    pattern: &'a str,
    policy: SlowPolicy,
    spec: SubscribeV1,
}

impl<'a> SubscribeBuilder<'a> {
    pub(crate) fn new(client: &'a Client, pattern: &'a str) -> Self {
        let spec = SubscribeV1 {
            group: None,
            mode: ModeV1::Events,
            credit: CAPACITY,
            pending_messages: 0,
            pending_bytes: 0,
            overflow: SlowPolicy::default().to_wire(),
            service: None,
        };
        Self { client, pattern, policy: SlowPolicy::default(), spec }
    }

    /// Joins a group: each message goes to one of its members.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.spec.group = Some(name.into());
        self
    }

    /// Messages that wait in this process at most, 1 to 65,535. 8,192 by default.
    pub fn capacity(mut self, messages: u32) -> Self {
        self.spec.credit = messages;
        self
    }

    /// What the node keeps for this subscription beyond that, in messages and in bytes; 0 for the node's default.
    pub fn pending(mut self, messages: u32, bytes: u32) -> Self {
        (self.spec.pending_messages, self.spec.pending_bytes) = (messages, bytes);
        self
    }

    /// What happens to messages beyond both. [`SlowPolicy::DropOldest`] by default.
    pub fn on_slow(mut self, policy: SlowPolicy) -> Self {
        self.policy = policy;
        self.spec.overflow = policy.to_wire();
        self
    }
}

/// Ready when the node has confirmed the subscription: what is published from then on is seen. While the client is
/// disconnected it waits.
///
/// # Errors
/// A malformed pattern or name, a limit, or what the node refused it with.
///
/// # Cancel safety
/// Safe: a subscription that was not handed out is taken back.
impl<'a> IntoFuture for SubscribeBuilder<'a> {
    type Output = Result<Subscription, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let guard = add(self.client.shared(), self.pattern, self.policy, self.spec)?;
            guard.confirmed().await?;
            Ok(Subscription::new(self.client.clone(), guard.claim()))
        })
    }
}

/// Takes a feed back that was not handed out.
pub(crate) struct Unclaimed {
    shared: Arc<Shared>,
    feed: Arc<Feed>,
    claimed: bool,
}

impl Unclaimed {
    pub(crate) fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// Waits until the node has confirmed it.
    pub(crate) async fn confirmed(&self) -> Result<(), Error> {
        poll_fn(|cx| self.feed.poll_confirmed(cx)).await.map_err(|end| match end {
            End::Failed(error) => error,
            End::OnPurpose => Error::of(Code::ClientClosed),
        })
    }

    /// Hands it out.
    pub(crate) fn claim(mut self) -> Arc<Feed> {
        self.claimed = true;
        Arc::clone(&self.feed)
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if !self.claimed {
            self.shared.remove_feed(&self.feed);
        }
    }
}

/// Adds a feed after everything about it was checked.
pub(crate) fn add(
    shared: &Arc<Shared>,
    pattern: &str,
    policy: SlowPolicy,
    spec: SubscribeV1,
) -> Result<Unclaimed, Error> {
    Pattern::check_unreserved(pattern.as_bytes()).map_err(|error| {
        Error::new(error.code(), format!("{pattern:?} can't be subscribed to")).with_cause(error.to_string())
    })?;
    if let Some(group) = &spec.group {
        check_name(group, "group")?;
    }
    if let Some(ServiceV1 { name, .. }) = &spec.service {
        check_name(name, "service")?;
    }
    if spec.credit == 0 || spec.credit > limits::CREDIT_MAX {
        let cause = format!("{} was asked for, 1 to {} are allowed", spec.credit, limits::CREDIT_MAX);
        return Err(Error::of(Code::CreditOutOfRange).with_cause(cause));
    }
    if spec.pending_messages > limits::PENDING_MESSAGES_MAX || spec.pending_bytes > limits::PENDING_BYTES_MAX
    {
        return Err(Error::of(Code::PendingLimitOutOfRange));
    }
    let feed = shared.add_feed(pattern, policy, spec)?;
    Ok(Unclaimed { shared: Arc::clone(shared), feed, claimed: false })
}

fn check_name(name: &str, of: &str) -> Result<(), Error> {
    Name::check(name.as_bytes()).map(|_| ()).map_err(|error| {
        Error::new(error.code(), format!("{name:?} is no name of a {of}")).with_cause(error.to_string())
    })
}
