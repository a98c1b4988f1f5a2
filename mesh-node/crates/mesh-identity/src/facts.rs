//! What a certificate says, taken out of its DER.
//!
//! Only for certificates whose signatures were verified or whose files are one's own; what strangers send is first
//! read by webpki.

use std::time::{Duration, SystemTime};

use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Name;

use crate::id::{ID_BYTES_MAX, SpiffeId};
use crate::verify::Error;

/// Reads a certificate.
pub(crate) fn parse<'a>(der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, Error> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) => Err(Error::Malformed { detail: "there are bytes behind its end".to_owned() }),
        Err(error) => Err(Error::Malformed { detail: error.to_string() }),
    }
}

/// The identity, by the rule of [`one_identity`].
pub(crate) fn identity(certificate: &X509Certificate<'_>) -> Result<SpiffeId, Error> {
    let names = certificate.subject_alternative_name();
    let names = names.map_err(|error| Error::Malformed { detail: error.to_string() })?;
    let names = names.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    one_identity(names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    }))
}

/// The identity among the URIs of a certificate, which must be the only one. Source: X509-SVID, section 2.
pub(crate) fn one_identity<'a>(mut uris: impl Iterator<Item = &'a str>) -> Result<SpiffeId, Error> {
    let uri = uris.next().ok_or_else(|| Error::NoIdentity { detail: "it has no URI".to_owned() })?;
    if uris.next().is_some() {
        return Err(Error::NoIdentity { detail: "it has more than one URI".to_owned() });
    }
    // The text comes from outside and goes into logs.
    let told = || uri.chars().take(ID_BYTES_MAX).collect::<String>();
    uri.parse().map_err(|error| Error::NoIdentity { detail: format!("{:?}: {error}", told()) })
}

/// A time of a certificate. Times before 1970 count as 1970.
pub(crate) fn time(time: ASN1Time) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(time.timestamp()).unwrap_or(0))
}

/// The last second in which a certificate is valid begins here.
pub(crate) fn not_after(certificate: &X509Certificate<'_>) -> SystemTime {
    time(certificate.validity().not_after)
}

/// A serial number as `openssl` prints it: hexadecimal in capitals, without colons.
pub(crate) fn serial(certificate: &X509Certificate<'_>) -> String {
    hex(certificate.raw_serial())
}

/// A distinguished name as text for logs and terminals: whatever could move a cursor is escaped.
pub(crate) fn distinguished(name: &X509Name<'_>) -> String {
    printable(&name.to_string())
}

/// The same text with control characters escaped.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() {
            printable.extend(letter.escape_default());
        } else {
            printable.push(letter);
        }
    }
    printable
}

/// Bytes in hexadecimal capitals.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
