//! Ending in good order.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use mesh_wire::code::Code;

use crate::client::Client;
use crate::error::Error;
use crate::link::shared::Shared;
use crate::serve::ServerState;

const DEADLINE: Duration = Duration::from_secs(20);

/// Ends a client in good order, when awaited; see [`Client::drain`].
///
/// # Errors
/// [`Code::DrainTimeout`] when handlers did not finish before the deadline; the connection is closed all the same.
///
/// # Cancel safety
/// What was begun goes on: services stay deregistered. Calling it again waits again.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct DrainBuilder<'a> {
    client: &'a Client,
    deadline: Duration,
}

impl<'a> DrainBuilder<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client, deadline: DEADLINE }
    }

    /// How long handlers may take to finish. 20 seconds by default.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl<'a> IntoFuture for DrainBuilder<'a> {
    type Output = Result<(), Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let shared = self.client.shared();
            let drained = tokio::time::timeout(self.deadline, drain_servers(shared)).await;
            end_subscriptions(shared);
            self.client.close().await;
            drained.map_err(|_| {
                let cause = format!("handlers were still running after {:?}", self.deadline);
                Error::new(Code::DrainTimeout, "the client did not finish draining in time").with_cause(cause)
            })
        })
    }
}

async fn drain_servers(shared: &Shared) {
    let servers: Vec<Arc<ServerState>> =
        shared.servers.lock().iter().filter_map(std::sync::Weak::upgrade).collect();
    // All at once: each deregisters before the first is waited for.
    for server in &servers {
        server.retire();
    }
    for server in servers {
        server.ended().await;
    }
}

fn end_subscriptions(shared: &Shared) {
    let feeds: Vec<_> =
        shared.feeds.lock().by_id.values().filter(|feed| !feed.is_responder()).cloned().collect();
    feeds.iter().for_each(|feed| shared.remove_feed(feed));
}
