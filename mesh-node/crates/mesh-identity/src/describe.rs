//! Certificates in words: what `mesh cert show` prints.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::SystemTime;

use ring::digest;
use rustls::pki_types::CertificateDer;
use serde::Serialize;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;

use crate::facts;
use crate::file;
use crate::id::SpiffeId;
use crate::set;
use crate::verify;

/// What a certificate says, for people and for scripts. Nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Description {
    /// The distinguished name of whose it is.
    pub subject: String,
    /// The distinguished name of who signed it.
    pub issuer: String,
    /// Who it is for Mesh; a CA is nobody.
    pub identity: Option<SpiffeId>,
    /// DNS names.
    pub dns_names: Vec<String>,
    /// IP addresses.
    pub ip_addresses: Vec<IpAddr>,
    /// All URIs, that of the identity too.
    pub uris: Vec<String>,
    /// The serial number, in hexadecimal.
    pub serial: String,
    /// When it begins, in UTC: `2026-01-31T12:00:00Z`.
    pub not_before: String,
    /// When it ends, in UTC.
    pub not_after: String,
    /// Whether it is valid now.
    pub state: State,
    /// How many seconds it is valid from now on; negative since it expired.
    pub seconds_left: i64,
    /// Whether it is the certificate of a CA.
    pub is_ca: bool,
    /// What its key may do, by the names of RFC 5280.
    pub key_usages: Vec<&'static str>,
    /// What it may be used for, by the names of RFC 5280; others as numbers.
    pub extended_key_usages: Vec<String>,
    /// SHA-256 of the certificate in DER, in hexadecimal with colons, as openssl prints it.
    pub fingerprint_sha256: String,
}

/// Whether a certificate is valid by its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It begins later.
    NotYetValid,
    /// It is valid.
    Valid,
    /// It is over.
    Expired,
}

/// Describes each certificate of a PEM file, in its order.
///
/// # Errors
/// [`set::Error::Unreadable`], or [`set::Error::Malformed`] if it holds none, or anything else.
pub fn file(path: &Path, now: SystemTime) -> Result<Vec<Description>, set::Error> {
    let input = file::read(path)?;
    let describe = |der| certificate(der, now).map_err(|error| input.malformed(error.to_string()));
    input.certificates()?.iter().map(describe).collect()
}

/// Describes a certificate.
///
/// # Errors
/// [`verify::Error::Malformed`].
pub fn certificate(der: &CertificateDer<'_>, now: SystemTime) -> Result<Description, verify::Error> {
    let certificate = facts::parse(der)?;
    let (not_before, not_after) =
        (facts::time(certificate.validity().not_before), facts::not_after(&certificate));
    let mut description = Description {
        subject: facts::distinguished(certificate.subject()),
        issuer: facts::distinguished(certificate.issuer()),
        identity: facts::identity(&certificate).ok(),
        dns_names: Vec::new(),
        ip_addresses: Vec::new(),
        uris: Vec::new(),
        serial: facts::serial(&certificate),
        not_before: verify::text(not_before),
        not_after: verify::text(not_after),
        state: state(not_before, not_after, now),
        seconds_left: seconds(not_after) - seconds(now),
        is_ca: certificate.is_ca(),
        key_usages: key_usages(&certificate),
        extended_key_usages: extended_key_usages(&certificate),
        fingerprint_sha256: fingerprint(der),
    };
    description.take_names(&certificate);
    Ok(description)
}

impl Description {
    fn take_names(&mut self, certificate: &X509Certificate<'_>) {
        let names = certificate.subject_alternative_name().ok().flatten();
        for name in names.map(|names| names.value.general_names.as_slice()).unwrap_or_default() {
            match name {
                GeneralName::DNSName(name) => self.dns_names.push(facts::printable(name)),
                GeneralName::URI(uri) => self.uris.push(facts::printable(uri)),
                GeneralName::IPAddress(bytes) => self.ip_addresses.extend(address(bytes)),
                _ => {}
            }
        }
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).into());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).into())).ok()
}

fn state(not_before: SystemTime, not_after: SystemTime, now: SystemTime) -> State {
    match seconds(now) {
        now if now < seconds(not_before) => State::NotYetValid,
        now if now > seconds(not_after) => State::Expired,
        _ => State::Valid,
    }
}

fn seconds(time: SystemTime) -> i64 {
    i64::try_from(verify::unix(time).as_secs()).unwrap_or(i64::MAX)
}

fn key_usages(certificate: &X509Certificate<'_>) -> Vec<&'static str> {
    let Ok(Some(usage)) = certificate.key_usage() else { return Vec::new() };
    let usage = usage.value;
    [
        (usage.digital_signature(), "digitalSignature"),
        (usage.non_repudiation(), "nonRepudiation"),
        (usage.key_encipherment(), "keyEncipherment"),
        (usage.data_encipherment(), "dataEncipherment"),
        (usage.key_agreement(), "keyAgreement"),
        (usage.key_cert_sign(), "keyCertSign"),
        (usage.crl_sign(), "cRLSign"),
        (usage.encipher_only(), "encipherOnly"),
        (usage.decipher_only(), "decipherOnly"),
    ]
    .into_iter()
    .filter_map(|(set, name)| set.then_some(name))
    .collect()
}

fn extended_key_usages(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(usage)) = certificate.extended_key_usage() else { return Vec::new() };
    let usage = usage.value;
    let known = [
        (usage.any, "anyExtendedKeyUsage"),
        (usage.server_auth, "serverAuth"),
        (usage.client_auth, "clientAuth"),
        (usage.code_signing, "codeSigning"),
        (usage.email_protection, "emailProtection"),
        (usage.time_stamping, "timeStamping"),
        (usage.ocsp_signing, "OCSPSigning"),
    ];
    let known = known.into_iter().filter_map(|(set, name)| set.then_some(name.to_owned()));
    known.chain(usage.other.iter().map(ToString::to_string)).collect()
}

fn fingerprint(der: &CertificateDer<'_>) -> String {
    let digest = digest::digest(&digest::SHA256, der);
    let pairs: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}
