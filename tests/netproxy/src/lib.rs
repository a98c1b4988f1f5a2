//! A network that misbehaves on purpose, in userspace: a UDP proxy for one directed link, driven by a seed.
//!
//! ```text
//!             up: towards the target                       one socket per client
//!  client ──► [ faults · queue ] ──► proxy ──► target      the target sees as many peers
//!         ◄── [ faults · queue ] ◄──       ◄──             as there are clients
//!             down: back to the client
//! ```
//! * [`Proxy`] listens on a loopback port and forwards. It has a thread of its own, so that tests of any kind may use it.
//! * Each [`Direction`] has [`Faults`] of its own, which may be changed while datagrams flow, and [`Counters`].
//! * What happens to datagram `n` of a direction is its [`Fate`]: a function of the seed, the direction and `n` alone. The
//!   same seed and the same faults give the same fates; only when datagrams arrive is not repeated.
//! * [`Path`] applies fates: the pure core of a direction. The proxy around it only moves bytes.
//!
//! It works on datagrams as ordinary sockets see them: one per receive, whatever the sender's or receiver's kernel joins or
//! splits. Addresses, ports and ECN marks are not carried over. Corrupt datagrams have a right UDP checksum: it is for
//! whatever runs over UDP to find them.
//!
//! ```no_run
//! use std::time::Duration;
//! use mesh_netproxy::{Direction, Faults, Plan, Probability, Proxy};
//!
//! let target = "127.0.0.1:7400".parse()?;
//! let faults = Faults::NONE
//!     .loss(Probability::percent(5))
//!     .delay(Duration::from_millis(2), Duration::from_millis(10))
//!     .reorder(Probability::percent(5));
//! let proxy = Proxy::start(target, 42, Plan::both(faults))?;
//! // … clients talk to proxy.address() …
//! proxy.cut(Direction::Down); // half-open: the target hears, the clients do not
//! proxy.heal();
//! assert_eq!(proxy.counters(Direction::Up).cut, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The binary of the same name does the same for scripts: faults by flags, commands on standard input, counters as JSON.

mod clients;
mod counters;
mod direction;
mod fate;
mod faults;
mod path;
mod plan;
mod probability;
mod proxy;
mod shell;
mod socket;

pub use counters::Counters;
pub use direction::Direction;
pub use fate::{Fate, corrupt};
pub use faults::{Delay, DelayError, Faults, QUEUE_DATAGRAMS, REORDER_DELAY};
pub use path::{Path, Verdict};
pub use plan::{CLIENTS_MAX, Plan};
pub use probability::{Probability, ProbabilityError};
pub use proxy::Proxy;
