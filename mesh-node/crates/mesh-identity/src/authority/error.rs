//! Why a certificate was not made.

use std::io;
use std::path::PathBuf;

use mesh_wire::code::Code;

use super::NAMES_MAX;
use crate::set;

/// Why the authority did not do as told. Nothing was overwritten unless the error is of writing itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file is there already.
    #[error("{} exists already", path.display())]
    Exists {
        /// Which one.
        path: PathBuf,
    },
    /// There is no CA in the directory.
    #[error("there is no CA: {} does not exist", path.display())]
    NoAuthority {
        /// Its key.
        path: PathBuf,
    },
    /// A name can't be in a certificate.
    #[error("{name:?} is neither a DNS name nor an IP address that a certificate can carry")]
    BadName {
        /// The name.
        name: String,
    },
    /// More names than a certificate may carry.
    #[error("{count} names, {NAMES_MAX} are allowed")]
    TooManyNames {
        /// How many.
        count: usize,
    },
    /// There is no such certificate to revoke.
    #[error("{} holds no certificate of this CA for {id}", path.display())]
    Unknown {
        /// Where it was looked for.
        path: PathBuf,
        /// Whose certificate.
        id: String,
    },
    /// A file can't be written.
    #[error("{} can't be written: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The certificate or list can't be made.
    #[error("it could not be made: {0}")]
    Make(String),
    /// A file of the directory can't be used.
    #[error(transparent)]
    Files(#[from] set::Error),
}

impl Error {
    /// The stable code of this error.
    pub fn code(&self) -> Code {
        match self {
            Self::Exists { .. } => Code::CertsExist,
            Self::NoAuthority { .. } | Self::Unknown { .. } => Code::CertsMissing,
            Self::BadName { .. } | Self::TooManyNames { .. } | Self::Io { .. } | Self::Make(_) => {
                Code::CertsIssueFailed
            }
            Self::Files(error) => error.code(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same can succeed later without being changed: no.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}

impl From<rcgen::Error> for Error {
    fn from(error: rcgen::Error) -> Self {
        Self::Make(error.to_string())
    }
}
