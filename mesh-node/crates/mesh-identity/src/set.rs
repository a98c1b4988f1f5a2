//! A set of certificates: whom one trusts, who one is, and who was revoked.

mod error;
mod source;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use mesh_wire::name::Name;
use ring::digest;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use rustls::sign::CertifiedKey;
use webpki::KeyUsage;

pub use self::error::Error;
pub use self::source::{DIR_ENTRIES_MAX, Source, Who};
pub use crate::file::{FILE_BYTES_MAX, SECTIONS_MAX};

use crate::crl::Revocations;
use crate::facts;
use crate::file::{self, Input};
use crate::id::{Kind, SpiffeId};
use crate::verify::{self, chain};

/// The most certificates that are sent with the own one, itself included.
pub const CHAIN_MAX: usize = 8;

/// A set that was checked as a whole. It never changes.
#[derive(Debug)]
pub struct CertSet {
    pub(crate) anchors: Vec<TrustAnchor<'static>>,
    pub(crate) revocations: Revocations,
    own: Option<Own>,
    warnings: Vec<String>,
    hash: Hash,
}

/// SHA-256 of the contents of all files of a set.
pub(crate) type Hash = [u8; 32];

pub(crate) struct Own {
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) id: SpiffeId,
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").field("id", &self.id).finish_non_exhaustive()
    }
}

impl CertSet {
    /// Reads files and checks them as a whole: that each holds what it should, that the key belongs to the leaf, that
    /// the chain leads to a CA of the bundle and is valid at `now`, that its identity is the expected one, and that
    /// revocation lists are signed by a CA of the bundle.
    ///
    /// # Errors
    /// The first fault, with the file that has it.
    pub fn load(source: &Source, now: SystemTime) -> Result<Self, Error> {
        Files::read(source)?.check(source.who(), now)
    }

    /// A set without a CA and without a certificate of its own: it can verify nobody, and is for dialling a node on
    /// this machine that has no certificate either.
    pub fn empty() -> Self {
        Self {
            anchors: Vec::new(),
            revocations: Revocations::default(),
            own: None,
            warnings: Vec::new(),
            hash: [0; 32],
        }
    }

    #[cfg(feature = "self-signed")]
    pub(crate) fn of_own(own: Own) -> Self {
        Self { own: Some(own), ..Self::empty() }
    }

    /// Who one is by one's own certificate, if there is one.
    pub fn identity(&self) -> Option<&SpiffeId> {
        self.own.as_ref().map(|own| &own.id)
    }

    /// When the own certificate ends.
    pub fn not_after(&self) -> Option<SystemTime> {
        self.own.as_ref().map(|own| own.not_after)
    }

    /// The own certificate with its intermediates, leaf first.
    pub fn own_chain(&self) -> &[CertificateDer<'static>] {
        self.own.as_ref().map(|own| own.key.cert.as_slice()).unwrap_or_default()
    }

    /// Whether anybody can be verified with it.
    pub fn has_ca(&self) -> bool {
        !self.anchors.is_empty()
    }

    /// What was revoked.
    pub fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// What is not wrong and should be mended, in sentences without a full stop.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(crate) fn own(&self) -> Option<&Own> {
        self.own.as_ref()
    }

    pub(crate) fn hash(&self) -> Hash {
        self.hash
    }
}

/// The contents of all files of a set, not yet looked into.
pub(crate) struct Files {
    ca: Input,
    own: Option<(Input, Input)>,
    crl: Option<Input>,
}

impl Files {
    pub(crate) fn read(source: &Source) -> Result<Self, Error> {
        let found = source.find()?;
        let own = match &found.own {
            Some((cert, key)) => Some((file::read(cert)?, file::read(key)?)),
            None => None,
        };
        let crl = found.crl.as_deref().map(file::read).transpose()?;
        Ok(Self { ca: file::read(&found.ca)?, own, crl })
    }

    /// The same for the same contents, wherever they lie.
    pub(crate) fn hash(&self) -> Hash {
        let mut context = digest::Context::new(&digest::SHA256);
        let own = self.own.as_ref();
        let inputs = [Some(&self.ca), own.map(|own| &own.0), own.map(|own| &own.1), self.crl.as_ref()];
        for input in inputs {
            let bytes = input.map(|input| input.bytes.as_slice());
            context.update(&bytes.map_or(u64::MAX, |bytes| bytes.len() as u64).to_be_bytes());
            context.update(bytes.unwrap_or_default());
        }
        let mut hash = Hash::default();
        hash.copy_from_slice(context.finish().as_ref());
        hash
    }

