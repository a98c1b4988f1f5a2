//! Why a keeper can't be opened.

use std::{
    io,
    path::{Path, PathBuf},
};

use mesh_wire::code::Code;

/// Why a keeper can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The system refuses.
    #[error("{path}: {source}")]
    Io {
        /// What was to be read or made.
        path: PathBuf,
        /// Why it could not be.
        source: io::Error,
    },
}

impl OpenError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::StoreUnreadable
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}
