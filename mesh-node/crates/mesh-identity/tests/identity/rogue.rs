//! Certificates that no tool of ours makes, from a CA that is trusted all the same.

use std::sync::Arc;

use mesh_identity::set::CertSet;
use mesh_identity::tls;
use mesh_wire::code::Code;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, SignatureScheme};

use crate::meet::{listening, meet};
use crate::place::{Place, a_host, a_service};

/// A client that shows whatever it is given and believes everybody.
#[derive(Debug)]
struct Rogue(Arc<CertifiedKey>);

impl rustls::client::ResolvesClientCert for Rogue {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ServerCertVerifier for Rogue {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        unreachable!("TLS 1.3 only")
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

fn client(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Arc<ClientConfig> {
    let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = rustls::crypto::ring::sign::any_supported_type(&der).unwrap();
    let rogue = || Arc::new(Rogue(Arc::new(CertifiedKey::new(chain.clone(), key.clone()))));
    let mut config = ClientConfig::builder_with_provider(tls::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(rogue())
        .with_client_cert_resolver(rogue());
    config.alpn_protocols = vec![tls::ALPN.to_vec()];
    Arc::new(config)
}

fn authority(place: &Place) -> Issuer<'static, KeyPair> {
    let key = KeyPair::from_pem(&place.read("ca.key")).unwrap();
    Issuer::from_ca_cert_pem(&place.read("ca.pem"), key).unwrap()
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

/// A good certificate of a service, until a test changes it.
fn params(names: &[SanType]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.subject_alt_names = names.to_vec();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn shown(place: &Place, params: &CertificateParams) -> crate::meet::Met {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority(place)).unwrap();
    let server = listening(&place.node("a"), a_service());
    meet(server, client(vec![certificate.into()], &key), "localhost")
}

#[test]
fn one_that_is_good_is_let_in() {
    let place = Place::demo();
    assert!(shown(&place, &params(&[uri("spiffe://demo/service/x")])).is_open());
    // Other names don't matter.
    let names = [SanType::DnsName("x".try_into().unwrap()), uri("spiffe://demo/service/x")];
    assert!(shown(&place, &params(&names)).is_open());
}

#[test]
fn without_exactly_one_identity() {
    let place = Place::demo();
    let cases: [&[SanType]; 7] = [
        &[],
        &[SanType::DnsName("mail".try_into().unwrap())],
        &[uri("https://demo/service/x")],
        &[uri("spiffe://demo/x")],
        &[uri("spiffe://demo/service/X")],
        &[uri("spiffe://demo/service/x"), uri("spiffe://demo/service/y")],
        &[uri("spiffe://demo/service/x"), uri("https://example.com")],
    ];
    for names in cases {
        let met = shown(&place, &params(names));
        met.server_refused(Code::IdentityMissing, &CertSet::empty(), &a_host());
    }
}

#[test]
fn for_another_use() {
    let place = Place::demo();
    let name = [uri("spiffe://demo/service/x")];
    let mut server_only = params(&name);
    server_only.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut ca = params(&name);
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for params in [server_only, ca] {
        shown(&place, &params).server_refused(
            Code::CertificateWrongUse,
            &place.service("mail").current(),
            &a_host(),
        );
    }
}

#[test]
fn that_can_not_be_read() {
    let place = Place::demo();
    let mut critical = params(&[uri("spiffe://demo/service/x")]);
    let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99_999], vec![5, 0]);
    extension.set_criticality(true);
    critical.custom_extensions.push(extension);
    let set = place.service("mail").current();
    shown(&place, &critical).server_refused(Code::CertificateMalformed, &set, &a_host());
    let key = KeyPair::generate().unwrap();
    for garbage in [b"".as_slice(), b"no certificate", &[0x30, 0x82, 0xff, 0xff], &[0; 4096]] {
        let server = listening(&place.node("a"), a_service());
        let met = meet(server, client(vec![garbage.to_vec().into()], &key), "localhost");
        met.server_refused(Code::CertificateMalformed, &set, &a_host());
    }
}

#[test]
fn signed_by_somebody_who_is_no_ca() {
    let place = Place::demo();
    let set = place.service("mail").current();
    let mail = KeyPair::from_pem(&place.read("service-mail.key")).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&place.read("service-mail.pem"), mail).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = params(&[uri("spiffe://demo/service/x")]).signed_by(&key, &issuer).unwrap();
    let chain = vec![CertificateDer::from(leaf), set.own_chain()[0].clone()];
    let server = listening(&place.node("a"), a_service());
    let met = meet(server, client(chain, &key), "localhost");
    met.server_refused(Code::CertificateUntrusted, &set, &a_host());
}

#[test]
fn signed_by_nobody_or_by_an_impostor() {
    let place = Place::demo();
    let set = place.service("mail").current();
    let key = KeyPair::generate().unwrap();
    let params = params(&[uri("spiffe://demo/service/x")]);
    let own = params.self_signed(&key).unwrap();
    // Has the name of the CA and not its key.
    let impostor = Issuer::from_ca_cert_pem(&place.read("ca.pem"), KeyPair::generate().unwrap()).unwrap();
    let forged = params.signed_by(&key, &impostor).unwrap();
    for certificate in [own, forged] {
        let server = listening(&place.node("a"), a_service());
        let met = meet(server, client(vec![certificate.into()], &key), "localhost");
        met.server_refused(Code::CertificateUntrusted, &set, &a_host());
    }
}

#[test]
fn with_a_key_that_is_not_its_own() {
    let place = Place::demo();
    let stolen = place.service("mail").current().own_chain().to_vec();
    let server = listening(&place.node("a"), a_service());
    let met = meet(server, client(stolen, &KeyPair::generate().unwrap()), "localhost");
    // Who shows the certificate of another can't sign for it: the handshake itself fails.
    assert!(met.on_server.is_some() && !met.is_open());
}

#[test]
fn through_an_intermediate() {
    let place = Place::demo();
    let set = place.service("mail").current();
    let between = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(rcgen::DnType::OrganizationName, "between");
    let intermediate = ca.signed_by(&between, &authority(&place)).unwrap();
    let issuer = Issuer::new(ca, between);
    let key = KeyPair::generate().unwrap();
    let leaf = params(&[uri("spiffe://demo/service/x")]).signed_by(&key, &issuer).unwrap();
    let chain = vec![CertificateDer::from(leaf), intermediate.der().clone()];
    let enter = || meet(listening(&place.node("a"), a_service()), client(chain.clone(), &key), "localhost");
    assert!(enter().is_open());
    // With the intermediate everything below it is taken back.
    place.write("between.pem", intermediate.pem());
    place.revoke("between.pem");
    enter().server_refused(Code::CertificateRevoked, &set, &a_host());
}
