//! The verifier that rustls calls.

use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, PeerIncompatible, SignatureScheme};
use webpki::KeyUsage;

use super::{Error, Expect, chain, error, is_kind, is_of};
use crate::facts;
use crate::id::{Kind, SpiffeId};
use crate::set::CertSet;
use crate::store::Store;
use crate::tls::provider;

/// Verifies the other side with the set that is current at that moment: chain, time and use by webpki, then
/// revocation, then the identity.
///
/// In this order, so that nothing is read from a certificate before its signature is known to be good.
pub struct Verifier {
    store: Store,
    expect: Expect,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// A verifier for one port, or for one way of dialling.
    pub fn new(store: Store, expect: Expect) -> Self {
        Self { store, expect, algorithms: provider().signature_verification_algorithms }
    }

    /// Verifies a chain, leaf first.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        dialled: Option<&ServerName<'_>>,
        now: SystemTime,
    ) -> Result<(), Error> {
        let set = self.store.current();
        let usage = if dialled.is_some() { KeyUsage::server_auth() } else { KeyUsage::client_auth() };
        match &self.expect {
            Expect::Anything => return Ok(()),
            Expect::Host { .. } if !set.has_ca() && dialled.is_some_and(is_loopback) => return Ok(()),
            _ => {}
        }
        if !set.has_ca() {
            return Err(Error::Untrusted { detail: "there is no CA to verify it with".to_owned() });
        }
        let verified = chain(&set.anchors, leaf, intermediates, usage, now)?;
        for certificate in std::iter::once(leaf).chain(intermediates) {
            set.revocations.check(certificate)?;
        }
        if let (Expect::Host { .. }, Some(name)) = (&self.expect, dialled) {
            verified.verify_is_valid_for_subject_name(name).map_err(error::of_webpki)?;
        }
        self.is_expected(&facts::one_identity(verified.valid_uri_names())?, &set)
    }

    fn is_expected(&self, id: &SpiffeId, set: &CertSet) -> Result<(), Error> {
        let (kind, cluster) = match &self.expect {
            Expect::Service { cluster, .. } => (Kind::Service, Some(cluster)),
            Expect::Node { cluster } => (Kind::Node, Some(cluster)),
            Expect::Host { cluster } => {
                (Kind::Node, cluster.as_ref().or_else(|| set.identity().map(SpiffeId::cluster)))
            }
            Expect::Anything => return Ok(()),
        };
        is_kind(id, kind)?;
        cluster.map_or(Ok(()), |cluster| is_of(id, cluster))
    }
}

fn is_loopback(name: &ServerName<'_>) -> bool {
    match name {
        ServerName::DnsName(name) => name.as_ref().eq_ignore_ascii_case("localhost"),
        ServerName::IpAddress(address) => IpAddr::from(*address).is_loopback(),
        _ => false,
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("expect", &self.expect).finish_non_exhaustive()
    }
}

/// TLS 1.2 is never spoken.
fn no_tls12() -> rustls::Error {
    rustls::Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.verify(end_entity, intermediates, Some(server_name), error::time(now))
            .map_err(|error| error::to_rustls(error, now))?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Verifier {
    fn offer_client_auth(&self) -> bool {
        self.expect != Expect::Anything
    }

    fn client_auth_mandatory(&self) -> bool {
        !matches!(self.expect, Expect::Anything | Expect::Service { optional: true, .. })
    }

    /// None: the names would have to be those of the moment this was built. They are optional, and clients here have
    /// one certificate anyway.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.verify(end_entity, intermediates, None, error::time(now))
            .map_err(|error| error::to_rustls(error, now))?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
