//! Why certificate files make no set.

use std::io;
use std::path::PathBuf;

use mesh_wire::code::Code;

use crate::verify;

/// Why a set of certificates was not loaded. Each one names the file that is to be mended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory can't be read.
    #[error("{} can't be read: {source}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: {detail}", path.display())]
    Malformed {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The private key is not the one of the certificate.
    #[error("the key in {} does not belong to the certificate in {}", key.display(), cert.display())]
    KeyMismatch {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// A file that is needed is not there.
    #[error("{}: {detail}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
        /// What was looked for.
        detail: String,
    },
    /// Several certificates could be meant.
    #[error("{} holds the certificates of several services: {}", path.display(), found.join(", "))]
    Ambiguous {
        /// The directory.
        path: PathBuf,
        /// The names of the services.
        found: Vec<String>,
    },
    /// A revocation list can't be used.
    #[error("{}: {detail}", path.display())]
    Crl {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The own certificate would be refused by everybody.
    #[error("{}: {error}", path.display())]
    Own {
        /// The file of the certificate.
        path: PathBuf,
        /// Why it would be refused.
        error: verify::Error,
    },
}

impl Error {
    /// The stable code of this error.
    pub fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } => Code::CertsUnreadable,
            Self::Malformed { .. } => Code::CertsMalformed,
            Self::KeyMismatch { .. } => Code::CertsKeyMismatch,
            Self::Missing { .. } => Code::CertsMissing,
            Self::Ambiguous { .. } => Code::CertsAmbiguous,
            Self::Crl { .. } => Code::CrlUnusable,
            Self::Own { error, .. } => error.code(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same can succeed later without being changed: no, files have to be mended.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}
