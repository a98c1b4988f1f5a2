//! Replicated groups: what a quorum of nodes has on disk, each node applies in the same order.
//!
//! ```text
//!   propose, read ─►┌──────────────────────── Host ─────────────────────────┐─► write  ─► log (one fsync for all groups)
//!   peers' messages │ door ─► Group: raft ─► committed entries ─► Machine   │─► send   ─► peers
//!   written, done ─►│         Group …                                       │─► job    ─► segments, checkpoints
//!   time ──────────►└───────────────────────────────────────────────────────┘─► answers to proposals and reads
//! ```
//! A [`host`] drives all groups of one thread and is sans-io: `handle_*(now, input)`, then `poll_output()` until it is
//! empty, and `poll_timeout()`. The same seed and inputs give the same outputs. Consensus is Raft (Ongaro, Ousterhout:
//! "In Search of an Understandable Consensus Algorithm", 2014) by the crate `raft`.

pub mod clock;
pub mod codec;
pub mod door;
mod forming;
mod group;
pub mod host;
pub mod id;
pub mod ident;
pub mod machine;
pub mod manifest;
pub mod members;
pub mod message;
pub mod options;
pub mod output;
pub mod pull;
pub mod refused;
mod storage;
pub mod view;

pub use group::whole;
