//! The client of a Mesh node: publish, subscribe, request, reply.
//!
//! ```text
//!  publish ──► outbox ──► socket ──► node ──► socket ──► reader ──► Subscription (a Stream)
//!  request ──► outbox ──► …                                     └─► the request's future, or Replies
//!  serve   ◄── calls, one handler each                           └─► ConnectionEvent
//! ```
//!
//! [`Client`] is the way in; it is cheap to clone and every clone is the same connection. Each verb gives a builder
//! that is awaited. The client connects again by itself and restores subscriptions and services; what is sent at most
//! once fails at once while it is disconnected, unless asked otherwise.
//!
//! ```no_run
//! # async fn example() -> Result<(), mesh_client::Error> {
//! use std::time::Duration;
//!
//! let mesh = mesh_client::Client::builder()
//!     .name("orders")
//!     .endpoint("unix:///run/mesh/mesh.sock")
//!     .connect()
//!     .await?;
//! let mut created = mesh.subscribe("orders.*.created").await?;
//! mesh.publish("orders.eu.created", "order 17").header("tenant", "a").await?;
//! if let Some(message) = created.next().await {
//!     println!("{}: {}", message.subject(), message.text()?);
//! }
//! let reply = mesh.request("orders.get", "17").timeout(Duration::from_secs(1)).await?;
//! # drop(reply);
//! mesh.drain().deadline(Duration::from_secs(20)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//! Messages are delivered at most once and in order from one publisher to one subscription on one subject, as long as
//! neither reconnects. A request ends in exactly one way: a reply (or a series and its end), or an error that says
//! which. See [`Error::kind`] and `mesh explain` for the codes.
//!
//! # Features
//! * `tower` (on by default): layers around the handlers of a service.
//! * `json`: bodies in JSON beside postcard.
//! * `otel`: the trace context of the current span goes out with messages, and handlers run in spans of their own.
//! * `test-util`: a node in this process, for tests.

mod answer;
mod builder;
mod call;
mod client;
mod credentials;
mod drain;
mod error;
mod event;
mod gather;
mod link;
mod message;
mod node_info;
mod outgoing;
mod payload;
mod publish;
mod reconnect;
mod replies;
mod request;
pub mod serve;
mod state;
mod subscribe;
mod subscription;
#[cfg(feature = "test-util")]
pub mod test_util;
mod trace;

pub use mesh_telemetry::trace_context::TraceContext;
pub use mesh_transport::link::Carrier;
pub use mesh_wire::code::{Code, ErrorKind};
pub use mesh_wire::header::{Headers, HeadersBuilder, HeadersRef, Value};

pub use crate::builder::ClientBuilder;
pub use crate::call::{CallBuilder, CallFuture};
pub use crate::client::Client;
pub use crate::drain::DrainBuilder;
pub use crate::error::{Error, Failure};
pub use crate::event::{ConnectionEvent, Events};
pub use crate::gather::GatherBuilder;
pub use crate::message::Message;
pub use crate::node_info::NodeInfo;
#[cfg(feature = "json")]
pub use crate::payload::Json;
pub use crate::payload::{Encode, Encoding, Payload};
pub use crate::publish::{PublishBuilder, PublishFuture};
pub use crate::reconnect::ReconnectPolicy;
pub use crate::replies::Replies;
pub use crate::request::{RequestBuilder, RequestFuture};
pub use crate::subscribe::{SlowPolicy, SubscribeBuilder};
pub use crate::subscription::{Batch, Subscription};
