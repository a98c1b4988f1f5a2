//! The durable plane: what is kept on the disks of a quorum before it is acknowledged.
//!
//! ```text
//!   link on the first data thread ── a call ────────┐
//!   link on another one ──────────── a message ─────┤
//!   peers' frames ────────────────── a call ────────┼─► Plane ─► mesh_replica::host ─► groups
//!   the log's thread, the keeper's ─ a message ─────┤      │
//!   timer, operator ────────────────────────────────┘      └─► log's thread · keeper's · peers · links
//! ```
//! [`Durable`] is the actor, a thin shell; [`Plane`] is called by those who live on its thread, without a mailbox
//! between. Decisions are made by the cores: `mesh-replica` (consensus, snapshots), `mesh-shard` and `mesh-core` (what is
//! replicated). What is here carries messages, finds who leads a group, and knows who waits for what.

mod answer;
mod clock;
mod direct;
mod disk;
mod error;
mod fatal;
#[cfg(feature = "faults")]
mod faults;
mod forwards;
mod ingress;
mod leads;
mod nodes;
mod open;
mod operator;
mod outlets;
mod peers;
mod plane;
mod routes;
mod seen;
mod shell;
mod start;
mod steward;
mod view;
mod waiting;

pub use error::Error;
#[cfg(test)]
pub(crate) use view::ReplicaInfo;
pub use view::{Groups, Scrubbed};
pub(crate) use {
    ingress::{Gathering, forget, hand_over},
    outlets::{Outlet, write},
    peers::DurablePeers,
    plane::Plane,
    shell::{Change, Durable, HandOver, ListGroups},
    start::{StartDurable, open, start},
    view::GroupInfo,
};
