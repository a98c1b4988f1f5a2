//! Why what is in a data directory can't be used.

use std::path::PathBuf;

use mesh_log::{directory, keeper, log};
use mesh_replica::host;
use mesh_shard::bootstrap;
use mesh_wire::code::Code;

/// Why what is in a data directory can't be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The log can't be opened.
    #[error(transparent)]
    Log(#[from] log::OpenError),
    /// Segments and checkpoints can't be opened.
    #[error(transparent)]
    Store(#[from] keeper::OpenError),
    /// Something of it is lost, and there is no other node that has it.
    #[error("data directory {path} is damaged: {what}")]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// What is lost.
        what: String,
        /// The code of the worst of it.
        code: Code,
    },
    /// A group can't go on from its checkpoint.
    #[error(transparent)]
    Group(#[from] host::OpenError),
    /// The cluster can't begin like this.
    #[error(transparent)]
    Bootstrap(#[from] bootstrap::Error),
    /// The directory can't be written to.
    #[error(transparent)]
    Directory(#[from] directory::Error),
    /// What fails on purpose is not well-formed.
    #[error("MESH_FAULTS: {0}")]
    Faults(String),
    /// The system gives no thread.
    #[error("the threads of the disk can't be started: {0}")]
    Threads(#[from] std::io::Error),
    /// The thread that was to have it is gone.
    #[error("the node ended while it started")]
    Ended,
}

impl Error {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Log(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Damaged { code, .. } => *code,
            Self::Group(_) => Code::CheckpointDamaged,
            Self::Bootstrap(error) => error.code(),
            Self::Directory(error) => error.code(),
            Self::Faults(_) => Code::ConfigBadValue,
            Self::Threads(_) | Self::Ended => Code::InternalError,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Damaged { path, .. } => format!(
                "Look at it: `mesh-node log verify {0}`. Put back a copy of the directory, or go on with what can be \
                 read: `mesh-node log repair --accept-loss {0}`.",
                path.display()
            ),
            other => other.code().hint().to_owned(),
        }
    }
}
