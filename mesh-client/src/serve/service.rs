//! Setting up a service.

use std::collections::HashSet;
use std::sync::Arc;

use mesh_wire::body::{ModeV1, OverflowV1, ServiceV1, SubscribeV1};
use mesh_wire::code::Code;
use mesh_wire::name::Name;
use mesh_wire::subject::Pattern;

use super::endpoint::Endpoint;
use super::probe::About;
use super::route::Route;
use super::{Handler, Server, ServerState};
use crate::client::Client;
use crate::error::Error;
use crate::subscribe::{self, SlowPolicy};

/// Calls that each handler works on at once, if nothing else is said.
const CONCURRENCY: u32 = 1_024;

/// A service about to be started; see [`Client::serve`].
#[must_use = "nothing is served until `spawn` is awaited"]
pub struct ServiceBuilder<S> {
    client: Client,
    state: S,
    name: String,
    version: String,
    description: String,
    group: Option<String>,
    concurrency: u32,
    routes: Vec<(String, Route)>,
}

impl ServiceBuilder<()> {
    pub(crate) fn new(client: &Client, name: &str) -> Self {
        Self {
            client: client.clone(),
            state: (),
            name: name.to_owned(),
            version: "0.0.0".to_owned(),
            description: String::new(),
            group: Some(name.to_owned()),
            concurrency: CONCURRENCY,
            routes: Vec::new(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> ServiceBuilder<S> {
    /// The service's version, as listings show it.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// One line on what the service does.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// What handlers added from here on can take by [`State`](super::State).
    pub fn state<T: Clone + Send + Sync + 'static>(self, state: T) -> ServiceBuilder<T> {
        ServiceBuilder {
            client: self.client,
            state,
            name: self.name,
            version: self.version,
            description: self.description,
            group: self.group,
            concurrency: self.concurrency,
            routes: self.routes,
        }
    }

    /// Answers requests to `SERVICE.NAME`. All instances of a service share the requests.
    pub fn handle<A: 'static, H: Handler<A, S>>(self, name: &str, handler: H) -> Self {
        let subject = format!("{}.{name}", self.name);
        self.handle_subject(&subject, handler)
    }

    /// Answers requests to a subject, or to all that a pattern matches, wherever it lies.
    pub fn handle_subject<A: 'static, H: Handler<A, S>>(mut self, pattern: &str, handler: H) -> Self {
        self.routes.push((pattern.to_owned(), Route::of_handler(handler, self.state.clone())));
        self
    }

    /// Wraps the handlers added so far; the layer added last is the outermost. An error of the layer refuses the
    /// request with [`Code::RequestRefused`] and its text.
    ///
    /// Layers that look at each other's readiness, as load shedding does at a limit, belong into one call, stacked by
    /// `tower::ServiceBuilder`.
    ///
    /// ```no_run
    /// # async fn example(mesh: mesh_client::Client) -> Result<(), mesh_client::Error> {
    /// use tower::limit::ConcurrencyLimitLayer;
    /// let server = mesh
    ///     .serve("echo")
    ///     .handle("it", |text: mesh_client::serve::Raw| async move { text.0 })
    ///     .layer(ConcurrencyLimitLayer::new(256))
    ///     .spawn()
    ///     .await?;
    /// # drop(server); Ok(())
    /// # }
    /// ```
    #[cfg(feature = "tower")]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: tower::Layer<Route>,
        L::Service: tower::Service<super::Request, Response = super::Response> + Clone + Send + 'static,
        <L::Service as tower::Service<super::Request>>::Error: Into<tower::BoxError>,
        <L::Service as tower::Service<super::Request>>::Future: Send,
    {
        self.routes =
            self.routes.into_iter().map(|(pattern, route)| (pattern, route.layered(&layer))).collect();
        self
    }

    /// Calls that each handler works on at once, 1 to 65,535; the node refuses more with
    /// [`Code::ResponderBusy`] where no other instance has room. 1,024 by default.
    pub fn concurrency(mut self, calls: u32) -> Self {
        self.concurrency = calls;
        self
    }

    /// The group whose members share the requests. The service's name by default.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.group = Some(name.into());
        self
    }

