//! Files of certificates, read with bounds.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::{self, PemObject as _, SectionKind};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use crate::set::Error;

/// The most bytes of one file.
pub const FILE_BYTES_MAX: u64 = 1 << 20;
/// The most certificates or revocation lists in one file.
pub const SECTIONS_MAX: usize = 64;

/// A file that was read.
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    /// Whether other users of the machine can read it.
    pub(crate) open_to_others: bool,
}

/// Reads a whole file, if it is a regular one with at most [`FILE_BYTES_MAX`] bytes.
pub(crate) fn read(path: &Path) -> Result<Input, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    // Looked at first, because opening a pipe waits for its writer.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(unreadable(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has over {FILE_BYTES_MAX} bytes"),
        )));
    }
    Ok(Input { path: path.to_owned(), bytes, open_to_others: open_to_others(&metadata) })
}

#[cfg(unix)]
fn open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o007 != 0
}

#[cfg(not(unix))]
fn open_to_others(_: &fs::Metadata) -> bool {
    false
}

impl Input {
    /// The certificates, at least one and nothing else.
    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        let sections = self.sections("a certificate", |kind| kind == SectionKind::Certificate)?;
        Ok(sections.into_iter().map(|(_, der)| CertificateDer::from(der)).collect())
    }

    /// The revocation lists, at least one and nothing else.
    pub(crate) fn crls(&self) -> Result<Vec<CertificateRevocationListDer<'static>>, Error> {
        let sections = self.sections("a revocation list", |kind| kind == SectionKind::Crl)?;
        Ok(sections.into_iter().map(|(_, der)| CertificateRevocationListDer::from(der)).collect())
    }

    /// The one private key and nothing else.
    pub(crate) fn key(&self) -> Result<PrivateKeyDer<'static>, Error> {
        let is_key = |kind| {
            matches!(kind, SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey)
        };
        let sections = self.sections("a private key", is_key)?;
        let count = sections.len();
        let key = sections.into_iter().next().and_then(|(kind, der)| PrivateKeyDer::from_pem(kind, der));
        match key {
            Some(key) if count == 1 => Ok(key),
            _ => Err(self.malformed(format!("it holds {count} private keys instead of one"))),
        }
    }

    fn sections(
        &self,
        what: &str,
        wanted: impl Fn(SectionKind) -> bool,
    ) -> Result<Vec<(SectionKind, Vec<u8>)>, Error> {
        let mut sections = Vec::new();
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(&self.bytes) {
            let (kind, der) = section.map_err(|error| self.malformed(explain(&error)))?;
            if !wanted(kind) {
                return Err(self.malformed(format!("it holds {} where {what} belongs", name(kind))));
            }
            if sections.len() == SECTIONS_MAX {
                return Err(self.malformed(format!("it holds more than {SECTIONS_MAX} sections")));
            }
            sections.push((kind, der));
        }
        if sections.is_empty() {
            return Err(self.malformed(format!("it does not hold {what} in PEM")));
        }
        Ok(sections)
    }

    /// The error that names this file.
    pub(crate) fn malformed(&self, detail: impl Into<String>) -> Error {
        Error::Malformed { path: self.path.clone(), detail: detail.into() }
    }
}

fn explain(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "it is cut off: a section has no end".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "the line that starts a section is damaged".to_owned(),
        pem::Error::Base64Decode(_) => "a section is not valid base64".to_owned(),
        other => other.to_string(),
    }
}

fn name(kind: SectionKind) -> &'static str {
    match kind {
        SectionKind::Certificate => "a certificate",
        SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey => "a private key",
        SectionKind::PublicKey => "a public key",
        SectionKind::Crl => "a revocation list",
        SectionKind::Csr => "a request for a certificate",
        _ => "something else",
    }
}
