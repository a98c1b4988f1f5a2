//! The Mesh daemon as a library: start it in a process of its own by `mesh-node`, or inside a test.
//!
//! ```text
//!  main ─► cli ─► config ─► Node::start ─┬─ system thread: Router, Supervisor, acceptor
//!                                        ├─ data threads: links, their Subscriber actors, the switch
//!                                        └─ admin thread: HTTP
//! ```
//! Decisions are made by the pure cores of `mesh-core`; what is here moves bytes and messages between them.

mod acceptor;
mod admin;
pub mod ask;
pub mod cli;
pub mod config;
pub mod durable;
mod in_flight;
mod inspector;
mod link;
mod listening;
pub mod metrics;
mod node;
mod peer;
mod refusals;
mod router;
mod seats;
mod security;
mod shared;
mod snapshot;
mod spin;
mod subscriber;
mod supervisor;
mod switch;
mod thread;

pub use admin::HttpError;
pub use node::{Error, Node};
