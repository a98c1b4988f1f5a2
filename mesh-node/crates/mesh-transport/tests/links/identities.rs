//! Who gets a link, and what both sides are told when one does not.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use mesh_identity::authority::{Issue, Validity};
use mesh_identity::set::{Source, Who};
use mesh_identity::store::Store;
use mesh_identity::verify::Expect;
use mesh_transport::connect::{self, ConnectOptions};
use mesh_transport::endpoint::Endpoint;
use mesh_transport::handshake::HandshakeError;
use mesh_transport::link::{Closed, Link};
use mesh_transport::{quic, tls};
use mesh_wire::code::Code;
use tokio::io::AsyncReadExt;

use crate::certs::{Certs, name};
use crate::pair::{quic_options, soon, tls_options};

/// A listener of either network carrier.
enum Port {
    Quic(quic::Listener),
    Tls(tls::Listener),
}

impl Port {
    /// One of each, for whom `expect` says.
    fn both(certs: &Certs, expect: &Expect) -> [Self; 2] {
        let quic = quic::ListenerOptions { expect: expect.clone(), ..quic_options(certs) };
        let tls = tls::ListenerOptions { expect: expect.clone(), ..tls_options(certs) };
        [Self::Quic(quic::Listener::bind(quic).unwrap()), Self::Tls(tls::Listener::bind(tls).unwrap())]
    }

    fn endpoint(&self, host: &str) -> Endpoint {
        let (scheme, address) = match self {
            Self::Quic(listener) => ("quic", listener.local_address().unwrap()),
            Self::Tls(listener) => ("tls", listener.local_address().unwrap()),
        };
        format!("{scheme}://{host}:{}", address.port()).parse().unwrap()
    }

    async fn finish(&self) -> Result<Link, HandshakeError> {
        match self {
            Self::Quic(listener) => listener.accept().await.unwrap().finish().await,
            Self::Tls(listener) => listener.accept().await.unwrap().finish().await,
        }
    }
}

/// The first thing that a client hears of its link.
async fn first_word(mut link: Link) -> Code {
    let error = match link.inbound.accept().await {
        Ok(mut lane) => lane.reader.read_u8().await.unwrap_err(),
        Err(error) => error,
    };
    Closed::of(&error).unwrap_or_else(|| panic!("{error}")).code.unwrap()
}

/// Dials with `store` and gives what the listener said, and the code that the client heard.
async fn refused(port: &Port, endpoint: &Endpoint, store: Store, expect: Expect) -> (Code, Code) {
    let options = ConnectOptions { expect, ..ConnectOptions::new(store) };
    let client = async {
        match connect::open(endpoint, &options).await {
            Ok(link) => first_word(link).await,
            Err(error) => error.code(),
        }
    };
    let (client, server) = soon(async { tokio::join!(client, port.finish()) }).await;
    let error = server.map(|_| "a link").unwrap_err();
    assert!(error.remote.ip().is_loopback() && !error.cause.is_empty(), "{error}");
    (error.code(), client)
}

fn host() -> Expect {
    Expect::Host { cluster: None }
}

/// A client that trusts the CAs of `trusted` and shows `shown`, if anything.
fn client_of(dir: &tempfile::TempDir, trusted: &[&Certs], shown: Option<(&Certs, &str)>) -> Store {
    let bundle: String =
        trusted.iter().map(|certs| fs::read_to_string(certs.path().join("ca.pem")).unwrap()).collect();
    let ca = dir.path().join("ca.pem");
    fs::write(&ca, bundle).unwrap();
    let file = |ending: &str| -> Option<PathBuf> {
        shown.map(|(certs, stem)| certs.path().join(format!("{stem}.{ending}")))
    };
    let who = match shown {
        Some((_, stem)) if stem.starts_with("node-") => {
            Who::Node { cluster: name("test"), id: name(&stem["node-".len()..]) }
        }
        _ => Who::Service { name: None },
    };
    Store::open(Source::Files { ca, cert: file("pem"), key: file("key"), crl: None, who }).unwrap()
}

#[tokio::test]
async fn clients_that_are_refused_and_what_both_sides_hear() {
    let certs = Certs::shared();
    let other = Certs::new("test");
    let dir = || tempfile::tempdir().unwrap();
    let (none, foreign, node) = (dir(), dir(), dir());
    let table = [
        ("no certificate", client_of(&none, &[certs], None), Code::CertificateMissing),
        (
            "another CA",
            client_of(&foreign, &[certs, &other], Some((&other, "service-app"))),
            Code::CertificateUntrusted,
        ),
        ("a node", client_of(&node, &[certs], Some((certs, "node-b"))), Code::IdentityWrongKind),
    ];
    for (what, store, code) in table {
        for port in Port::both(certs, &certs.expect_service()) {
            let endpoint = port.endpoint("127.0.0.1");
            let (server, client) = refused(&port, &endpoint, store.clone(), host()).await;
            assert_eq!((server, client), (code, code), "{what} over {endpoint}");
        }
    }
}

#[tokio::test]
async fn a_service_of_another_cluster_is_refused() {
    let certs = Certs::new("test");
    certs.issue(&Issue { cluster: Some(name("prod")), ..Issue::service(name("stray")) });
    let dir = tempfile::tempdir().unwrap();
    let store = client_of(&dir, &[&certs], Some((&certs, "service-stray")));
    for port in Port::both(&certs, &certs.expect_service()) {
        let endpoint = port.endpoint("127.0.0.1");
        let expect = Expect::Host { cluster: Some(name("test")) };
        let heard = refused(&port, &endpoint, store.clone(), expect).await;
        assert_eq!(heard, (Code::IdentityWrongCluster, Code::IdentityWrongCluster), "{endpoint}");
    }
}

