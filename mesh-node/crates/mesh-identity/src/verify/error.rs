//! Why a certificate is refused.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mesh_wire::code::Code;
use mesh_wire::name::Name;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, OtherError};

use crate::id::{Kind, SpiffeId};

/// Why a certificate is refused: the one of the other side, or the own one by the same rules.
///
/// `Debug` prints what `Display` prints behind the code, because rustls and quinn carry reasons in that form; see
/// [`code_in`](super::code_in).
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// None was shown.
    #[error("no certificate was shown")]
    Missing,
    /// It can't be read.
    #[error("the certificate can't be read: {detail}")]
    Malformed {
        /// What is wrong with it.
        detail: String,
    },
    /// It does not come from a trusted CA.
    #[error("the certificate comes from no trusted CA: {detail}")]
    Untrusted {
        /// What was found.
        detail: String,
    },
    /// It is over.
    #[error("the certificate expired at {}", text(*not_after))]
    Expired {
        /// When it was over.
        not_after: SystemTime,
    },
    /// It has not begun.
    #[error("the certificate is not valid before {}", text(*not_before))]
    NotYetValid {
        /// When it begins.
        not_before: SystemTime,
    },
    /// Its CA took it back.
    #[error("the certificate with the serial number {serial} was revoked")]
    Revoked {
        /// The serial number, in hexadecimal.
        serial: String,
    },
    /// Its key is for something else.
    #[error("the certificate may not be used for this: {detail}")]
    WrongUse {
        /// What it is for.
        detail: String,
    },
    /// It is not valid for the host that was dialled.
    #[error("the certificate is not valid for {expected:?}")]
    WrongName {
        /// The host.
        expected: String,
    },
    /// It names no identity.
    #[error("the certificate names no Mesh identity: {detail}")]
    NoIdentity {
        /// What was found.
        detail: String,
    },
    /// It is a node's where a service's belongs, or the reverse.
    #[error("{id} is not a {wanted}")]
    WrongKind {
        /// Whose it is.
        id: SpiffeId,
        /// What is asked for.
        wanted: Kind,
    },
    /// It is of another cluster.
    #[error("{id} is not of the cluster {:?}", wanted.as_str())]
    WrongCluster {
        /// Whose it is.
        id: SpiffeId,
        /// The cluster.
        wanted: Name,
    },
    /// It is somebody else's.
    #[error("{id} is not {:?}", wanted.as_str())]
    WrongNode {
        /// Whose it is.
        id: SpiffeId,
        /// The name that was to be there.
        wanted: Name,
    },
}

impl Error {
    /// The stable code of this error.
    pub fn code(&self) -> Code {
        match self {
            Self::Missing => Code::CertificateMissing,
            Self::Malformed { .. } => Code::CertificateMalformed,
            Self::Untrusted { .. } => Code::CertificateUntrusted,
            Self::Expired { .. } => Code::CertificateExpired,
            Self::NotYetValid { .. } => Code::CertificateNotYetValid,
            Self::Revoked { .. } => Code::CertificateRevoked,
            Self::WrongUse { .. } => Code::CertificateWrongUse,
            Self::WrongName { .. } => Code::CertificateWrongName,
            Self::NoIdentity { .. } => Code::IdentityMissing,
            Self::WrongKind { .. } => Code::IdentityWrongKind,
            Self::WrongCluster { .. } => Code::IdentityWrongCluster,
            Self::WrongNode { .. } => Code::IdentityWrongNode,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same certificate can be accepted later: no.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.code())
    }
}

/// The nearest error of rustls, which decides the alert that the other side gets (RFC 8446, section 6.2).
///
/// What rustls has no name for travels inside of it as it is, under the alert `certificate_unknown`.
pub(super) fn to_rustls(error: Error, now: UnixTime) -> rustls::Error {
    let error = match error {
        Error::Malformed { .. } => CertificateError::BadEncoding,
        Error::Untrusted { .. } => CertificateError::UnknownIssuer,
        Error::Expired { not_after } => {
            CertificateError::ExpiredContext { time: now, not_after: unix(not_after) }
        }
        Error::NotYetValid { not_before } => {
            CertificateError::NotValidYetContext { time: now, not_before: unix(not_before) }
        }
        Error::Revoked { .. } => CertificateError::Revoked,
        Error::WrongUse { .. } => CertificateError::InvalidPurpose,
        Error::WrongName { expected } => match ServerName::try_from(expected) {
            Ok(expected) => CertificateError::NotValidForNameContext { expected, presented: Vec::new() },
            Err(_) => CertificateError::NotValidForName,
        },
        other => CertificateError::Other(OtherError(Arc::new(other))),
    };
    rustls::Error::InvalidCertificate(error)
}

/// What webpki found, in our terms.
pub(crate) fn of_webpki(error: webpki::Error) -> Error {
    use webpki::Error as E;
    match error {
        E::CertExpired { not_after, .. } => Error::Expired { not_after: time(not_after) },
        E::CertNotValidYet { not_before, .. } => Error::NotYetValid { not_before: time(not_before) },
        E::CertNotValidForName(name) => Error::WrongName { expected: name.expected.to_str().into_owned() },
        E::RequiredEkuNotFoundContext(_) | E::EmptyEkuExtension => {
            Error::WrongUse { detail: "its extended key usages don't allow it".to_owned() }
        }
        E::CaUsedAsEndEntity => Error::WrongUse { detail: "it is the certificate of a CA".to_owned() },
        E::BadDer
        | E::BadDerTime
        | E::ExtensionValueInvalid
        | E::InvalidCertValidity
        | E::InvalidSerialNumber
        | E::MalformedDnsIdentifier
        | E::MalformedExtensions
        | E::MalformedNameConstraint
        | E::TrailingData(_)
        | E::UnsupportedCertVersion
        | E::UnsupportedCriticalExtension => Error::Malformed { detail: error.to_string() },
        _ => Error::Untrusted { detail: error.to_string() },
    }
}

/// A time of rustls as one of the standard library.
pub(crate) fn time(time: UnixTime) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_secs())
}

/// A time of the standard library as one of rustls.
pub(crate) fn unix(time: SystemTime) -> UnixTime {
    UnixTime::since_unix_epoch(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

/// A time as people read it, in UTC to the second.
pub(crate) fn text(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| format!("{seconds} s after 1970"), |stamp| stamp.to_string())
}
