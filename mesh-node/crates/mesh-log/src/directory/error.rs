//! Why a data directory can't be used.

use std::{io, path::PathBuf};

use mesh_wire::code::Code;

use super::Uuid;

/// Why a data directory can't be used. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system says no.
    #[error("data directory {path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// It can't be written to.
    #[error("data directory {path} can't be written to: {source}")]
    ReadOnly {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process uses it.
    #[error("data directory {path} belongs to a running node")]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// There is none.
    #[error("{path} is not a data directory: it has no file DATA")]
    NotOne {
        /// The directory.
        path: PathBuf,
    },
    /// It has another format.
    #[error("data directory {path} has format {found}; this version reads {known}")]
    Version {
        /// The directory.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// It is another cluster's, by name.
    #[error("data directory {path} belongs to the cluster \"{found}\", not to \"{wanted}\"")]
    OtherCluster {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        wanted: String,
    },
    /// It is another cluster's, by UUID.
    #[error("data directory {path} belongs to the cluster {found}, not to {wanted}")]
    OtherClusterUuid {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        found: Uuid,
        /// Whose it should be.
        wanted: Uuid,
    },
    /// It is that of another number of its cluster.
    #[error("data directory {path} belongs to node number {found}, not to {wanted}")]
    OtherNumber {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        found: u64,
        /// Whose it should be.
        wanted: u64,
    },
    /// Its node has founded a cluster with other directories, or is about to.
    #[error("data directory {path} has agreed with other founders of its cluster")]
    OtherFounders {
        /// The directory.
        path: PathBuf,
    },
    /// It is another node's.
    #[error("data directory {path} belongs to the node \"{found}\", not to \"{wanted}\"")]
    OtherNode {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        wanted: String,
    },
    /// Parts of it are missing.
    #[error("data directory {path} is not whole: {what}")]
    Incomplete {
        /// The directory.
        path: PathBuf,
        /// What is missing.
        what: String,
    },
    /// The file that says what it is can't be read.
    #[error("{path} is damaged: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
}

impl Error {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Io { .. } => Code::DataDirUnusable,
            Self::InUse { .. } => Code::DataDirLocked,
            Self::Version { .. } => Code::DataDirVersion,
            Self::OtherCluster { .. } | Self::OtherClusterUuid { .. } | Self::OtherFounders { .. } => {
                Code::DataDirOtherCluster
            }
            Self::OtherNode { .. } | Self::OtherNumber { .. } => Code::DataDirOtherNode,
            Self::ReadOnly { .. } => Code::DataDirReadOnly,
            Self::Incomplete { .. } => Code::DataDirIncomplete,
            Self::Damaged { .. } => Code::DataDirDamaged,
            Self::NotOne { .. } => Code::DataDirMissing,
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
