//! The client itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mesh_wire::class::Class;
use mesh_wire::code::Code;
use mesh_wire::frame::{Kind, Parts};

use crate::answer::ended_error;
use crate::builder::ClientBuilder;
use crate::call::CallBuilder;
use crate::drain::DrainBuilder;
use crate::error::Error;
use crate::event::Events;
use crate::gather::GatherBuilder;
use crate::link::outbox::Place;
use crate::link::shared::{Shared, Stage};
use crate::node_info::NodeInfo;
use crate::payload::Encode;
use crate::publish::PublishBuilder;
use crate::request::RequestBuilder;
use crate::serve::ServiceBuilder;
use crate::subscribe::SubscribeBuilder;

/// A connection to a node that repairs itself. Cheap to clone; every clone is the same connection.
///
/// The connection closes when the last clone, subscription and service of it is gone, once everything sent was
/// written. To be sure that it was, use [`Client::flush`] or [`Client::drain`].
///
/// Must be made and used inside a Tokio runtime; the runtime that made it drives it.
#[derive(Debug, Clone)]
pub struct Client {
    alive: Arc<Alive>,
}

/// Closes the connection when nobody holds it any more.
#[derive(Debug)]
struct Alive {
    shared: Arc<Shared>,
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.shared.close();
    }
}

/// How long a ping may take: as long as the longest request.
const PING_TIMEOUT: Duration = Duration::from_secs(3600);

