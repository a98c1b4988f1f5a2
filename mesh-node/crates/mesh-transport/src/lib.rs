//! How two ends of a Mesh link find and reach each other: endpoints, three carriers, and who is at the other end.
//!
//! ```text
//!  node                                                client, or another node
//!  listen::Listener   a Unix socket                    Endpoint::from_str / candidate_socket_paths
//!  quic::Listener     UDP                                   │
//!  tls::Listener      TCP                                   ▼
//!        │ accept, handshake  ◄──────────────────────  connect::open
//!        ▼                                                  ▼
//!    link::Link                                         link::Link
//! ```
//!
//! A link is lanes of bytes; what travels on them is the business of `mesh-wire`, and who may be at the other end that
//! of `mesh-identity`.

pub mod buffers;
pub mod connect;
mod dialled;
pub mod endpoint;
pub mod handshake;
pub mod link;
pub mod listen;
pub mod peer;
pub mod quic;
mod side;
mod socket;
pub mod socket_path;
pub mod tls;
