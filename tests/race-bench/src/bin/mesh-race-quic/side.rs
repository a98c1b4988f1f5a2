//! Both ends of a connection: mutual TLS 1.3 by one authority, nothing resumed, on a socket of its own.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use mesh_race::certificates::Certificates;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, ServerConfig, TokioRuntime};
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};
use rustls::RootCertStore;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};

use crate::settings::Settings;

const PROTOCOL: &[u8] = b"mesh/1";

/// The name in the listener's certificate.
const NAME: &str = "localhost";

/// The side that waits.
pub(crate) struct Listener {
    endpoint: Endpoint,
}

/// The side that dials.
pub(crate) struct Connector {
    endpoint: Endpoint,
}

impl Listener {
    /// Takes a free port of loopback.
    pub(crate) fn bind(certs: &Certificates, settings: &Settings) -> anyhow::Result<Self> {
        let (chain, key) = pair(certs.node())?;
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots(certs)?), settings.provider())
                .build()?;
        let mut tls = rustls::ServerConfig::builder_with_provider(settings.provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)?;
        tls.alpn_protocols = vec![PROTOCOL.to_vec()];
        tls.send_tls13_tickets = 0;
        tls.session_storage = Arc::new(NoServerSessionStorage {});
        let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
        config.transport_config(settings.transport()).migration(false);
        Ok(Self { endpoint: endpoint(settings, Some(config))? })
    }

    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.endpoint.local_addr()?)
    }

    /// The next connection, once it is whole.
    pub(crate) async fn accept(&self) -> anyhow::Result<Connection> {
        let incoming = self.endpoint.accept().await.context("the endpoint was closed")?;
        Ok(incoming.await?)
    }
}

impl Connector {
    pub(crate) fn new(certs: &Certificates, settings: &Settings) -> anyhow::Result<Self> {
        let (chain, key) = pair(certs.service())?;
        let mut tls = rustls::ClientConfig::builder_with_provider(settings.provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots(certs)?)
            .with_client_auth_cert(chain, key)?;
        tls.alpn_protocols = vec![PROTOCOL.to_vec()];
        tls.resumption = Resumption::disabled();
        let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
        config.transport_config(settings.transport());
        let mut endpoint = endpoint(settings, None)?;
        endpoint.set_default_client_config(config);
        Ok(Self { endpoint })
    }

    pub(crate) async fn connect(&self, to: SocketAddr) -> anyhow::Result<Connection> {
        Ok(self.endpoint.connect(to, NAME)?.await?)
    }

    /// Closes everything and waits until the other sides know.
    pub(crate) async fn close(&self) {
        self.endpoint.close(0_u32.into(), b"");
        self.endpoint.wait_idle().await;
    }
}

/// Whether a connection ended because the other side had enough.
pub(crate) fn is_end(error: &ConnectionError) -> bool {
    matches!(error, ConnectionError::ApplicationClosed(_))
}

fn endpoint(settings: &Settings, server: Option<ServerConfig>) -> anyhow::Result<Endpoint> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    if settings.buffers > 0 {
        set_socket_recv_buffer_size(&socket, settings.buffers)?;
        set_socket_send_buffer_size(&socket, settings.buffers)?;
    }
    Ok(Endpoint::new(settings.endpoint()?, server, socket, Arc::new(TokioRuntime))?)
}

fn roots(certs: &Certificates) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in chain(&certs.authority())? {
        roots.add(certificate)?;
    }
    Ok(roots)
}

fn chain(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read = || CertificateDer::pem_file_iter(file)?.collect::<Result<_, _>>();
    read().with_context(|| file.display().to_string())
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn pair((certificate, key): (impl AsRef<Path>, impl AsRef<Path>)) -> anyhow::Result<Pair> {
    let key = key.as_ref();
    let private = PrivateKeyDer::from_pem_file(key).with_context(|| key.display().to_string())?;
    Ok((chain(certificate.as_ref())?, private))
}