    /// No group: every instance gets requests for itself, for instance to answer [`Client::request_many`].
    pub fn ungrouped(mut self) -> Self {
        self.group = None;
        self
    }

    /// Announces the service and starts answering. Ready when the node has confirmed all handlers; while the client
    /// is disconnected it waits.
    ///
    /// # Errors
    /// [`Code::ServiceInvalid`] for a service without handlers or with two for one subject, the codes of malformed
    /// names and subjects, or what the node refused it with.
    ///
    /// # Cancel safety
    /// Safe: what was announced is taken back.
    pub async fn spawn(self) -> Result<Server, Error> {
        self.check()?;
        let shared = self.client.shared();
        let unclaimed: Vec<_> = self
            .routes
            .iter()
            .map(|(pattern, _)| subscribe::add(shared, pattern, SlowPolicy::DropNewest, self.spec()))
            .collect::<Result<_, _>>()?;
        let about = Arc::new(About {
            service: self.name.clone(),
            version: self.version.clone(),
            description: self.description.clone(),
            name: shared.name.clone(),
            pid: std::process::id(),
        });
        // Calls may come before all is confirmed: they wait in the feeds.
        let endpoints: Vec<_> = unclaimed
            .iter()
            .zip(&self.routes)
            .map(|(unclaimed, (_, route))| {
                Endpoint::new(
                    Arc::clone(shared),
                    Arc::clone(unclaimed.feed()),
                    route.clone(),
                    Arc::clone(&about),
                )
            })
            .collect();
        let parts = endpoints.iter().map(|e| (Arc::clone(&e.feed), Arc::clone(&e.calls))).collect();
        let state = ServerState::new(Arc::clone(shared), parts);
        for one in &unclaimed {
            one.confirmed().await?;
        }
        // All or nothing: until here, whatever goes wrong takes all back.
        unclaimed.into_iter().for_each(|one| drop(one.claim()));
        let tasks = endpoints
            .into_iter()
            .map(|endpoint| {
                let state = Arc::clone(&state);
                let task = tokio::spawn(async move {
                    endpoint.run().await;
                    state.endpoint_ended();
                });
                task.abort_handle()
            })
            .collect();
        let mut servers = shared.servers.lock();
        servers.retain(|server| server.strong_count() > 0);
        servers.push(Arc::downgrade(&state));
        drop(servers);
        Ok(Server::new(self.client, state, tasks))
    }

    fn check(&self) -> Result<(), Error> {
        Name::check(self.name.as_bytes()).map_err(|error| {
            Error::new(error.code(), format!("{:?} is no name of a service", self.name))
                .with_cause(error.to_string())
        })?;
        if self.routes.is_empty() {
            return Err(Error::of(Code::ServiceInvalid).with_cause("it has no handler"));
        }
        let mut seen = HashSet::new();
        for (pattern, _) in &self.routes {
            Pattern::check_unreserved(pattern.as_bytes()).map_err(|error| {
                Error::new(error.code(), format!("{pattern:?} can't be served")).with_cause(error.to_string())
            })?;
            if !seen.insert(pattern) {
                let cause = format!("there are two handlers for {pattern:?}");
                return Err(Error::of(Code::ServiceInvalid).with_cause(cause));
            }
        }
        Ok(())
    }

    fn spec(&self) -> SubscribeV1 {
        SubscribeV1 {
            group: self.group.clone(),
            mode: ModeV1::Responder,
            credit: self.concurrency,
            pending_messages: 0,
            pending_bytes: 0,
            overflow: OverflowV1::DropNewest,
            service: Some(ServiceV1 {
                name: self.name.clone(),
                version: self.version.clone(),
                description: self.description.clone(),
            }),
        }
    }
}

impl<S> std::fmt::Debug for ServiceBuilder<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let subjects: Vec<_> = self.routes.iter().map(|(pattern, _)| pattern).collect();
        f.debug_struct("ServiceBuilder")
            .field("name", &self.name)
            .field("subjects", &subjects)
            .finish_non_exhaustive()
    }
}
