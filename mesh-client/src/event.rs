//! What happens to the connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;

use crate::error::Error;
use crate::link::hub::Listener;
use crate::node_info::NodeInfo;

/// Something that happened to the connection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ConnectionEvent {
    /// Connected, at first or again; subscriptions and services are restored.
    Connected {
        /// The node; its `endpoint` and `carrier` say how it was reached.
        node: NodeInfo,
    },
    /// The connection was lost or closed.
    Disconnected {
        /// Why, in one line.
        reason: String,
    },
    /// Waiting before the next attempt to connect.
    Reconnecting {
        /// The number of the attempt, from 1.
        attempt: u32,
        /// The wait before it.
        delay: Duration,
    },
    /// The node is leaving; the client goes to another endpoint if it has one.
    Draining,
    /// Messages of a subscription were dropped because it could not keep up.
    SlowConsumer {
        /// The subscription.
        subscription: u32,
        /// Its pattern.
        pattern: String,
        /// Messages dropped since the last such event.
        dropped: u64,
    },
    /// Something failed that nobody waits for: a publish that the node refused, an attempt to connect.
    Error {
        /// Code and text, as [`Error`] prints them.
        error: Arc<Error>,
    },
    /// The client is closed for good; no event follows.
    Closed,
}

/// The events of a connection, from when it was made. A `Stream` that ends when the client is closed.
///
/// Holds up to 64 events; who does not read loses the oldest.
#[derive(Debug)]
pub struct Events {
    listener: Arc<Listener>,
}

impl Events {
    pub(crate) fn new(listener: Arc<Listener>) -> Self {
        Self { listener }
    }

    /// The next event; `None` once the client is closed.
    ///
    /// # Cancel safety
    /// Safe: no event is lost.
    pub async fn next(&mut self) -> Option<ConnectionEvent> {
        std::future::poll_fn(|cx| self.listener.poll_next(cx)).await
    }
}

impl Stream for Events {
    type Item = ConnectionEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ConnectionEvent>> {
        self.listener.poll_next(cx)
    }
}
