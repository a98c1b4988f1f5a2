//! The link to the node: what is shared between callers and the one task that reads and writes.
//!
//! ```text
//!  callers ──► Outbox ──► Pump ──► lanes
//!  Feed, Requests, Hub ◄── dispatch ◄── Pump ◄── lanes           Driver: connects, restores, pumps, connects again
//! ```

pub(crate) mod bulk;
pub(crate) mod dial;
pub(crate) mod dispatch;
pub(crate) mod driver;
pub(crate) mod feed;
pub(crate) mod handshake;
pub(crate) mod hub;
pub(crate) mod inbox;
pub(crate) mod lanes;
pub(crate) mod outbox;
pub(crate) mod pump;
pub(crate) mod restore;
pub(crate) mod shared;
