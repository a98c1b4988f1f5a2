//! Certificates for a race: an authority, a node's and a service's, in one folder under the names by which a node and
//! its clients look for them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};

/// The cluster that they are of.
pub const CLUSTER: &str = "race";

/// The node's id.
pub const NODE: &str = "n1";

/// The service's name.
pub const SERVICE: &str = "bench";

/// A folder of certificates.
#[derive(Debug, Clone)]
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// The certificates that are in `folder`.
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Makes all of them in `folder`, which is made too.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn make(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let authority = CertifiedIssuer::self_signed(authority()?, KeyPair::generate()?)?;
        fs::write(folder.join("ca.pem"), authority.pem())?;
        for (name, path) in [(format!("node-{NODE}"), "node"), (format!("service-{SERVICE}"), "service")] {
            let last = if path == "node" { NODE } else { SERVICE };
            let key = KeyPair::generate()?;
            let leaf = leaf(&format!("spiffe://{CLUSTER}/{path}/{last}"))?.signed_by(&key, &authority)?;
            fs::write(folder.join(format!("{name}.pem")), leaf.pem())?;
            fs::write(folder.join(format!("{name}.key")), key.serialize_pem())?;
        }
        Ok(Self::in_folder(folder))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The authority's certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The node's certificate and key.
    pub fn node(&self) -> (PathBuf, PathBuf) {
        self.pair(&format!("node-{NODE}"))
    }

    /// The service's certificate and key.
    pub fn service(&self) -> (PathBuf, PathBuf) {
        self.pair(&format!("service-{SERVICE}"))
    }

    fn pair(&self, name: &str) -> (PathBuf, PathBuf) {
        (self.folder.join(format!("{name}.pem")), self.folder.join(format!("{name}.key")))
    }
}

fn authority() -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "race authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn leaf(identity: &str) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()])?;
    params.subject_alt_names.push(SanType::URI(identity.try_into()?));
    params.distinguished_name.push(DnType::CommonName, identity);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}
