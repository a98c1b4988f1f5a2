//! A development CA in a directory, as `mesh cert` makes it.
//!
//! ```text
//!  ca.pem  ca.key                 init, rotate      trust bundle (newest first), key of the newest CA
//!  node-a.pem  node-a.key         issue             leaf, key
//!  service-mail.pem  …key
//!  crl.pem                        revoke            one list for each CA key
//! ```
//! Keys are ECDSA P-256 and readable by their owner only. Files are written under a temporary name and renamed, so
//! that a node that reads them at that moment sees the old or the new ones and never a half; between the two files of
//! a pair it sees a key that does not belong to the certificate, and keeps what it has. Source: RFC 5280.

mod error;
pub(crate) mod files;
mod revoke;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mesh_wire::name::Name;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, SerialNumber, date_time_ymd,
};
use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::pki_types::CertificateDer;

pub use self::error::Error;
pub use self::revoke::{Revoked, revoke};

use self::files::{Write, must_not_exist, write_all};
use crate::facts;
use crate::file;
use crate::id::{Kind, SpiffeId};
use crate::self_signed::{local_names, since_1970};

const DAY: Duration = Duration::from_secs(86_400);
/// How long a CA is valid unless told otherwise.
pub const CA_VALIDITY: Duration = Duration::from_secs(86_400 * 3650);
/// How long a certificate is valid unless told otherwise.
pub const LEAF_VALIDITY: Duration = Duration::from_secs(86_400 * 90);
/// The most names of a certificate beside those of its own machine.
pub const NAMES_MAX: usize = 32;

/// From when until when a certificate is valid, both to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// When it begins.
    pub not_before: SystemTime,
    /// When it ends.
    pub not_after: SystemTime,
}

impl Validity {
    /// Valid for so long from now, and dated back by a day, so that clocks may differ.
    pub fn from_now(length: Duration) -> Self {
        let now = SystemTime::now();
        Self { not_before: now - DAY, not_after: now + length }
    }
}

/// What to make a CA with.
#[derive(Debug, Clone)]
pub struct Init {
    /// The cluster, which goes into the CA's name for people to see.
    pub cluster: Name,
    /// When it is valid; by default for [`CA_VALIDITY`] from now.
    pub validity: Option<Validity>,
    /// Whether to overwrite a CA that is there, which makes all of its certificates worthless.
    pub force: bool,
}

/// What to make a certificate with.
#[derive(Debug, Clone)]
pub struct Issue {
    /// A node or a service.
    pub kind: Kind,
    /// Its id or name.
    pub name: Name,
    /// The cluster; none takes the one that the CA was made for.
    pub cluster: Option<Name>,
    /// DNS names and IP addresses at which a node is reached, at most [`NAMES_MAX`].
    pub names: Vec<String>,
    /// When it is valid; by default for [`LEAF_VALIDITY`] from now.
    pub validity: Option<Validity>,
    /// Whether to overwrite a certificate that is there.
    pub force: bool,
}

impl Issue {
    /// The certificate of a node, with all defaults.
    pub fn node(id: Name) -> Self {
        Self::new(Kind::Node, id)
    }

    /// The certificate of a service, with all defaults.
    pub fn service(name: Name) -> Self {
        Self::new(Kind::Service, name)
    }

    fn new(kind: Kind, name: Name) -> Self {
        Self { kind, name, cluster: None, names: Vec::new(), validity: None, force: false }
    }
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Who it is.
    pub id: SpiffeId,
    /// The certificate.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Makes a CA: `ca.pem` and `ca.key`. The directory is made if it is not there.
///
/// # Errors
/// [`Error::Exists`] if there is a CA and `force` is not set; [`Error::Io`], [`Error::Make`].
pub fn init(dir: &Path, init: &Init) -> Result<(), Error> {
    let (cert, key) = (dir.join("ca.pem"), dir.join("ca.key"));
    if !init.force {
        must_not_exist(&cert)?;
        must_not_exist(&key)?;
    }
    files::make_dir(dir)?;
    let ca = new_ca(&init.cluster, init.validity)?;
    write_all(&[Write::secret(&key, ca.key), Write::public(&cert, ca.cert)])
}

/// Makes a new CA key. `ca.pem` then holds the new CA before those that were there, and new certificates are signed
/// by the new one.
///
/// To rotate: bring the new bundle to everybody, issue all certificates anew, then take the old CA out of the bundle,
/// and out of `crl.pem`.
///
/// # Errors
/// [`Error::NoAuthority`], [`Error::Io`], [`Error::Make`], [`Error::Files`].
pub fn rotate(dir: &Path, validity: Option<Validity>) -> Result<(), Error> {
    let old = Authority::open(dir)?;
    let ca = new_ca(&old.cluster()?, validity)?;
    let path = dir.join("ca.pem");
    let bundle = file::read(&path)?;
    let bundle = format!("{}{}", ca.cert, String::from_utf8_lossy(&bundle.bytes));
    // The bundle first: a key without its certificate in the bundle would make certificates that nobody trusts.
    write_all(&[Write::public(&path, bundle), Write::secret(&dir.join("ca.key"), ca.key)])
}

/// Makes a certificate signed by the CA of the directory, beside it.
///
/// Those of nodes are for both sides of a link and carry `localhost`, `127.0.0.1` and `::1` beside the given names;
/// those of services are for dialling only.
///
/// # Errors
/// [`Error::Exists`] if there is one and `force` is not set; [`Error::NoAuthority`], [`Error::BadName`],
/// [`Error::TooManyNames`], [`Error::Io`], [`Error::Make`].
pub fn issue(dir: &Path, issue: &Issue) -> Result<Issued, Error> {
    let authority = Authority::open(dir)?;
    let cluster = match &issue.cluster {
        Some(cluster) => cluster.clone(),
        None => authority.cluster()?,
    };
    let id = SpiffeId::new(cluster, issue.kind, issue.name.clone())
        .map_err(|_| Error::BadName { name: issue.name.to_string() })?;
    let stem = format!("{}-{}", issue.kind, issue.name);
    let (cert, key) = (dir.join(format!("{stem}.pem")), dir.join(format!("{stem}.key")));
    if !issue.force {
        must_not_exist(&cert)?;
        must_not_exist(&key)?;
    }
    let params = leaf(&id, issue)?;
    let pair = KeyPair::generate()?;
    let made = params.signed_by(&pair, &authority.issuer)?;
    // The key first: whoever looks for a certificate then finds its key.
    write_all(&[Write::secret(&key, pair.serialize_pem()), Write::public(&cert, made.pem())])?;
    Ok(Issued { id, cert, key })
}

struct NewCa {
    cert: String,
    key: String,
}

fn new_ca(cluster: &Name, validity: Option<Validity>) -> Result<NewCa, Error> {
    let mut params = CertificateParams::default();
    let number = serial()?;
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, cluster.as_str());
    // Each CA has a name of its own, so that certificates and revocation lists of the old key are never taken for
    // those of the new one.
    let mark = facts::hex(&number.to_bytes()[..4]).to_lowercase();
    name.push(DnType::CommonName, format!("Mesh CA {mark}"));
    params.distinguished_name = name;
    params.serial_number = Some(number);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, validity.unwrap_or_else(|| Validity::from_now(CA_VALIDITY)));
    let key = KeyPair::generate()?;
    Ok(NewCa { cert: params.self_signed(&key)?.pem(), key: key.serialize_pem() })
}

