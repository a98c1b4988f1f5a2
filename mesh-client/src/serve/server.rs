//! A running service.

use std::sync::Arc;

use mesh_wire::code::Code;
use mesh_wire::frame::{Flags, Kind, Parts};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::calls::Calls;
use crate::answer::OWN_CODE;
use crate::client::Client;
use crate::error::Error;
use crate::link::feed::{End, Feed};
use crate::link::outbox::Epoch;
use crate::link::shared::Shared;

/// A running service. Dropping it stops intake and aborts its handlers; [`Server::drain`] lets them finish.
#[derive(Debug)]
#[must_use = "dropping it stops the service"]
pub struct Server {
    state: Arc<ServerState>,
    tasks: Vec<AbortHandle>,
    /// The connection stays open for it.
    _client: Client,
}

/// What a service's handle, its client and its tasks share.
#[derive(Debug)]
pub(crate) struct ServerState {
    shared: Arc<Shared>,
    endpoints: Vec<(Arc<Feed>, Arc<Calls>)>,
    /// Endpoints that still run.
    running: watch::Sender<usize>,
}

impl ServerState {
    pub(crate) fn new(shared: Arc<Shared>, endpoints: Vec<(Arc<Feed>, Arc<Calls>)>) -> Arc<Self> {
        let running = watch::Sender::new(endpoints.len());
        Arc::new(Self { shared, endpoints, running })
    }

    pub(crate) fn endpoint_ended(&self) {
        // A server that was dropped counts none any more.
        self.running.send_modify(|running| *running = running.saturating_sub(1));
    }

    /// Takes no new calls from here on.
    pub(crate) fn retire(&self) {
        for (feed, _) in &self.endpoints {
            self.shared.retire_feed(feed);
        }
    }

    /// Waits until all calls are answered, and no new ones come.
    pub(crate) async fn ended(&self) {
        // The sender is in `self`.
        drop(self.running.subscribe().wait_for(|running| *running == 0).await);
    }

    /// Tells who still waits that no answer comes.
    fn give_up(&self, feed: &Feed, calls: &Calls) {
        let gone = OWN_CODE | u32::from(Code::ResponderGone.number());
        let epoch: Epoch = feed.epoch();
        for id in calls.abort_all() {
            let reply = Parts { flags: Flags::FAILED, ..Parts::bare(Kind::Reply, id).aux(gone) };
            self.shared.outbox.push_on(epoch, &reply.body(b"the service was stopped"));
        }
    }
}

impl Server {
    pub(crate) fn new(client: Client, state: Arc<ServerState>, tasks: Vec<AbortHandle>) -> Self {
        Self { state, tasks, _client: client }
    }

    /// Deregisters, stops intake and waits until the handlers that run have answered.
    ///
    /// # Cancel safety
    /// Intake stays stopped; handlers are aborted when the server is dropped.
    pub async fn drain(&self) {
        self.state.retire();
        self.state.ended().await;
    }

    /// Waits until the service has ended: by [`Server::drain`], with its client, or because the node refused it; then
    /// [`Server::error`] says why.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn join(&self) {
        self.state.ended().await;
    }

    /// Why a handler of the service ended; `None` while none has, and when it was ended on purpose.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        self.state.endpoints.iter().find_map(|(feed, _)| match feed.ended() {
            Some(End::Failed(error)) => Some(error),
            _ => None,
        })
    }

    /// Calls taken so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state.endpoints.iter().map(|(_, calls)| calls.taken()).sum()
    }

    /// Calls that are being worked on and were not done at once.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.state.endpoints.iter().map(|(_, calls)| calls.running()).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for (feed, calls) in &self.state.endpoints {
            self.state.shared.remove_feed(feed);
            self.state.give_up(feed, calls);
        }
        self.tasks.iter().for_each(AbortHandle::abort);
        // Aborted tasks tell nobody that they ended, and a client that drains may wait for it.
        self.state.running.send_replace(0);
    }
}
