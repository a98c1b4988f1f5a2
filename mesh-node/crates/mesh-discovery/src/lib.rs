//! Who else is in the cluster: nobody, a list, or what etcd says.
//!
//! # The picture
//! ```text
//!   standalone ─┐                        ┌─► Event: Snapshot, Joined, Changed, Left, Trouble, Recovered, …
//!   listed ─────┼─► task ─► feed ─► 16 ──┤
//!   etcd ───────┘            (joins what └── Discovery: next, found, leave ◄── one owner
//!     └ session (pure)        is not read)
//! ```
//! Each way of finding others is a task with a core. The task tells its owner what it knows as a [`Event::Snapshot`] and
//! changes of it. What the owner does not read in time is joined in the [`feed`], so that a slow owner costs no memory and
//! always ends with what is so.
//!
//! **What is not here is not gone.** Discovery says where peers may be found. That one is dead, says its link. A peer whose
//! registration went away ([`Left::Hint`]) and who still answers is there; an etcd that is away
//! ([`Event::Trouble`]) changes nothing of what is known.
//!
//! ADRs 0140 to 0143; for users: `docs/guide/discovery.md`.
//!
//! # Features
//! * `test-util`: real etcds on loopback ([`trial`]), for tests and trials.

pub mod discovery;
pub mod error;
pub mod etcd;
pub mod event;
pub mod feed;
pub mod founding;
mod handle;
pub mod listed;
pub mod peer;
pub mod record;
pub mod session;
pub mod standalone;
#[cfg(feature = "test-util")]
pub mod trial;

pub use self::{
    discovery::Discovery,
    error::{Error, Trouble},
    event::{Event, Left},
    founding::{Founded, Founding},
    peer::{Key, Peer},
    record::Record,
};
