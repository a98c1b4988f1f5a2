//! Both ends of a link, in one process.

use mesh_transport::connect::{self, ConnectOptions};
use mesh_transport::endpoint::Endpoint;
use mesh_transport::link::Link;
use mesh_transport::{quic, tls};

use crate::certs::Certs;

/// A listener for links of one carrier.
pub(crate) enum Node {
    Quic(quic::Listener),
    Tls(tls::Listener),
}

pub(crate) fn quic_options(certs: &Certs) -> quic::ListenerOptions {
    quic::ListenerOptions::new(
        "127.0.0.1:0".parse().unwrap(),
        certs.node("a"),
        certs.expect_service(),
        quic::ResetKey::random().unwrap(),
    )
}

pub(crate) fn tls_options(certs: &Certs) -> tls::ListenerOptions {
    let address = "127.0.0.1:0".parse().unwrap();
    tls::ListenerOptions::new(address, certs.node("a"), certs.expect_service())
}

impl Node {
    pub(crate) fn quic() -> Self {
        Self::Quic(quic::Listener::bind(quic_options(Certs::shared())).unwrap())
    }

    pub(crate) fn tls() -> Self {
        Self::Tls(tls::Listener::bind(tls_options(Certs::shared())).unwrap())
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        match self {
            Self::Quic(listener) => format!("quic://{}", listener.local_address().unwrap()).parse().unwrap(),
            Self::Tls(listener) => format!("tls://{}", listener.local_address().unwrap()).parse().unwrap(),
        }
    }

    pub(crate) async fn accept(&self) -> Link {
        match self {
            Self::Quic(listener) => listener.accept().await.unwrap().finish().await.unwrap(),
            Self::Tls(listener) => listener.accept().await.unwrap().finish().await.unwrap(),
        }
    }

    /// A link: the end that dialled, and the end that listened.
    pub(crate) async fn pair(&self) -> (Link, Link) {
        let options = ConnectOptions::new(Certs::shared().service("app"));
        let endpoint = self.endpoint();
        let (client, node) = tokio::join!(connect::open(&endpoint, &options), self.accept());
        (client.unwrap(), node)
    }
}
