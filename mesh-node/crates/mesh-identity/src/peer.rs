//! The certificate of the other side of a link.

use std::time::SystemTime;

use mesh_wire::name::Name;
use rustls::pki_types::CertificateDer;

use crate::facts;
use crate::id::SpiffeId;
use crate::verify::{self, Error};

/// What the certificate of the other side says, kept for as long as the link is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    id: SpiffeId,
    serial: String,
    subject: String,
    issuer: String,
    not_before: SystemTime,
    not_after: SystemTime,
    /// The end of whichever certificate of the chain ends first.
    chain_not_after: SystemTime,
    chain: Vec<CertificateDer<'static>>,
}

impl PeerCertificate {
    /// Reads the certificates that the other side showed, leaf first, as rustls and quinn hand them out after the
    /// handshake. It verifies nothing: the handshake did.
    ///
    /// # Errors
    /// [`Error::Missing`] without any, [`Error::Malformed`], or [`Error::NoIdentity`].
    pub fn from_chain(chain: &[CertificateDer<'_>]) -> Result<Self, Error> {
        let leaf = facts::parse(chain.first().ok_or(Error::Missing)?)?;
        let mut chain_not_after = facts::not_after(&leaf);
        for certificate in chain {
            chain_not_after = chain_not_after.min(facts::not_after(&facts::parse(certificate)?));
        }
        Ok(Self {
            id: facts::identity(&leaf)?,
            serial: facts::serial(&leaf),
            subject: facts::distinguished(leaf.subject()),
            issuer: facts::distinguished(leaf.issuer()),
            not_before: facts::time(leaf.validity().not_before),
            not_after: facts::not_after(&leaf),
            chain_not_after,
            chain: chain.iter().map(|der| der.clone().into_owned()).collect(),
        })
    }

    /// Who it is.
    pub fn id(&self) -> &SpiffeId {
        &self.id
    }

    /// The serial number, in hexadecimal.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// The distinguished name.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The distinguished name of who signed it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// When it begins.
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// When it ends.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// The certificates in DER, leaf first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// Refuses a peer that says it is `name` and has the certificate of another.
    ///
    /// # Errors
    /// [`Error::WrongNode`].
    pub fn is_named(&self, name: &Name) -> Result<(), Error> {
        verify::is_named(&self.id, name)
    }

    pub(crate) fn check_time(&self, now: SystemTime) -> Result<(), Error> {
        // To the second, as the times in certificates are, and its end included (RFC 5280, section 4.1.2.5).
        if verify::unix(now) > verify::unix(self.chain_not_after) {
            return Err(Error::Expired { not_after: self.chain_not_after });
        }
        Ok(())
    }
}