impl Client {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { alive: Arc::new(Alive { shared }) }
    }

    #[inline]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.alive.shared
    }

    /// Starts setting up a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Connects as the environment says, see [the list](crate#environment): to the endpoint of `MESH_URL`, with the
    /// certificates of `MESH_CERTS` and the token of `MESH_TOKEN`; without `MESH_URL` to the first of the default places
    /// where a node listens.
    ///
    /// # Errors
    /// As [`ClientBuilder::connect`].
    ///
    /// # Cancel safety
    /// Safe: nothing stays behind.
    pub async fn from_env() -> Result<Self, Error> {
        Self::builder().connect().await
    }

    /// Sends a message to everybody who subscribed to `subject`. At most once: nobody confirms it.
    ///
    /// Awaiting it gives room to breathe, not a receipt: it is ready as soon as the message stands in the outbox,
    /// which it does at once unless the node reads more slowly than this client writes.
    ///
    /// ```no_run
    /// # async fn example(mesh: mesh_client::Client) -> Result<(), mesh_client::Error> {
    /// mesh.publish("orders.created", "order 17").await?;
    /// mesh.publish("orders.created", b"\x00\x01").header("tenant", "a").key("17").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn publish<'a>(&'a self, subject: &'a str, body: impl Encode<'a>) -> PublishBuilder<'a> {
        PublishBuilder::new(self, subject, body.encode())
    }

    /// Subscribes to every subject that `pattern` matches: `*` stands for one token, a trailing `>` for the rest.
    ///
    /// ```no_run
    /// # async fn example(mesh: mesh_client::Client) -> Result<(), mesh_client::Error> {
    /// let mut orders = mesh.subscribe("orders.>").group("billing").capacity(1024).await?;
    /// while let Some(message) = orders.next().await {
    ///     println!("{}: {} bytes", message.subject(), message.body().len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe<'a>(&'a self, pattern: &'a str) -> SubscribeBuilder<'a> {
        SubscribeBuilder::new(self, pattern)
    }

    /// Asks whoever serves `subject`: exactly one responder gets the request.
    ///
    /// ```no_run
    /// # async fn example(mesh: mesh_client::Client) -> Result<(), mesh_client::Error> {
    /// use std::time::Duration;
    /// let reply = mesh.request("echo.it", "text").timeout(Duration::from_secs(2)).await?;
    /// assert_eq!(reply.text()?, "text");
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn request<'a>(&'a self, subject: &'a str, body: impl Encode<'a>) -> RequestBuilder<'a> {
        RequestBuilder::new(self, subject, body.encode())
    }

    /// Asks everybody who serves `subject`: each responder, but one member only of each group.
    pub fn request_many<'a>(&'a self, subject: &'a str, body: impl Encode<'a>) -> GatherBuilder<'a> {
        GatherBuilder::new(self, subject, body.encode())
    }

    /// A request whose reply is decoded into `Resp`.
    ///
    /// ```no_run
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize)] struct GetOrder { id: u64 }
    /// # #[derive(Deserialize)] struct Order { total: u64 }
    /// # async fn example(mesh: mesh_client::Client) -> Result<(), mesh_client::Error> {
    /// let order: Order = mesh.call("orders.get", &GetOrder { id: 17 }).idempotent().await?;
    /// # let _total = order.total; Ok(())
    /// # }
    /// ```
    pub fn call<'a, Resp>(&'a self, subject: &'a str, request: impl Encode<'a>) -> CallBuilder<'a, Resp> {
        CallBuilder::new(self.request(subject, request))
    }

    /// Starts a service of this name: handlers for requests under `NAME.…`.
    pub fn serve(&self, name: &str) -> ServiceBuilder<()> {
        ServiceBuilder::new(self, name)
    }

    /// Waits until the node has handled everything that was sent before.
    ///
    /// # Errors
    /// When the connection is down or is lost meanwhile.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn flush(&self) -> Result<(), Error> {
        self.ping().await.map(|_| ())
    }

    /// The time to the node and back, behind everything that was sent before.
    ///
    /// # Errors
    /// As [`Client::flush`].
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn ping(&self) -> Result<Duration, Error> {
        let sent = Instant::now();
        // Order holds within a lane: each one that is in use is asked.
        let mut pings = Vec::new();
        for class in self.shared().outbox.classes_in_use() {
            pings.push(self.send_ping(class, sent).await?);
        }
        for ping in pings {
            ping.answered().await?;
        }
        Ok(sent.elapsed())
    }

    async fn send_ping(&self, class: Class, now: Instant) -> Result<Ping<'_>, Error> {
        let shared = self.shared();
        let id = shared.requests.lock().open_one(now + PING_TIMEOUT, None);
        let id = id.ok_or_else(|| Error::of(Code::TooManyRequests))?;
        let ping = Ping { shared, id };
        let (mut behind, mut place) = (None, Place::default());
        let frame = Parts::bare(Kind::Ping, id);
        std::future::poll_fn(|cx| shared.outbox.poll_behind(class, &frame, &mut behind, &mut place, cx))
            .await
            .map_err(|refusal| shared.refused(refusal, ""))?;
        Ok(ping)
    }

    /// What happens to the connection from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(self.shared().hub.listen())
    }

    /// The node that this client is connected to; `None` while it is not.
    #[must_use]
    pub fn node_info(&self) -> Option<NodeInfo> {
        self.shared().node.lock().clone()
    }

    /// Who this client is to the node that it is connected to, see [`NodeInfo::identity`]; `None` while it is not.
    #[must_use]
    pub fn identity(&self) -> Option<String> {
        self.shared().node.lock().as_ref().map(|node| node.identity.clone())
    }

    /// Whether the connection is up right now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared().node.lock().is_some()
    }

    /// The name under which this client introduces itself.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared().name
    }

    /// Ends in good order: services deregister, intake stops, handlers finish, everything is flushed, the connection
    /// closes. Requests of this client go on until then.
    pub fn drain(&self) -> DrainBuilder<'_> {
        DrainBuilder::new(self)
    }

    /// Closes the connection once what was sent is written; requests under way end as disconnected.
    ///
    /// # Cancel safety
    /// Closing goes on when this future is dropped.
    pub async fn close(&self) {
        let shared = self.shared();
        shared.close();
        // The sender lives as long as this client.
        drop(shared.stage.subscribe().wait_for(|stage| *stage == Stage::Closed).await);
    }
}

/// A ping under way. Dropped, it is forgotten.
struct Ping<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Ping<'_> {
    async fn answered(&self) -> Result<(), Error> {
        std::future::poll_fn(|cx| {
            self.shared.requests.lock().poll_one(self.id, |waiter| *waiter = Some(cx.waker().clone()))
        })
        .await
        .map(drop)
        .map_err(|ended| ended_error(ended, "the node"))
    }
}

impl Drop for Ping<'_> {
    fn drop(&mut self) {
        self.shared.requests.lock().close(self.id);
    }
}