    pub(crate) fn check(&self, who: &Who, now: SystemTime) -> Result<CertSet, Error> {
        let mut warnings = Vec::new();
        let authorities = self.ca.certificates()?;
        let anchors = self.anchors(&authorities, now, &mut warnings)?;
        let own = match &self.own {
            Some((cert, key)) => Some(self.own(cert, key, &anchors, who, now)?),
            None => None,
        };
        let mut issuers = authorities;
        issuers.extend(own.iter().flat_map(|own| own.key.cert.iter().skip(1).cloned()));
        let revocations = self.revocations(&issuers)?;
        if let Some((cert, key)) = &self.own
            && key.open_to_others
        {
            warnings.push(format!(
                "{}: other users can read the private key of {}: chmod 600",
                key.path.display(),
                cert.path.display()
            ));
        }
        if let Some(next) = revocations.overdue(now) {
            let next = verify::text(next);
            warnings.push(format!("a revocation list was to be replaced by {next}; it still counts"));
        }
        if let Some(own) = &own
            && let Some(leaf) = own.key.cert.first()
            && revocations.check(leaf).is_err()
        {
            warnings.push(format!("the own certificate, {}, is revoked", own.id));
        }
        Ok(CertSet { anchors, revocations, own, warnings, hash: self.hash() })
    }

    fn anchors(
        &self,
        authorities: &[CertificateDer<'static>],
        now: SystemTime,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<TrustAnchor<'static>>, Error> {
        let mut anchors = Vec::new();
        for (at, der) in authorities.iter().enumerate() {
            let anchor = webpki::anchor_from_trusted_cert(der);
            let anchor = anchor.map_err(|error| self.ca.malformed(nth(at, authorities, &error)))?;
            let facts = facts::parse(der).map_err(|error| self.ca.malformed(nth(at, authorities, &error)))?;
            if !facts.is_ca() {
                let detail = format!(
                    "the certificate of {} is not one of a CA",
                    facts::distinguished(facts.subject())
                );
                return Err(self.ca.malformed(detail));
            }
            // RFC 5280 leaves the validity of trust anchors to who trusts them (section 6.1.1).
            let not_after = facts::not_after(&facts);
            if not_after < now {
                let not_after = verify::text(not_after);
                let subject = facts::distinguished(facts.subject());
                warnings.push(format!("the certificate of the CA {subject} ended at {not_after}"));
            }
            anchors.push(anchor.to_owned());
        }
        Ok(anchors)
    }

    fn own(
        &self,
        cert: &Input,
        key: &Input,
        anchors: &[TrustAnchor<'static>],
        who: &Who,
        now: SystemTime,
    ) -> Result<Own, Error> {
        let certificates = cert.certificates()?;
        if certificates.len() > CHAIN_MAX {
            return Err(cert.malformed(format!("it holds more than {CHAIN_MAX} certificates")));
        }
        let key_der = key.key()?;
        let refused = |error| Error::Own { path: cert.path.clone(), error };
        let [leaf, intermediates @ ..] = certificates.as_slice() else {
            return Err(cert.malformed("it holds no certificate"));
        };
        let facts = facts::parse(leaf).map_err(|error| cert.malformed(error.to_string()))?;
        let (not_before, not_after) = (facts::time(facts.validity().not_before), facts::not_after(&facts));
        let certified = CertifiedKey::from_der(certificates.clone(), key_der, &default_provider());
        let certified = certified.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                Error::KeyMismatch { cert: cert.path.clone(), key: key.path.clone() }
            }
            rustls::Error::InvalidCertificate(error) => cert.malformed(error.to_string()),
            other => key.malformed(other.to_string()),
        })?;
        let usages: &[KeyUsage] = match who {
            Who::Node { .. } => &[KeyUsage::server_auth(), KeyUsage::client_auth()],
            Who::Service { .. } => &[KeyUsage::client_auth()],
        };
        for usage in usages {
            chain(anchors, leaf, intermediates, *usage, now).map_err(refused)?;
        }
        let id = facts::identity(&facts).map_err(refused)?;
        is_whose(&id, who).map_err(refused)?;
        Ok(Own { key: Arc::new(certified), id, not_before, not_after })
    }

    fn revocations(&self, issuers: &[CertificateDer<'static>]) -> Result<Revocations, Error> {
        let mut revocations = Revocations::default();
        let Some(crl) = &self.crl else { return Ok(revocations) };
        let unusable = |detail| Error::Crl { path: crl.path.clone(), detail };
        let lists = crl.crls().map_err(|error| match error {
            Error::Malformed { detail, .. } => unusable(detail),
            other => other,
        })?;
        for list in lists {
            revocations.add(&list, issuers).map_err(unusable)?;
        }
        Ok(revocations)
    }
}

fn nth(at: usize, all: &[CertificateDer<'_>], error: &dyn fmt::Display) -> String {
    match all.len() {
        1 => error.to_string(),
        count => format!("certificate {} of {count}: {error}", at + 1),
    }
}

fn is_whose(id: &SpiffeId, who: &Who) -> Result<(), verify::Error> {
    let (kind, cluster, name): (Kind, Option<&Name>, Option<&Name>) = match who {
        Who::Node { cluster, id } => (Kind::Node, Some(cluster), Some(id)),
        Who::Service { name } => (Kind::Service, None, name.as_ref()),
    };
    verify::is_kind(id, kind)?;
    cluster.map_or(Ok(()), |cluster| verify::is_of(id, cluster))?;
    name.map_or(Ok(()), |name| verify::is_named(id, name))
}
