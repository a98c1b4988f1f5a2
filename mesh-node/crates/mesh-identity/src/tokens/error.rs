//! Why a token is refused.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use mesh_wire::code::Code;

use crate::verify::text;

/// Why a token, or the file of keys, is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It can't be read.
    #[error("the token can't be read: {detail}")]
    Malformed {
        /// What is wrong with it.
        detail: String,
    },
    /// Its algorithm is none of ours, or not the one of its key.
    #[error("the token's algorithm {algorithm:?} is not accepted")]
    Algorithm {
        /// Its algorithm.
        algorithm: String,
    },
    /// Its key is not in the file.
    #[error("the token's key {kid:?} is not known")]
    KeyUnknown {
        /// The id of the key.
        kid: String,
    },
    /// Its key did not sign it.
    #[error("the token's signature is wrong")]
    Signature,
    /// It is for somebody else.
    #[error("the token is not meant for {wanted:?}")]
    Audience {
        /// Whom it should be for.
        wanted: String,
    },
    /// It is over.
    #[error("the token expired at {}", text(*expires))]
    Expired {
        /// When it was over.
        expires: SystemTime,
    },
    /// It has not begun.
    #[error("the token is not valid before {}", text(*not_before))]
    NotYetValid {
        /// When it begins.
        not_before: SystemTime,
    },
    /// It names nobody who could be a service.
    #[error("the token's subject is not a name of a service: {detail}")]
    Subject {
        /// What is wrong with it.
        detail: String,
    },
    /// The file of keys can't be used.
    #[error("{}: {detail}", path.display())]
    Keys {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
}

impl Error {
    /// The stable code of this error.
    pub fn code(&self) -> Code {
        match self {
            Self::Malformed { .. } => Code::TokenMalformed,
            Self::Algorithm { .. } => Code::TokenAlgorithm,
            Self::KeyUnknown { .. } => Code::TokenKeyUnknown,
            Self::Signature => Code::TokenSignature,
            Self::Audience { .. } => Code::TokenAudience,
            Self::Expired { .. } => Code::TokenExpired,
            Self::NotYetValid { .. } => Code::TokenNotYetValid,
            Self::Subject { .. } => Code::TokenSubject,
            Self::Keys { .. } => Code::JwksUnusable,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same token can be accepted later: no.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }

    pub(super) fn malformed(detail: impl Display) -> Self {
        Self::Malformed { detail: detail.to_string() }
    }

    pub(super) fn keys(path: &Path, detail: impl Display) -> Self {
        Self::Keys { path: path.to_owned(), detail: detail.to_string() }
    }
}
