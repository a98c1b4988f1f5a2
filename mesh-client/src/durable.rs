//! The durable plane, seen from a client: what is put is on the disks of a quorum before it is acknowledged.
//!
//! ```text
//!   Producer ─► Line ─► Window ─► outbox ─► node
//!      ▲         └─ its task: what could not be sent at once, what is sent again, what is out of time
//!      └── Acknowledgement ◄── PUT_OK ◄── link's task
//! ```
//! [`window`] decides what is sent and when, and what each answer means; [`line`] does it. [`ask`] is for what may be
//! asked twice: declarations and reads. [`patience`] says when the node is left for another one.

pub(crate) mod ask;
pub(crate) mod line;
pub(crate) mod lines;
pub(crate) mod patience;
pub(crate) mod producer;
mod window;
