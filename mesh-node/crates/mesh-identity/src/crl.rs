//! Revocation lists: which certificates their CAs took back. Source: RFC 5280, section 5; ADR 0072.

use std::collections::HashSet;
use std::time::SystemTime;

use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::facts;
use crate::verify::Error;

/// The lists of a set, each with the CA that signed it.
///
/// A certificate whose CA has no list is not revoked, and neither is one that an overdue list does not name: a list
/// that nobody renewed must not stop a cluster.
#[derive(Debug, Default)]
pub struct Revocations {
    lists: Vec<List>,
}

#[derive(Debug)]
struct List {
    /// The CA that signed the list.
    issuer: CertificateDer<'static>,
    /// Its name, as it stands in the certificates that it signs.
    issuer_name: Vec<u8>,
    next_update: Option<SystemTime>,
    serials: HashSet<Vec<u8>>,
}

impl Revocations {
    /// Takes a list if one of `issuers` signed it.
    pub(crate) fn add(
        &mut self,
        der: &CertificateRevocationListDer<'_>,
        issuers: &[CertificateDer<'static>],
    ) -> Result<(), String> {
        // webpki refuses what would need more than looking up serial numbers: delta and indirect lists, and critical
        // extensions that are unknown.
        webpki::BorrowedCertRevocationList::from_der(der).map_err(|error| error.to_string())?;
        let (_, list) = CertificateRevocationList::from_der(der).map_err(|error| error.to_string())?;
        let issuer = issuers
            .iter()
            .find(|issuer| facts::parse(issuer).is_ok_and(|issuer| signed(&list, &issuer)))
            .ok_or_else(|| {
                format!("the list of {} is not signed by a trusted CA", facts::distinguished(list.issuer()))
            })?;
        self.lists.push(List {
            issuer: issuer.clone(),
            issuer_name: list.issuer().as_raw().to_vec(),
            next_update: list.next_update().map(facts::time),
            serials: list.iter_revoked_certificates().map(|entry| plain(entry.raw_serial())).collect(),
        });
        Ok(())
    }

    /// Refuses a certificate that its CA took back.
    ///
    /// # Errors
    /// [`Error::Revoked`], or [`Error::Malformed`] if the certificate can't be read.
    pub fn check(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        if self.lists.is_empty() {
            return Ok(());
        }
        let certificate = facts::parse(certificate)?;
        if self.lists.iter().any(|list| list.names(&certificate)) {
            return Err(Error::Revoked { serial: facts::serial(&certificate) });
        }
        Ok(())
    }

    /// When the list that is overdue longest was to be replaced.
    pub(crate) fn overdue(&self, now: SystemTime) -> Option<SystemTime> {
        self.lists.iter().filter_map(|list| list.next_update).filter(|next| *next < now).min()
    }

    /// How many certificates are revoked.
    pub fn count(&self) -> usize {
        self.lists.iter().map(|list| list.serials.len()).sum()
    }
}

impl List {
    fn names(&self, certificate: &X509Certificate<'_>) -> bool {
        certificate.issuer().as_raw() == self.issuer_name
            && self.serials.contains(&plain(certificate.raw_serial()))
            && self.is_issuer_of(certificate)
    }

    /// Two keys of one CA can have the same name and the same serial numbers, so that the signature decides. Where it
    /// can't be checked, the certificate counts as revoked.
    fn is_issuer_of(&self, certificate: &X509Certificate<'_>) -> bool {
        let Ok(issuer) = facts::parse(&self.issuer) else { return true };
        let key: &SubjectPublicKeyInfo<'_> = issuer.public_key();
        !matches!(certificate.verify_signature(Some(key)), Err(X509Error::SignatureVerificationError))
    }
}

fn signed(list: &CertificateRevocationList<'_>, issuer: &X509Certificate<'_>) -> bool {
    let may_sign = issuer.key_usage().is_ok_and(|usage| usage.is_none_or(|usage| usage.value.crl_sign()));
    may_sign
        && list.issuer().as_raw() == issuer.subject().as_raw()
        && list.verify_signature(issuer.public_key()).is_ok()
}

/// A serial number without leading zeros, which encoders differ in.
fn plain(serial: &[u8]) -> Vec<u8> {
    serial.iter().copied().skip_while(|byte| *byte == 0).collect()
}
