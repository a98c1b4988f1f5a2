//! Setting up a service.

use super::{Handler, Server};
use crate::client::Client;
use crate::error::Error;
use crate::unfinished::unfinished;

/// A service about to be started; see [`Client::serve`].
#[must_use = "nothing is served until `spawn` is awaited"]
pub struct ServiceBuilder<S> {
    client: Client,
    _state: std::marker::PhantomData<S>,
}

impl ServiceBuilder<()> {
    pub(crate) fn new(client: &Client, _name: &str) -> Self {
        Self { client: client.clone(), _state: std::marker::PhantomData }
    }
}

impl<S: Clone + Send + Sync + 'static> ServiceBuilder<S> {
    /// The service's version, as listings show it.
    pub fn version(self, _version: impl Into<String>) -> Self {
        self
    }

    /// One line on what the service does.
    pub fn description(self, _description: impl Into<String>) -> Self {
        self
    }

    /// What handlers added from here on can take by [`State`](super::State).
    pub fn state<T: Clone + Send + Sync + 'static>(self, _state: T) -> ServiceBuilder<T> {
        ServiceBuilder { client: self.client, _state: std::marker::PhantomData }
    }

    /// Answers requests to `SERVICE.NAME`. All instances of a service share the requests.
    pub fn handle<A, H: Handler<A, S>>(self, _name: &str, _handler: H) -> Self {
        self
    }

    /// Answers requests to a subject, or to all that a pattern matches, wherever it lies.
    pub fn handle_subject<A, H: Handler<A, S>>(self, _pattern: &str, _handler: H) -> Self {
        self
    }

    /// Wraps the handlers added so far; the layer added last is the outermost.
    #[cfg(feature = "tower")]
    pub fn layer<L>(self, _layer: L) -> Self {
        self
    }

    /// Calls that each handler works on at once, 1 to 65,535; the node keeps others waiting. 1,024 by default.
    pub fn concurrency(self, _calls: u32) -> Self {
        self
    }

    /// The group whose members share the requests. The service's name by default.
    pub fn group(self, _name: impl Into<String>) -> Self {
        self
    }

    /// No group: every instance gets requests for itself, for instance to answer [`Client::request_many`].
    pub fn ungrouped(self) -> Self {
        self
    }

    /// Announces the service and starts answering. Ready when the node has confirmed all handlers.
    ///
    /// # Errors
    /// [`Code::ServiceInvalid`](crate::Code::ServiceInvalid) for names that are malformed or there twice, no
    /// connection, or what the node refused.
    ///
    /// # Cancel safety
    /// Safe: what was announced is taken back.
    pub async fn spawn(self) -> Result<Server, Error> {
        unfinished()
    }
}

impl<S> std::fmt::Debug for ServiceBuilder<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceBuilder").field("client", &self.client).finish_non_exhaustive()
    }
}
