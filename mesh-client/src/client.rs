//! The client itself.

use std::time::Duration;

use crate::builder::ClientBuilder;
use crate::call::CallBuilder;
use crate::drain::DrainBuilder;
use crate::error::Error;
use crate::event::Events;
use crate::gather::GatherBuilder;
use crate::node_info::NodeInfo;
use crate::payload::Encode;
use crate::publish::PublishBuilder;
use crate::request::RequestBuilder;
use crate::serve::ServiceBuilder;
use crate::subscribe::SubscribeBuilder;
use crate::unfinished::unfinished;

/// A connection to a node that repairs itself. Cheap to clone; every clone is the same connection.
///
/// The connection closes when the last clone, subscription and service of it is gone, once everything sent was
/// written. To be sure that it was, use [`Client::flush`] or [`Client::drain`].
///
/// Must be made and used inside a Tokio runtime; the runtime that made it drives it.
#[derive(Debug, Clone)]
pub struct Client {}

impl Client {
    /// Starts setting up a client.
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Connects to the endpoint of `MESH_URL` (several are separated by commas), with the token of `MESH_TOKEN`, and
    /// without `MESH_URL` to the first of the default places where a node listens.
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
        unfinished()
    }

    /// What happens to the connection from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        unfinished()
    }

    /// The node that this client is connected to; `None` while it is not.
    #[must_use]
    pub fn node_info(&self) -> Option<NodeInfo> {
        unfinished()
    }

    /// Whether the connection is up right now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        unfinished()
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
        unfinished()
    }
}
