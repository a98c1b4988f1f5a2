//! Peers that do over QUIC what no client library would, for the trials.
//!
//! ```text
//!  initials() ── first packets of handshakes that never go on, from as many ports as wanted
//!  Hostile ───── a QUIC endpoint with a certificate or without, that trusts anybody
//!    Tamper ──── rewrites its packets just before they are encrypted: gaps in streams, no regard for limits
//! ```
//! Nothing here knows frames of Mesh: what is said on a stream is for whoever opens it.

mod frames;
mod initials;
mod peer;
mod tamper;

pub use initials::initials;
pub use peer::{Credentials, Hostile};
pub use tamper::Tamper;
