//! Taking certificates back.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams, SerialNumber,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

use super::files::{Write, write_all};
use super::{Authority, Error};
use crate::facts;
use crate::file;
use crate::id::SpiffeId;
use crate::self_signed::since_1970;

/// By when the next list should be there; an older one still counts (ADR 0072).
const NEXT_UPDATE: Duration = Duration::from_secs(86_400 * 365);

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// Whose certificate.
    pub id: Option<SpiffeId>,
    /// Its serial number, in hexadecimal.
    pub serial: String,
    /// How many certificates of this CA are revoked now.
    pub count: usize,
}

/// Takes the first certificate of a file back: writes `crl.pem`, or extends the one that is there, signed by the CA
/// of the directory.
///
/// Lists of other CAs in `crl.pem` stay as they are. To revoke what an older CA key signed, that key is needed: before
/// a rotation.
///
/// # Errors
/// [`Error::Unknown`] if this CA did not sign it; [`Error::NoAuthority`], [`Error::Files`], [`Error::Io`],
/// [`Error::Make`].
pub fn revoke(dir: &Path, cert: &Path, now: SystemTime) -> Result<Revoked, Error> {
    let authority = Authority::open(dir)?;
    let certificates = file::read(cert)?.certificates()?;
    let leaf = certificates.first().ok_or_else(|| Error::Make("there is no certificate".to_owned()))?;
    let facts = facts::parse(leaf).map_err(|error| Error::Make(error.to_string()))?;
    let id = facts::identity(&facts).ok();
    if !is_signed_by(&facts, &authority.certificate) {
        let id = id.map_or_else(|| facts.subject().to_string(), |id| id.to_string());
        return Err(Error::Unknown { path: cert.to_owned(), id });
    }
    let path = dir.join("crl.pem");
    let mut old = Lists::read(&path, &authority.certificate)?;
    let serial = facts.raw_serial().to_vec();
    if !old.mine.iter().any(|entry| entry.serial_number.to_bytes() == serial) {
        old.mine.push(entry(&serial, now));
    }
    let count = old.mine.len();
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(1970, 1, 1) + since_1970(now),
        next_update: date_time_ymd(1970, 1, 1) + since_1970(now + NEXT_UPDATE),
        crl_number: SerialNumber::from_slice(&(old.number + 1).to_be_bytes()),
        issuing_distribution_point: None,
        revoked_certs: old.mine,
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let text = list.signed_by(&authority.issuer)?.pem()?;
    write_all(&[Write::public(&path, old.others + &text)])?;
    Ok(Revoked { id, serial: facts::serial(&facts), count })
}

/// What is in `crl.pem` already.
#[derive(Default)]
struct Lists {
    /// Lists of other CAs, as PEM.
    others: String,
    /// What this CA revoked.
    mine: Vec<RevokedCertParams>,
    /// The number of this CA's list.
    number: u64,
}

impl Lists {
    fn read(path: &Path, authority: &CertificateDer<'_>) -> Result<Self, Error> {
        let mut lists = Self::default();
        if !path.exists() {
            return Ok(lists);
        }
        let bad = |detail: String| Error::Files(crate::set::Error::Crl { path: PathBuf::from(path), detail });
        let input = file::read(path)?;
        for der in input.crls()? {
            let (_, list) =
                CertificateRevocationList::from_der(&der).map_err(|error| bad(error.to_string()))?;
            let authority = facts::parse(authority).map_err(|error| bad(error.to_string()))?;
            if list.verify_signature(authority.public_key()).is_err() {
                lists.others.push_str(&pem(&der));
                continue;
            }
            let number = list.crl_number().and_then(|number| number.iter_u64_digits().next());
            lists.number = lists.number.max(number.unwrap_or(0));
            lists.mine.extend(
                list.iter_revoked_certificates()
                    .map(|revoked| entry(revoked.raw_serial(), facts::time(revoked.revocation_date))),
            );
        }
        Ok(lists)
    }
}

fn entry(serial: &[u8], when: SystemTime) -> RevokedCertParams {
    RevokedCertParams {
        serial_number: SerialNumber::from_slice(serial),
        revocation_time: date_time_ymd(1970, 1, 1) + since_1970(when),
        reason_code: Some(RevocationReason::Unspecified),
        invalidity_date: None,
    }
}

fn is_signed_by(certificate: &X509Certificate<'_>, authority: &CertificateDer<'_>) -> bool {
    facts::parse(authority).is_ok_and(|authority| {
        certificate.issuer().as_raw() == authority.subject().as_raw()
            && certificate.verify_signature(Some(authority.public_key())).is_ok()
    })
}

/// Source: RFC 7468.
fn pem(der: &CertificateRevocationListDer<'_>) -> String {
    let text = STANDARD.encode(der);
    // Base64 is ASCII, so that every cut is one between characters.
    let lines: Vec<&str> =
        (0..text.len()).step_by(64).filter_map(|at| text.get(at..text.len().min(at + 64))).collect();
    format!("-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n", lines.join("\n"))
}
