//! Configurations of rustls, for quinn and tokio-rustls alike.
//!
//! TLS 1.3 only, with ring. Sessions are never resumed: a resumed one would skip the certificate, so that who was
//! revoked could come back (RFC 8446, section 4.6.1: tickets carry the authentication over). So there are no tickets,
//! no storage for sessions, and no early data.

use std::fmt;
use std::sync::Arc;

use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ServerConfig, SignatureScheme};

use crate::store::Store;
use crate::verify::{Expect, Verifier};

/// The protocol name of Mesh in handshakes (ALPN, RFC 7301).
pub const ALPN: &[u8] = b"mesh/1";

/// The provider of all cryptography here.
///
/// It is passed to each configuration and never installed for the process, so that a program that embeds a client
/// can have its own.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The configuration of a listening side. It reads `store` at each handshake.
///
/// # Errors
/// None in practice: only if the provider had no cipher suite for TLS 1.3.
pub fn server_config(store: Store, expect: Expect, alpn: &[u8]) -> Result<Arc<ServerConfig>, rustls::Error> {
    let verifier = Arc::new(Verifier::new(store.clone(), expect));
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(Resolver(store)));
    config.alpn_protocols = vec![alpn.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}

/// The configuration of a dialling side. It reads `store` at each handshake.
///
/// # Errors
/// None in practice: only if the provider had no cipher suite for TLS 1.3.
pub fn client_config(store: Store, expect: Expect, alpn: &[u8]) -> Result<Arc<ClientConfig>, rustls::Error> {
    let verifier = Arc::new(Verifier::new(store.clone(), expect));
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::new(Resolver(store)));
    config.alpn_protocols = vec![alpn.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    Ok(Arc::new(config))
}

/// Shows the own certificate of the current set.
struct Resolver(Store);

impl Resolver {
    fn key(&self) -> Option<Arc<CertifiedKey>> {
        self.0.current().own().map(|own| Arc::clone(&own.key))
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.key()
    }
}

impl ResolvesClientCert for Resolver {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.key()
    }

    /// True even without a certificate: there may be one at the next handshake.
    fn has_certs(&self) -> bool {
        true
    }
}
