//! A QUIC endpoint that says what it likes.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use quinn_proto::crypto::rustls::QuicClientConfig;
use rustls::DigitallySignedStruct;
use rustls::SignatureScheme;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use crate::Tamper;

/// What `mesh/1` calls itself in TLS.
const ALPN: &[u8] = b"mesh/1";

/// Who a hostile peer says it is.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Nobody: no certificate.
    None,
    /// By a certificate and its key in PEM.
    Files {
        /// The certificate, leaf first.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
}

/// A QUIC endpoint that says what it likes.
#[derive(Debug, Clone)]
pub struct Hostile {
    endpoint: quinn::Endpoint,
    config: quinn::ClientConfig,
}

impl Hostile {
    /// One on a port of its own, within a runtime.
    ///
    /// # Panics
    /// When there is no port, or the credentials are none.
    #[must_use]
    pub fn new(credentials: &Credentials, tamper: Option<&Tamper>) -> Self {
        let endpoint = quinn::Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
        Self { endpoint, config: client_config(credentials, tamper) }
    }

    /// Connects; whoever answers is trusted.
    ///
    /// # Errors
    /// Why the other side did not want to.
    ///
    /// # Panics
    /// When quinn does not take the address.
    pub async fn connect(&self, target: SocketAddr) -> Result<quinn::Connection, quinn::ConnectionError> {
        let connecting = self.endpoint.connect_with(self.config.clone(), target, "localhost");
        connecting.expect("an address to connect to").await
    }
}

pub(crate) fn client_config(credentials: &Credentials, tamper: Option<&Tamper>) -> quinn::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)));
    let mut tls = match credentials {
        Credentials::None => builder.with_no_client_auth(),
        Credentials::Files { certificate, key } => {
            let chain = CertificateDer::pem_file_iter(certificate).expect("a certificate");
            let chain = chain.collect::<Result<_, _>>().expect("certificates in PEM");
            let key = PrivateKeyDer::from_pem_file(key).expect("a key");
            builder.with_client_auth_cert(chain, key).expect("a key of the certificate")
        }
    };
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let quic = Arc::new(QuicClientConfig::try_from(tls).expect("a cipher suite for first packets"));
    quinn::ClientConfig::new(match tamper {
        Some(tamper) => tamper.apply(quic),
        None => quic,
    })
}

/// Trusts anybody.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
