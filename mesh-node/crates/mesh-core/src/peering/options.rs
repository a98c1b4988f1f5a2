//! Bounds and paces of peer links.

use std::time::Duration;

/// Bounds and paces of peer links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Most peers that there are links with.
    pub peers_max: usize,
    /// Most addresses that may be told.
    pub addresses_max: usize,
    /// The first wait before an address is dialled again; each further one is twice the one before. Of each wait, a
    /// random part of its second half is left out.
    pub backoff_min: Duration,
    /// The longest wait, and the one after a peer has left on purpose.
    pub backoff_max: Duration,
    /// Waits begin anew with the shortest once a link has lasted for so long: one that is cut as soon as it is up does
    /// not count as a success.
    pub stable: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            peers_max: 64,
            addresses_max: 256,
            backoff_min: Duration::from_millis(50),
            backoff_max: Duration::from_secs(5),
            stable: Duration::from_secs(5),
        }
    }
}
