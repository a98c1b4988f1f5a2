//! Peers that registered themselves in etcd.
//!
//! ```text
//!   /mesh/CLUSTER/nodes/ID     one node's record, under its lease           put by the node itself
//!   /mesh/CLUSTER/founding     the cluster's UUID and its first voters      put once, for good
//! ```
//! What to do, and when, is decided by [`crate::session`]; here is the shell around it: one task, which does what it is
//! told, one connection to one endpoint at a time.

mod call;
mod failure;
mod keys;
mod options;
mod shell;
mod task;

pub use self::options::{ENDPOINTS_MAX, Options, Tls, User};
use crate::{discovery::Discovery, error::Error, handle, record::Record, session::Session};

/// Starts it: a task on the runtime that this is called on. Whether etcd is there, tell the events.
///
/// # Errors
/// [`Error::Settings`], [`Error::Record`].
///
/// # Panics
/// When it is not called on a runtime of tokio.
pub fn start(own: Record, options: Options) -> Result<Box<dyn Discovery>, Error> {
    own.encode()?;
    let (handle, seat) = handle::pair();
    let shell = shell::Shell::new(&own.id, options.check()?);
    let session = Session::new(std::time::Instant::now(), own, options.of_session());
    tokio::spawn(task::run(seat, session, shell));
    Ok(Box::new(handle))
}
