//! What the admin side asks the rest of the node.

use std::future::Future;
use std::pin::Pin;

use super::error::Error;
use super::info::{CertificatesInfo, LinkInfo, ResponderInfo, SubscriptionInfo};
use crate::durable::{Change, GroupInfo};
use crate::peer::PeerInfo;

/// An answer that takes its time.
pub(crate) type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// Looks into the actors of a node. Asked from the admin thread and from data threads.
///
/// Every answer is bounded by the limit that goes with the question. An actor that is gone when its turn comes is left
/// out; [`Error::Stopped`] is for a node that has ended as a whole.
pub(crate) trait Inspect: Send + Sync + 'static {
    /// Up to `limit` links with ids above `after`, by rising id.
    fn links(&self, after: u64, limit: usize) -> Answer<Vec<LinkInfo>>;

    /// Up to `limit` subscriptions, by rising link and id, from the first behind `after`; only those of `link` where
    /// one is named.
    fn subscriptions(
        &self,
        after: Option<SubscriptionCursor>,
        link: Option<u64>,
        limit: usize,
    ) -> Answer<Vec<SubscriptionInfo>>;

    /// Up to `limit` responders that belong to a service, by rising link.
    fn responders(&self, limit: usize) -> Answer<Vec<ResponderInfo>>;

    /// The node's certificates, and what became of their files.
    fn certificates(&self) -> CertificatesInfo;

    /// The node's peers.
    fn peers(&self) -> Vec<PeerInfo>;

    /// The replicated groups that the node has, by rising number.
    fn groups(&self) -> Answer<Vec<GroupInfo>>;

    /// Changes something of the cluster.
    fn change(&self, change: Change) -> Answer<()>;

    /// Begins to drain the node, unless it does already. Returns at once.
    fn drain(&self);
}

/// Where a list of subscriptions goes on: behind this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SubscriptionCursor {
    /// The link.
    pub(crate) link: u64,
    /// The id on that link.
    pub(crate) id: u32,
}
