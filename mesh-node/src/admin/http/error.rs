//! What can be in the way of the admin HTTP server.

use std::io;
use std::net::SocketAddr;

use mesh_wire::code::Code;

/// Why the admin HTTP server can't listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// Another process listens there.
    #[error("the admin HTTP address {address} is in use")]
    InUse {
        /// The address.
        address: SocketAddr,
    },
    /// The system does not let this process listen there.
    #[error("the admin HTTP server can't listen on {address}: {source}")]
    Unusable {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl HttpError {
    pub(super) fn new(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::InUse { address },
            _ => Self::Unusable { address, source },
        }
    }

    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::InUse { .. } => Code::HttpAddressInUse,
            Self::Unusable { .. } => Code::HttpUnusable,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::InUse { address } => format!(
                "another node may have it: choose another port (mesh-node --http {}), any free one (--http {}), or \
                 none (--http off)",
                SocketAddr::new(address.ip(), address.port().checked_add(1).unwrap_or(7481)),
                SocketAddr::new(address.ip(), 0),
            ),
            Self::Unusable { .. } => self.code().hint().to_owned(),
        }
    }

    /// Whether the same address may be had later: when whoever has it ends.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::InUse { .. })
    }
}