fn leaf(id: &SpiffeId, issue: &Issue) -> Result<CertificateParams, Error> {
    if issue.names.len() > NAMES_MAX {
        return Err(Error::TooManyNames { count: issue.names.len() });
    }
    let mut names = issue.names.clone();
    if issue.kind == Kind::Node {
        names.extend(local_names());
    }
    let mut seen = Vec::new();
    for name in &names {
        // What a client can dial: anything else would never match.
        rustls::pki_types::ServerName::try_from(name.as_str())
            .map_err(|_| Error::BadName { name: name.clone() })?;
        if !seen.contains(name) {
            seen.push(name.clone());
        }
    }
    let mut params = CertificateParams::new(seen)?;
    params.subject_alt_names.push(SanType::URI(id.to_string().try_into()?));
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, id.cluster().as_str());
    // A common name has at most 64 characters (RFC 5280, appendix A).
    let short: String = issue.name.as_str().chars().take(64).collect();
    subject.push(DnType::CommonName, short);
    params.distinguished_name = subject;
    params.serial_number = Some(serial()?);
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = match issue.kind {
        Kind::Node => vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
        Kind::Service => vec![ExtendedKeyUsagePurpose::ClientAuth],
    };
    set_validity(&mut params, issue.validity.unwrap_or_else(|| Validity::from_now(LEAF_VALIDITY)));
    Ok(params)
}

fn set_validity(params: &mut CertificateParams, validity: Validity) {
    params.not_before = date_time_ymd(1970, 1, 1) + since_1970(validity.not_before);
    params.not_after = date_time_ymd(1970, 1, 1) + since_1970(validity.not_after);
}

/// 16 random bytes, positive. Source: RFC 5280, section 4.1.2.2.
fn serial() -> Result<SerialNumber, Error> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Make("no random bytes".to_owned()))?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// The CA of a directory.
struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Reads `ca.key`, and the certificate in `ca.pem` that it belongs to.
    fn open(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("ca.key");
        if !path.exists() {
            return Err(Error::NoAuthority { path });
        }
        let key = file::read(&path)?;
        let pair = key.key().map_err(Error::Files)?;
        let pair = KeyPair::try_from(&pair).map_err(|error| key.malformed(error.to_string()))?;
        let bundle = file::read(&dir.join("ca.pem"))?;
        let mine = |der: &CertificateDer<'_>| {
            facts::parse(der)
                .is_ok_and(|ca| ca.public_key().subject_public_key.data.as_ref() == pair.public_key_raw())
        };
        let Some(certificate) = bundle.certificates()?.into_iter().find(mine) else {
            return Err(Error::Files(crate::set::Error::KeyMismatch { cert: bundle.path, key: path }));
        };
        let issuer = Issuer::from_ca_cert_der(&certificate, pair)?;
        Ok(Self { certificate, issuer })
    }

    /// The cluster that the CA was made for.
    fn cluster(&self) -> Result<Name, Error> {
        let ca = facts::parse(&self.certificate).map_err(|error| Error::Make(error.to_string()))?;
        let organization = ca.subject().iter_organization().next().and_then(|name| name.as_str().ok());
        let cluster = organization.and_then(|name| name.parse().ok());
        cluster.ok_or_else(|| Error::Make("the CA does not say its cluster: name it".to_owned()))
    }
}
