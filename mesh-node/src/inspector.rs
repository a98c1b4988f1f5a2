//! The admin side's view of the actors: asks the supervisor for links, and each link's actor for itself.

use std::sync::Arc;

use actix::{
    Addr,
    dev::{MessageResponse, ToEnvelope},
    prelude::{Handler, Message},
};
use futures_util::future::join_all;
use mesh_core::routing::SubscriptionId;
use mesh_identity::store::Store;
use tokio::sync::watch;

use crate::{
    admin::{
        Answer, CertificatesInfo, Error, FailingInfo, FilesInfo, Inspect, LinkInfo, ResponderInfo,
        SubscriptionCursor, SubscriptionInfo,
    },
    durable::{Change, GroupInfo, ListGroups},
    peer::{PeerInfo, Peers},
    security::{Snapshot, Status},
    shared::Shared,
    snapshot::LinkHandle,
    subscriber::{Describe, DescribeResponders, DescribeSubscriptions, Subscriber},
    supervisor::{ListLinks, Supervisor},
};

/// Links that are asked at once.
const ASKED_AT_ONCE: usize = 256;

/// See the module.
#[derive(Clone)]
pub(crate) struct Inspector {
    pub(crate) supervisor: Addr<Supervisor>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) peers: Option<Peers>,
}

impl Inspector {
    async fn handles(&self, after: u64, limit: usize) -> Result<Vec<LinkHandle>, Error> {
        self.supervisor.send(ListLinks { after, limit }).await.map_err(|_| Error::Stopped)
    }
}

/// Asks each link the same; those that are gone by then are left out.
async fn ask<M>(links: &[LinkHandle], question: impl Fn() -> M) -> Vec<M::Result>
where
    M: Message + Send + 'static,
    M::Result: Send,
    Subscriber: Handler<M>,
    <Subscriber as Handler<M>>::Result: MessageResponse<Subscriber, M>,
    <Subscriber as actix::Actor>::Context: ToEnvelope<Subscriber, M>,
{
    join_all(links.iter().map(|link| link.subscriber.send(question()))).await.into_iter().flatten().collect()
}

fn files(status: &Status) -> FilesInfo {
    let Snapshot { loaded, reloads, failures, failing } = status.get();
    let failing =
        failing.map(|f| FailingInfo { code: f.code.to_string(), message: f.message, since: f.since });
    FilesInfo { loaded, reloads, failures, failing }
}

impl Inspect for Inspector {
    fn links(&self, after: u64, limit: usize) -> Answer<Vec<LinkInfo>> {
        let this = self.clone();
        Box::pin(async move {
            let links = this.handles(after, limit).await?;
            Ok(ask(&links, || Describe).await)
        })
    }

    fn subscriptions(
        &self,
        after: Option<SubscriptionCursor>,
        link: Option<u64>,
        limit: usize,
    ) -> Answer<Vec<SubscriptionInfo>> {
        let this = self.clone();
        Box::pin(async move {
            let mut found = Vec::new();
            let mut from = link.or(after.map(|a| a.link)).map_or(0, |first| first.saturating_sub(1));
            loop {
                let wanted = if link.is_some() { 1 } else { ASKED_AT_ONCE };
                let links = this.handles(from, wanted).await?;
                for handle in &links {
                    from = handle.id.0;
                    if found.len() >= limit || link.is_some_and(|link| link != from) {
                        return Ok(found);
                    }
                    let behind = after.filter(|a| a.link == from).map(|a| SubscriptionId(a.id));
                    let question = || DescribeSubscriptions { after: behind, limit: limit - found.len() };
                    let answers = ask(std::slice::from_ref(handle), question).await;
                    found.extend(answers.into_iter().flatten());
                }
                if links.is_empty() || link.is_some() {
                    return Ok(found);
                }
            }
        })
    }

    fn responders(&self, limit: usize) -> Answer<Vec<ResponderInfo>> {
        let this = self.clone();
        Box::pin(async move {
            let mut found = Vec::new();
            let mut from = 0;
            loop {
                let links = this.handles(from, ASKED_AT_ONCE).await?;
                let Some(last) = links.last() else { return Ok(found) };
                from = last.id.0;
                let answers = ask(&links, || DescribeResponders { limit }).await;
                found.extend(answers.into_iter().flatten());
                if found.len() >= limit {
                    found.truncate(limit);
                    return Ok(found);
                }
            }
        })
    }

    fn certificates(&self) -> CertificatesInfo {
        let security = &self.shared.security;
        let set = security.store.as_ref().map(Store::current);
        CertificatesInfo {
            identity: set.as_ref().and_then(|set| set.identity().map(ToString::to_string)),
            not_after: set.as_ref().and_then(|set| set.not_after()),
            warnings: set.map_or_else(Vec::new, |set| set.warnings().to_vec()),
            files: security.store.as_ref().map(|_| files(&security.certificates_status)),
            token_keys: security.tokens.as_ref().map(|_| files(&security.token_keys_status)),
        }
    }

    fn peers(&self) -> Vec<PeerInfo> {
        self.peers.as_ref().map_or_else(Vec::new, Peers::list)
    }

    fn groups(&self) -> Answer<Vec<GroupInfo>> {
        let durable = self.shared.durable().cloned();
        Box::pin(async move {
            match durable {
                Some(durable) => durable.send(ListGroups).await.map_err(|_| Error::Stopped),
                None => Ok(Vec::new()),
            }
        })
    }

    fn change(&self, change: Change) -> Answer<()> {
        let durable = self.shared.durable().cloned();
        Box::pin(async move {
            let durable = durable.ok_or(Error::Stopped)?;
            let changed = durable.send(change).await.map_err(|_| Error::Stopped)?;
            changed.map_err(|(code, cause)| Error::Refused { code, cause })
        })
    }

    fn drain(&self) {
        self.stop.send_replace(true);
    }
}
