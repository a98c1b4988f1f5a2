//! Codes of handshakes that failed, on the side that refused and on the side that was refused.

use std::time::SystemTime;

use mesh_wire::code::Code;
use rustls::{AlertDescription, CertificateError};

use super::error::time;
use super::{Error, Expect};
use crate::id::Kind;
use crate::set::CertSet;

pub(super) fn refusal_of(error: &rustls::Error) -> Option<Error> {
    let error = match error {
        rustls::Error::NoCertificatesPresented => return Some(Error::Missing),
        rustls::Error::InvalidCertificate(error) => error,
        _ => return None,
    };
    let detail = || error.to_string();
    Some(match error {
        CertificateError::Other(other) => return other.0.downcast_ref::<Error>().cloned(),
        CertificateError::BadEncoding | CertificateError::UnhandledCriticalExtension => {
            Error::Malformed { detail: detail() }
        }
        CertificateError::ExpiredContext { not_after, .. } => Error::Expired { not_after: time(*not_after) },
        CertificateError::NotValidYetContext { not_before, .. } => {
            Error::NotYetValid { not_before: time(*not_before) }
        }
        CertificateError::NotValidForNameContext { expected, .. } => {
            Error::WrongName { expected: expected.to_str().into_owned() }
        }
        CertificateError::Revoked => Error::Revoked { serial: String::new() },
        CertificateError::InvalidPurpose => Error::WrongUse { detail: detail() },
        _ => Error::Untrusted { detail: detail() },
    })
}

/// Why the other side refused our certificate, by the alert that it sent; none for alerts about other things.
///
/// Alerts are coarse: expired and not yet valid are one, and all that TLS has no alert for (identities) is another.
/// What is known here narrows it down: our own certificate and its times, and `expect`, by which our side is known to
/// listen ([`Expect::Service`]) or dial ([`Expect::Host`]). Over QUIC the reason comes with the alert: ask
/// [`code_in`] first. Source: RFC 8446, section 6.2.
pub fn code_of_alert(alert: u8, set: &CertSet, expect: &Expect, now: SystemTime) -> Option<Code> {
    Some(match AlertDescription::from(alert) {
        AlertDescription::CertificateRequired => Code::CertificateMissing,
        AlertDescription::UnknownCA => Code::CertificateUntrusted,
        AlertDescription::CertificateRevoked => Code::CertificateRevoked,
        AlertDescription::UnsupportedCertificate => Code::CertificateWrongUse,
        AlertDescription::CertificateExpired => match set.own() {
            Some(own) if own.not_before > now => Code::CertificateNotYetValid,
            _ => Code::CertificateExpired,
        },
        // Clients compare our names with what they dialled; nobody else does.
        AlertDescription::BadCertificate => match expect {
            Expect::Service { .. } | Expect::Anything => Code::CertificateWrongName,
            Expect::Host { .. } | Expect::Node { .. } => Code::CertificateMalformed,
        },
        AlertDescription::CertificateUnknown => {
            let wanted = match expect {
                Expect::Host { .. } => Kind::Service,
                Expect::Node { .. } | Expect::Service { .. } | Expect::Anything => Kind::Node,
            };
            match set.identity() {
                None => Code::IdentityMissing,
                Some(id) if id.kind() != wanted => Code::IdentityWrongKind,
                Some(_) => Code::IdentityWrongCluster,
            }
        }
        _ => return None,
    })
}

/// The code in the text of an error of rustls, which is all that quinn gives of it, on both sides: the one that
/// refuses sends it as the reason of its close.
pub fn code_in(reason: &str) -> Option<Code> {
    if let Some((_, rest)) = reason.split_once("MESH-") {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        return rest[..digits].parse().ok().and_then(Code::from_number);
    }
    let phrases = [
        ("peer sent no certificates", Code::CertificateMissing),
        ("invalid peer certificate: BadEncoding", Code::CertificateMalformed),
        ("invalid peer certificate: UnknownIssuer", Code::CertificateUntrusted),
        ("invalid peer certificate: certificate expired", Code::CertificateExpired),
        ("invalid peer certificate: certificate not valid yet", Code::CertificateNotYetValid),
        ("invalid peer certificate: Revoked", Code::CertificateRevoked),
        ("invalid peer certificate: InvalidPurpose", Code::CertificateWrongUse),
        ("invalid peer certificate: certificate not valid for name", Code::CertificateWrongName),
    ];
    phrases.into_iter().find(|(phrase, _)| reason.contains(phrase)).map(|(_, code)| code)
}
