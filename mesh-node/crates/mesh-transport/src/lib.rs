//! How two ends of a Mesh link find and reach each other: endpoints, Unix sockets and who is at the other end.
//!
//! ```text
//!  node                                                client
//!  UnixListenerOptions ─► Listener::bind               Endpoint::from_str / candidate_socket_paths
//!                              │ lock, stale file,          │
//!                              │ mode, listen               ▼
//!                          accept ◄──────────────────── connect
//!                              │ Admission::check(peer)
//!                  Incoming::Admitted / Incoming::Refused
//! ```
//!
//! A link is a byte stream; what travels on it is the business of `mesh-wire`. QUIC endpoints are not supported yet.

pub mod buffers;
pub mod connect;
pub mod endpoint;
pub mod link;
pub mod listen;
pub mod peer;
pub mod socket_path;
