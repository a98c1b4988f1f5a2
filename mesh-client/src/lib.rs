//! The client of a Mesh node: publish, subscribe, request, reply.
//!
//! ```text
//!  publish ──► outbox ──► lanes ──► node ──► lanes ──► reader ──► Subscription (a Stream)
//!  request ──► outbox ──► …                                   └─► the request's future, or Replies
//!  serve   ◄── calls, one handler each                         └─► ConnectionEvent
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
//! # Over a network
//! `unix://PATH` is a node on this machine, `quic://HOST:PORT` one anywhere, and `tls://HOST:PORT` the same where a
//! network lets no UDP through. A client may have endpoints of all three; it goes to the next one when one is lost or
//! refuses it.
//!
//! Links over a network are encrypted, and both sides show a certificate. A directory holds what a client needs: the CA
//! that nodes are verified with (`ca.pem`) and its own certificate and key (`service-NAME.pem`, `service-NAME.key`),
//! whose identity `spiffe://CLUSTER/service/NAME` is who it is to nodes and to the services that it calls.
//!
//! ```no_run
//! # async fn example() -> Result<(), mesh_client::Error> {
//! let mesh = mesh_client::Client::builder()
//!     .endpoint("quic://node-1.example:7400")
//!     .endpoint("quic://node-2.example:7400")
//!     .endpoint("tls://node-1.example:7400")
//!     .certs("/etc/mesh/certs") // what `mesh cert issue` writes, or a mounted secret with tls.crt and tls.key
//!     .identity("orders")
//!     .connect()
//!     .await?;
//! println!("connected as {}", mesh.identity().unwrap_or_default());
//! # Ok(())
//! # }
//! ```
//!
//! The files are looked at each second: a certificate or CA that is replaced counts from the next connect on, without a
//! restart. A set with a fault (half a file, a key of another certificate) is not taken; the old one stays, and
//! [`ConnectionEvent::Error`] says what is wrong. A link to a node whose certificate was revoked or has expired is ended.
//!
//! A node that takes tokens needs no certificate of a client: the CA alone ([`ClientBuilder::ca`]) and
//! [`ClientBuilder::token`]. A node that was started with `--insecure-loopback` needs nothing at all from clients on its
//! own machine: without any CA a client takes whoever listens on `127.0.0.1`, `::1` or `localhost`, and nobody else.
//!
//! Over QUIC requests, published messages and what is large travel in lanes of their own, so that none waits behind
//! another. Order between them is not promised, and was not before.
//!
//! # Environment
//! What is said to the [`ClientBuilder`] goes before what the environment says; of certificates as a whole.
//! * `MESH_URL`: endpoints, with commas between them.
//! * `MESH_CERTS`: the directory with certificates; `MESH_IDENTITY`: which service of it, where there are several.
//! * `MESH_CA`, `MESH_CERT`, `MESH_KEY`: files, where there is no directory.
//! * `MESH_TOKEN`: the token to show.
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
//! * `registers`: append-only lists of records that a cluster keeps on disk, for tests and benchmarks.
//! * `test-util`: a node in this process, for tests.

mod answer;
mod builder;
mod call;
mod client;
mod credentials;
mod drain;
#[cfg(feature = "registers")]
mod durable;
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
#[cfg(feature = "registers")]
mod register;
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
#[cfg(feature = "registers")]
pub use mesh_wire::batch::{BatchBuilder, Record};
pub use mesh_wire::code::{Code, ErrorKind};
pub use mesh_wire::header::{Headers, HeadersBuilder, HeadersRef, Value};

pub use crate::builder::ClientBuilder;
pub use crate::call::{CallBuilder, CallFuture};
pub use crate::client::Client;
pub use crate::drain::DrainBuilder;
#[cfg(feature = "registers")]
pub use crate::durable::producer::{Acknowledgement, Appended, Producer, ProducerBuilder};
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
#[cfg(feature = "registers")]
pub use crate::register::{Read, Register, Stored};
pub use crate::replies::Replies;
pub use crate::request::{RequestBuilder, RequestFuture};
pub use crate::subscribe::{SlowPolicy, SubscribeBuilder};
pub use crate::subscription::{Batch, Subscription};
