//! Why a node does not start.

use std::{io::ErrorKind, net::SocketAddr};

use mesh_identity::{set, tokens};
use mesh_log::directory;
use mesh_transport::listen;
use mesh_wire::code::Code;

use crate::{admin::HttpError, durable};

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The socket can't be had.
    #[error(transparent)]
    Listen(#[from] listen::Error),
    /// The address for clients or peers can't be had.
    #[error("can't listen on {address}: {source}")]
    Network {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The certificates can't be used.
    #[error("certificates: {0}")]
    Certificates(#[from] set::Error),
    /// The keys of tokens can't be used.
    #[error("keys of tokens: {0}")]
    Tokens(#[from] tokens::Error),
    /// The admin HTTP address can't be had.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The data directory can't be used.
    #[error(transparent)]
    DataDir(#[from] directory::Error),
    /// What is in the data directory can't be used.
    #[error(transparent)]
    Durable(#[from] durable::Error),
    /// The system gives no thread or runtime.
    #[error("the node's threads can't be started: {0}")]
    Threads(#[from] std::io::Error),
    /// The node's system thread ended before it was ready.
    #[error("the node ended while it started")]
    Ended,
}

impl Error {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Listen(error) => error.code(),
            Self::Http(error) => error.code(),
            Self::Network { source, .. } if source.kind() == ErrorKind::AddrInUse => Code::ListenInUse,
            Self::Network { .. } => Code::ListenUnusable,
            Self::Certificates(error) => error.code(),
            Self::Tokens(error) => error.code(),
            Self::DataDir(error) => error.code(),
            Self::Durable(error) => error.code(),
            Self::Threads(_) | Self::Ended => Code::InternalError,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Listen(error) => error.hint(),
            Self::Http(error) => error.hint(),
            Self::Certificates(error) => error.hint().to_owned(),
            Self::Tokens(error) => error.hint().to_owned(),
            Self::DataDir(error) => error.hint().to_owned(),
            Self::Durable(error) => error.hint(),
            other => other.code().hint().to_owned(),
        }
    }
}
