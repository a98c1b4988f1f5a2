//! Why work on a data directory failed.

use std::{io, path::PathBuf};

use mesh_wire::code::Code;

use crate::{keeper, log};

/// Why work on a data directory failed. What is damaged is no reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The log can't be opened.
    #[error(transparent)]
    Log(#[from] log::OpenError),
    /// Segments and checkpoints can't be opened.
    #[error(transparent)]
    Store(#[from] keeper::OpenError),
    /// The log can't be written.
    #[error(transparent)]
    Write(#[from] log::WriteError),
    /// A file can't be copied.
    #[error("{path}: {source}")]
    Copy {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What was found can't be told.
    #[error("the output can't be written: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Log(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Write(error) => error.code(),
            Self::Copy { .. } => Code::DataDirUnusable,
            Self::Output(_) => Code::OutputFailed,
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
