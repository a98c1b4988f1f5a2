//! What can be wrong with a configuration.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use mesh_wire::code::Code;

use super::Source;
use super::file::FILE_BYTES;

/// Why a configuration is refused. A node with such a configuration does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file can't be read.
    #[error("can't read {path:?}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is larger than any configuration.
    #[error("{path:?} has more than {FILE_BYTES} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not TOML.
    #[error("{path:?} is not valid TOML: {message}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        message: String,
    },
    /// A key that means nothing.
    #[error("unknown key `{key}` ({source_of_it})")]
    UnknownKey {
        /// The key, or the environment variable that would name it.
        key: String,
        /// Where it stands.
        source_of_it: Source,
        /// The known key that is nearest to it.
        suggestion: Option<String>,
    },
    /// A value that its key does not take.
    #[error("`{key}` can't be {value} ({source_of_it})")]
    BadValue {
        /// The key.
        key: &'static str,
        /// The value as it was written.
        value: String,
        /// Where it stands.
        source_of_it: Source,
        /// What the key takes.
        allowed: String,
    },
    /// Links without certificates, on an address that others reach.
    #[error("{address} is not a loopback address, and `listen.insecure_loopback` is on")]
    InsecureNotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// An address for clients and no certificates.
    #[error("`listen.address` is {address}, and no certificates are named")]
    ListenNeedsCertificates {
        /// The address.
        address: SocketAddr,
    },
    /// A setting for peers without another one that it needs.
    #[error("`{given}` is set, and `{missing}` is not")]
    PeerIncomplete {
        /// The key that is set.
        given: &'static str,
        /// The key that it needs.
        missing: &'static str,
    },
}

impl Error {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } | Self::TooLarge { .. } => Code::ConfigUnreadable,
            Self::Syntax { .. } => Code::ConfigSyntax,
            Self::UnknownKey { .. } => Code::ConfigUnknownKey,
            Self::BadValue { .. } => Code::ConfigBadValue,
            Self::InsecureNotLoopback { .. } => Code::InsecureNotLoopback,
            Self::ListenNeedsCertificates { .. } => Code::ListenNeedsCertificates,
            Self::PeerIncomplete { .. } => Code::PeerConfigIncomplete,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownKey { suggestion: Some(known), .. } => {
                format!("did you mean `{known}`? `mesh-node --print-config` lists every key")
            }
            Self::BadValue { allowed, .. } => format!("it takes {allowed}"),
            _ => self.code().hint().to_owned(),
        }
    }

    /// Whether the same configuration may be accepted later: never.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        false
    }
}