#[tokio::test]
async fn a_client_on_the_port_of_peers_is_refused() {
    let certs = Certs::shared();
    for port in Port::both(certs, &certs.expect_node()) {
        let endpoint = port.endpoint("127.0.0.1");
        let (server, client) = refused(&port, &endpoint, certs.service("app"), host()).await;
        assert_eq!(server, Code::IdentityWrongKind, "{endpoint}");
        // Over TCP an alert is all that a client hears, and TLS has one for all identities.
        let heard = match port {
            Port::Quic(_) => Code::IdentityWrongKind,
            Port::Tls(_) => Code::IdentityWrongCluster,
        };
        assert_eq!(client, heard, "{endpoint}");
    }
}

#[tokio::test]
async fn nodes_meet_on_the_port_of_peers() {
    let certs = Certs::shared();
    for port in Port::both(certs, &certs.expect_node()) {
        let endpoint = port.endpoint("127.0.0.1");
        let options = ConnectOptions { expect: certs.expect_node(), ..ConnectOptions::new(certs.node("b")) };
        let (client, server) =
            soon(async { tokio::join!(connect::open(&endpoint, &options), port.finish()) }).await;
        assert_eq!(server.unwrap().handle.certificate().unwrap().id().to_string(), "spiffe://test/node/b");
        assert_eq!(client.unwrap().handle.certificate().unwrap().id().to_string(), "spiffe://test/node/a");
    }
}

#[tokio::test]
async fn a_node_of_another_ca_is_refused_by_the_client() {
    let certs = Certs::shared();
    let other = Certs::new("test");
    for port in Port::both(&other, &other.expect_service()) {
        let endpoint = port.endpoint("127.0.0.1");
        let (server, client) = refused(&port, &endpoint, certs.service("app"), host()).await;
        assert_eq!(client, Code::CertificateUntrusted, "{endpoint}");
        assert_eq!(server, Code::CertificateUntrusted, "{endpoint}");
    }
}

#[tokio::test]
async fn a_node_under_another_name_is_refused_by_the_client() {
    let certs = Certs::shared();
    for port in Port::both(certs, &certs.expect_service()) {
        let endpoint = port.endpoint("localhost");
        let options = ConnectOptions::new(certs.service("app"));
        let (client, server) =
            soon(async { tokio::join!(connect::open(&endpoint, &options), port.finish()) }).await;
        assert!(client.is_ok() && server.is_ok(), "localhost is a name of every node");
    }
    // Its certificate is not for this address.
    let everywhere = quic::ListenerOptions { address: "0.0.0.0:0".parse().unwrap(), ..quic_options(certs) };
    let port = Port::Quic(quic::Listener::bind(everywhere).unwrap());
    let endpoint = port.endpoint("127.0.0.2");
    let (server, client) = refused(&port, &endpoint, certs.service("app"), host()).await;
    assert_eq!((server, client), (Code::CertificateWrongName, Code::CertificateWrongName));
}

#[tokio::test]
async fn a_certificate_that_ends_is_refused_from_then_on() {
    let certs = Certs::new("test");
    let now = SystemTime::now();
    let soon_over =
        Validity { not_before: now - Duration::from_secs(60), not_after: now + Duration::from_secs(2) };
    certs.issue(&Issue { validity: Some(soon_over), ..Issue::service(name("brief")) });
    let store = certs.service("brief");
    let ports = Port::both(&certs, &certs.expect_service());
    // It has to be over, to the second.
    while SystemTime::now() <= soon_over.not_after + Duration::from_secs(1) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for port in ports {
        let endpoint = port.endpoint("127.0.0.1");
        let heard = refused(&port, &endpoint, store.clone(), host()).await;
        assert_eq!(heard, (Code::CertificateExpired, Code::CertificateExpired), "{endpoint}");
    }
}

#[tokio::test]
async fn without_certificates_only_this_machine_can_be_dialled() {
    let certs = Store::self_signed(name("test"), name("a")).unwrap();
    let options = quic::ListenerOptions {
        store: certs.clone(),
        expect: Expect::Anything,
        ..quic_options(Certs::shared())
    };
    let quic = Port::Quic(quic::Listener::bind(options).unwrap());
    let options =
        tls::ListenerOptions { store: certs, expect: Expect::Anything, ..tls_options(Certs::shared()) };
    let tls = Port::Tls(tls::Listener::bind(options).unwrap());
    let options = ConnectOptions::new(Store::without_ca());
    for (port, host) in [(&quic, "127.0.0.1"), (&tls, "127.0.0.1"), (&tls, "localhost")] {
        let endpoint = port.endpoint(host);
        let (client, server) =
            soon(async { tokio::join!(connect::open(&endpoint, &options), port.finish()) }).await;
        assert_eq!(server.unwrap().handle.certificate(), None);
        client.unwrap();
    }
    for scheme in ["quic", "tls"] {
        let endpoint = format!("{scheme}://192.0.2.7:7400").parse().unwrap();
        let error = connect::open(&endpoint, &options).await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (Code::CaRequired, false), "{error}");
        assert!(error.hint().contains("--certs"), "{}", error.hint());
    }
}
