//! Knows every link, and takes the node down in good order.
//!
//! ```text
//!   drain: not ready ─► no new links, requests, responders ─► clients told ─► calls under way end
//!          ─► outboxes flushed, goodbye ─► links closed ─► stopped
//! ```

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use actix::{Actor, Context, Handler, Message, MessageResult, ResponseFuture};
use mesh_core::routing::LinkId;
use mesh_wire::code::Code;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::{
    shared::Shared,
    snapshot::LinkHandle,
    subscriber::message::{AnnounceDrain, Finish},
};

/// How long links may take to flush and close at the end.
const CLOSE_TIME: Duration = Duration::from_secs(3);

/// See the module.
pub(crate) struct Supervisor {
    shared: Arc<Shared>,
    links: BTreeMap<LinkId, LinkHandle>,
    count: watch::Sender<usize>,
}

impl Supervisor {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, links: BTreeMap::new(), count: watch::Sender::new(0) }
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;
}

/// A link came up.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct LinkUp(pub(crate) LinkHandle);

/// A link is gone.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct LinkDown(pub(crate) LinkId);

/// Up to `limit` links behind `after`, in the order in which they came.
#[derive(Message)]
#[rtype(result = "Vec<LinkHandle>")]
pub(crate) struct ListLinks {
    pub(crate) after: u64,
    pub(crate) limit: usize,
}

/// Take the links down: completes when all are closed, or will not.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Drain;

impl Handler<LinkUp> for Supervisor {
    type Result = ();

    fn handle(&mut self, LinkUp(link): LinkUp, _: &mut Self::Context) {
        if self.shared.is_draining() {
            link.subscriber.do_send(AnnounceDrain);
        }
        self.links.insert(link.id, link);
        self.count.send_replace(self.links.len());
    }
}

impl Handler<LinkDown> for Supervisor {
    type Result = ();

    fn handle(&mut self, LinkDown(id): LinkDown, _: &mut Self::Context) {
        self.links.remove(&id);
        self.count.send_replace(self.links.len());
    }
}

impl Handler<ListLinks> for Supervisor {
    type Result = MessageResult<ListLinks>;

    fn handle(&mut self, ListLinks { after, limit }: ListLinks, _: &mut Self::Context) -> Self::Result {
        let behind = self.links.range(LinkId(after.saturating_add(1))..);
        MessageResult(behind.take(limit).map(|(_, link)| link.clone()).collect())
    }
}

impl Handler<Drain> for Supervisor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Drain, _: &mut Self::Context) -> Self::Result {
        let deadline = Instant::now() + self.shared.config.drain.deadline;
        self.shared.set_draining();
        for link in self.links.values() {
            link.subscriber.do_send(AnnounceDrain);
        }
        let links: Vec<LinkHandle> = self.links.values().cloned().collect();
        let (shared, mut count) = (Arc::clone(&self.shared), self.count.subscribe());
        Box::pin(async move {
            if timeout_at(deadline, shared.in_flight.none()).await.is_err() {
                tracing::warn!(
                    left = shared.in_flight.len(),
                    "drain deadline: requests under way are given up"
                );
            }
            for link in links {
                link.subscriber.do_send(Finish { code: Some(Code::NodeStopped) });
            }
            let closed = tokio::time::timeout(CLOSE_TIME, count.wait_for(|count| *count == 0)).await.is_ok();
            if !closed {
                tracing::warn!(left = *count.borrow(), "some links did not close in time");
            }
        })
    }
}
