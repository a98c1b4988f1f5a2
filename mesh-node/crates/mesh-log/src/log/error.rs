//! Why a log can't be opened or written.

use std::{io, path::PathBuf};

use mesh_wire::code::Code;

/// Why a log can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The system says no.
    #[error("{path}: {source}")]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// A file is written in a format that this version does not know.
    #[error("{path} has format {found} of the log; this version reads {known}")]
    Version {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// A file belongs to another log, or has another's name.
    #[error("{path} belongs to another data directory, or was renamed")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The size of files is out of its range.
    #[error("files of {bytes} bytes: it must be a multiple of 4096 from 64 KiB to 1 GiB")]
    FileBytes {
        /// What was asked for.
        bytes: u64,
    },
}

impl OpenError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Io { .. } | Self::Foreign { .. } => Code::LogUnreadable,
            Self::Version { .. } => Code::DataDirVersion,
            Self::FileBytes { .. } => Code::ConfigBadValue,
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

/// Why records were not written. After anything but [`WriteError::Full`] and [`WriteError::TooLarge`] the process has to
/// end: what was written may be durable or not, and nothing may be acknowledged that relies on it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// There is no room for the next file. Nothing was written, nothing is broken: try later.
    #[error("no room on the disk for the next file of the log")]
    Full,
    /// A record does not fit into a file. Nothing was written.
    #[error("a record of {len} bytes; a file of the log has room for {max}")]
    TooLarge {
        /// Its bytes.
        len: usize,
        /// The most that there may be.
        max: usize,
    },
    /// Writing or syncing failed.
    #[error("the log can't be written ({what}): {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// Writing failed before, and what is on disk is not known.
    #[error("the log failed before and takes nothing any more")]
    Broken,
}

impl WriteError {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Full => Code::LogFull,
            Self::TooLarge { .. } => Code::LogRecordTooLarge,
            Self::Io { .. } | Self::Broken => Code::LogWriteFailed,
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
        matches!(self, Self::Full)
    }

    /// Whether the process has to end.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::Full | Self::TooLarge { .. })
    }
}
