//! Certificates of any kind, right and wrong, made without Mesh's own authority.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType,
    SerialNumber, date_time_ymd,
};
use tempfile::TempDir;

/// The cluster of the trials.
pub const CLUSTER: &str = "trials";

/// An authority that signs whatever it is asked to.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    serial: AtomicU64,
}

/// Whom a certificate names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A node of [`CLUSTER`], valid for `localhost` and `127.0.0.1`.
    Node(&'a str),
    /// A service of [`CLUSTER`].
    Service(&'a str),
    /// Whatever this URI names.
    Uri(&'a str),
}

/// From when to when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// From a day ago, for a day.
    Now,
    /// From a day ago until so long from now, in whole seconds.
    For(Duration),
    /// Until an hour ago.
    Over,
    /// From an hour from now on.
    Later,
}

/// A certificate with its key.
#[derive(Debug, Clone)]
pub struct Issued {
    /// In PEM.
    pub certificate: String,
    /// In PEM.
    pub key: String,
    /// Its serial number.
    pub serial: u64,
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// When it can't be made.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut params = params(name, Validity::Now);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem, serial: AtomicU64::new(1) }
    }

    /// Its certificate in PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate.
    ///
    /// # Panics
    /// When it can't be made.
    #[must_use]
    pub fn issue(&self, subject: Subject<'_>, validity: Validity) -> Issued {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let uri = match subject {
            Subject::Node(id) => format!("spiffe://{CLUSTER}/node/{id}"),
            Subject::Service(name) => format!("spiffe://{CLUSTER}/service/{name}"),
            Subject::Uri(uri) => uri.to_owned(),
        };
        let mut params = params(&uri, validity);
        params.serial_number = Some(SerialNumber::from(serial));
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.subject_alt_names = vec![SanType::URI(uri.try_into().expect("a URI"))];
        if matches!(subject, Subject::Uri(uri) if uri.contains("/node/")) {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        if matches!(subject, Subject::Node(_)) {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
            params.subject_alt_names.push(SanType::DnsName("localhost".try_into().expect("a name")));
            params.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Issued { certificate, key: key.serialize_pem(), serial }
    }

    /// A list of those that are revoked, in PEM.
    ///
    /// # Panics
    /// When it can't be made.
    #[must_use]
    pub fn revoke(&self, revoked: &[&Issued]) -> String {
        let now = date_time_ymd(1970, 1, 1) + since_1970();
        let revoked = revoked.iter().map(|issued| RevokedCertParams {
            serial_number: SerialNumber::from(issued.serial),
            revocation_time: now - HOUR,
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: now - HOUR,
            next_update: now + DAY,
            crl_number: SerialNumber::from(self.serial.fetch_add(1, Ordering::Relaxed)),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).expect("a list").pem().expect("a list")
    }
}

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn params(name: &str, validity: Validity) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = date_time_ymd(1970, 1, 1) + since_1970();
    (params.not_before, params.not_after) = match validity {
        Validity::Now => (now - DAY, now + DAY),
        Validity::For(time) => (now - DAY, now + time),
        Validity::Over => (now - DAY, now - HOUR),
        Validity::Later => (now + HOUR, now + DAY),
    };
    params
}

/// A directory as `--certs` takes it. It goes when this is dropped.
#[derive(Debug)]
pub struct Certificates {
    directory: TempDir,
}

impl Certificates {
    /// An empty one that trusts these authorities.
    ///
    /// # Panics
    /// When it can't be written.
    #[must_use]
    pub fn trusting(authorities: &[&Authority]) -> Self {
        let directory = tempfile::Builder::new().prefix("mesh-certs-").tempdir().expect("a directory");
        let this = Self { directory };
        this.trust(authorities);
        this
    }

    /// One of a new authority, with a node and services.
    ///
    /// # Panics
    /// When it can't be written.
    #[must_use]
    pub fn of(node: &str, services: &[&str]) -> (Authority, Self) {
        let authority = Authority::new("authority");
        let this = Self::trusting(&[&authority]);
        this.put_node(node, &authority.issue(Subject::Node(node), Validity::Now));
        for name in services {
            this.put_service(name, &authority.issue(Subject::Service(name), Validity::Now));
        }
        (authority, this)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The path of a file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Trusts these authorities and no others from here on.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn trust(&self, authorities: &[&Authority]) {
        let bundle: String = authorities.iter().map(|authority| authority.pem()).collect();
        self.put("ca.pem", &bundle);
    }

    /// Puts a node's certificate in place.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn put_node(&self, id: &str, issued: &Issued) {
        self.put_pair(&format!("node-{id}"), issued);
    }

    /// Puts a service's certificate in place.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn put_service(&self, name: &str, issued: &Issued) {
        self.put_pair(&format!("service-{name}"), issued);
    }

    /// Puts a list of revoked certificates in place.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn put_revoked(&self, list: &str) {
        self.put("crl.pem", list);
    }

    /// Puts a file in place, at once as a whole.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn put(&self, name: &str, text: &str) {
        let new = self.file(&format!("{name}.new"));
        // Keys are for nobody else, or nodes and clients warn of them.
        let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new);
        let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
        written.and_then(|()| fs::rename(&new, self.file(name))).expect("the directory is there");
    }

    fn put_pair(&self, name: &str, issued: &Issued) {
        self.put(&format!("{name}.key"), &issued.key);
        self.put(&format!("{name}.pem"), &issued.certificate);
    }
}

/// How late it is, as rcgen is told it: the type that it takes is one of a crate that is not used here.
fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
