//! How a proxy starts.

use std::net::SocketAddr;

use crate::Faults;

/// Most clients that a proxy knows at a time when nothing else is said. Each has a socket.
pub const CLIENTS_MAX: usize = 4 * 1024;

/// How a proxy starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// What happens to datagrams from clients.
    pub up: Faults,
    /// What happens to datagrams from the target.
    pub down: Faults,
    /// Where to listen; a port of loopback that the system chooses when none is said.
    pub listen: Option<SocketAddr>,
    /// Most clients that are known at a time. A further one takes the place of the one that was silent the longest.
    pub clients_max: usize,
}

impl Plan {
    /// A network without faults.
    pub const NONE: Self = Self::both(Faults::NONE);

    /// The same faults in both directions.
    #[must_use]
    pub const fn both(faults: Faults) -> Self {
        Self { up: faults, down: faults, listen: None, clients_max: CLIENTS_MAX }
    }

    /// With other faults towards the target.
    #[must_use]
    pub const fn up(self, up: Faults) -> Self {
        Self { up, ..self }
    }

    /// With other faults towards clients.
    #[must_use]
    pub const fn down(self, down: Faults) -> Self {
        Self { down, ..self }
    }

    /// With an address to listen on.
    #[must_use]
    pub const fn listen(self, listen: SocketAddr) -> Self {
        Self { listen: Some(listen), ..self }
    }

    /// With another bound on clients; at least one.
    #[must_use]
    pub const fn clients_max(self, clients_max: usize) -> Self {
        Self { clients_max: if clients_max == 0 { 1 } else { clients_max }, ..self }
    }
}
