//! Who a message goes to: a link and one of its subscriptions.

use std::fmt;

/// One link of this node, unique while the node runs; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// One subscription of a link; the client chose it, and it means nothing without its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub u32);

/// Where a message goes. Ordered by link first, so that sorted targets come grouped by link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The link that owns the subscription.
    pub link: LinkId,
    /// The subscription.
    pub subscription: SubscriptionId,
}

impl Target {
    /// The subscription `subscription` of `link`.
    pub const fn new(link: LinkId, subscription: SubscriptionId) -> Self {
        Self { link, subscription }
    }
}

/// What a subscription takes part in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// It gets published messages and never a request.
    Events,
    /// It answers requests and never gets a published message.
    Responder,
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.link, self.subscription)
    }
}
