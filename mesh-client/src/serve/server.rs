//! A running service.

use crate::unfinished::unfinished;

/// A running service. Dropping it stops intake and aborts its handlers; [`Server::drain`] lets them finish.
#[derive(Debug)]
#[must_use = "dropping it stops the service"]
pub struct Server {}

impl Server {
    /// Deregisters, stops intake and waits until the handlers that run have answered.
    ///
    /// # Cancel safety
    /// Intake stays stopped; handlers are aborted when the server is dropped.
    pub async fn drain(&self) {
        unfinished()
    }

    /// Waits until the service has ended: by [`Server::drain`], with its client, or because the node refused it.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn join(&self) {
        unfinished()
    }

    /// Calls taken so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        unfinished()
    }

    /// Calls that are being worked on.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        unfinished()
    }
}
