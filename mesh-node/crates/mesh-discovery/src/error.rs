//! What goes wrong.

use std::path::PathBuf;

use mesh_core::meta::Uuid;
use mesh_wire::{code::Code, name::Name};

use crate::record;

/// Why a node can't look for others, or not now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The settings can't be.
    #[error("discovery: {0}")]
    Settings(String),
    /// What the node says of itself can't be said.
    #[error("this node's registration: {0}")]
    Record(#[from] record::Error),
    /// The file of peers can't be used.
    #[error("the peers in {}: {reason}", path.display())]
    File {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Something between here and etcd.
    #[error("etcd: {}", .0.text)]
    Etcd(Trouble),
    /// Somebody else has the id, and lives.
    #[error("the id `{id}` is taken: {holder}")]
    IdTaken {
        /// The id.
        id: Name,
        /// Who has it, as far as it can be told.
        holder: String,
    },
    /// The directory is of another cluster than etcd.
    #[error("this node's data is of the cluster {own}, etcd knows {found} under its name")]
    OtherCluster {
        /// What the data directory says.
        own: Uuid,
        /// What etcd says.
        found: Uuid,
    },
    /// There is nowhere to decide it.
    #[error("a list of peers can't found a cluster")]
    CannotFound,
    /// This was taken back, or its runtime has ended.
    #[error("discovery has ended")]
    Ended,
}

/// What keeps a node from knowing who is there, for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The stable code.
    pub code: Code,
    /// What happened and where, in words.
    pub text: String,
}

impl Error {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Settings(_) => Code::DiscoveryInvalid,
            Self::Record(error) => error.code(),
            Self::File { .. } => Code::DiscoveryFileUnusable,
            Self::Etcd(trouble) => trouble.code,
            Self::IdTaken { .. } => Code::DiscoveryIdTaken,
            Self::OtherCluster { .. } => Code::DiscoveryOtherCluster,
            Self::CannotFound => Code::DiscoveryCannotFound,
            Self::Ended => Code::NodeStopped,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same can succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}

impl From<&Error> for Trouble {
    fn from(error: &Error) -> Self {
        Self { code: error.code(), text: error.to_string() }
    }
}
