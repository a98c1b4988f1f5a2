//! The one trait.

use std::{future::Future, pin::Pin, time::Duration};

use mesh_core::meta::Uuid;

use crate::{error::Error, event::Event, founding::Founded};

/// A future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who else is in the cluster. Made by [`crate::standalone::start`], [`crate::listed::start`] or [`crate::etcd::start`]
/// with what the node says of itself; owned by one actor. Dropping it ends it without a goodbye, as a crash would.
pub trait Discovery: Send {
    /// The next event; none after [`Event::Refused`] or [`Discovery::leave`].
    ///
    /// # Cancel safety
    /// No event is lost when the future is dropped.
    fn next(&mut self) -> BoxFuture<'_, Option<Event>>;

    /// Asks for a cluster: the one that there is, or a new one with this UUID and the first `expected` nodes. It is
    /// decided once, whoever asks and however often.
    ///
    /// # Errors
    /// [`Error::Etcd`] when it can't be asked now, [`Error::CannotFound`] when it never can, [`Error::Ended`].
    ///
    /// # Cancel safety
    /// Whether it was founded is not known; asking again tells.
    fn found(&mut self, cluster: Uuid, expected: usize) -> BoxFuture<'_, Result<Founded, Error>>;

    /// Says goodbye, takes the own registration back, and ends. Takes at most `within`; afterwards the registration goes
    /// with its lease.
    ///
    /// # Errors
    /// [`Error::Etcd`] when nobody could be told. It has ended nevertheless.
    fn leave(&mut self, within: Duration) -> BoxFuture<'_, Result<(), Error>>;
}
