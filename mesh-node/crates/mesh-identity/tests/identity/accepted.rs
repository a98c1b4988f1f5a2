//! Who is let in.

use mesh_identity::peer::PeerCertificate;
use mesh_identity::store::Store;
use mesh_identity::verify::{Error, Expect};
use mesh_identity::{authority::Issue, tls};
use mesh_wire::code::Code;
use rustls::{CipherSuite, HandshakeKind, ProtocolVersion};

use crate::meet::{dialling, listening, meet};
use crate::place::{Place, a_host, a_node, a_service, name};

#[test]
fn a_service_and_a_node_meet() {
    let place = Place::demo();
    for host in ["localhost", "127.0.0.1", "::1"] {
        let met =
            meet(listening(&place.node("a"), a_service()), dialling(&place.service("mail"), a_host()), host);
        assert!(met.is_open(), "{host}");
        let seen = PeerCertificate::from_chain(met.server.peer_certificates().unwrap()).unwrap();
        assert_eq!(seen.id().to_string(), "spiffe://demo/service/mail");
        let seen = PeerCertificate::from_chain(met.client.peer_certificates().unwrap()).unwrap();
        assert_eq!(seen.id().to_string(), "spiffe://demo/node/a");
        assert_eq!(met.server.alpn_protocol(), Some(tls::ALPN));
        assert_eq!(met.server.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    }
}

#[test]
fn names_that_were_asked_for_can_be_dialled() {
    let place = Place::demo();
    let names = ["node.example.com".to_owned(), "192.0.2.7".to_owned(), "2001:db8::7".to_owned()];
    place.issue(&Issue { names: names.to_vec(), ..Issue::node(name("b")) });
    for host in names.iter().map(String::as_str).chain(["localhost", "127.0.0.1", "::1"]) {
        let met =
            meet(listening(&place.node("b"), a_service()), dialling(&place.service("mail"), a_host()), host);
        assert!(met.is_open(), "{host}");
    }
}

#[test]
fn two_nodes_meet_on_the_port_for_peers_wherever_they_are() {
    let place = Place::demo();
    place.issue(&Issue::node(name("b")));
    let met = meet(
        listening(&place.node("a"), a_node()),
        dialling(&place.node("b"), a_node()),
        "elsewhere.example.com",
    );
    assert!(met.is_open());
    let seen = PeerCertificate::from_chain(met.server.peer_certificates().unwrap()).unwrap();
    assert_eq!(seen.is_named(&name("b")), Ok(()));
    let error = seen.is_named(&name("a")).unwrap_err();
    assert!(matches!(error, Error::WrongNode { .. }));
    assert_eq!(error.code(), Code::IdentityWrongNode);
}

#[test]
fn where_certificates_are_optional_there_may_be_none() {
    let place = Place::demo();
    let optional = Expect::Service { cluster: name("demo"), optional: true };
    let server = listening(&place.node("a"), optional);
    let met = meet(server.clone(), dialling(&place.ca(), a_host()), "localhost");
    assert!(met.is_open());
    assert!(met.server.peer_certificates().is_none());
    // One that is shown is looked at all the same.
    let met = meet(server.clone(), dialling(&place.service("mail"), a_host()), "localhost");
    assert!(met.server.peer_certificates().is_some());
    let met = meet(server, dialling(&place.node("a"), a_host()), "localhost");
    met.server_refused(Code::IdentityWrongKind, &place.node("a").current(), &a_host());
}

#[test]
fn without_any_certificates_a_node_on_this_machine_is_taken_and_no_other() {
    let node = Store::self_signed(name("demo"), name("a")).unwrap();
    assert_eq!(node.current().identity().unwrap().to_string(), "spiffe://demo/node/a");
    let server = listening(&node, Expect::Anything);
    let client = dialling(&Store::without_ca(), a_host());
    for host in ["localhost", "LocalHost", "127.0.0.1", "127.8.8.8", "::1"] {
        let met = meet(server.clone(), client.clone(), host);
        assert!(met.is_open(), "{host}");
        assert!(met.server.peer_certificates().is_none(), "none was asked for");
    }
    for host in ["localhost.example.com", "localhost6", "10.0.0.1", "::2", "0.0.0.0"] {
        let met = meet(server.clone(), client.clone(), host);
        met.client_refused(Code::CertificateUntrusted, &node.current(), &Expect::Anything);
    }
    // Who has a CA is not content with less.
    let place = Place::demo();
    let met = meet(server, dialling(&place.ca(), a_host()), "localhost");
    met.client_refused(Code::CertificateUntrusted, &node.current(), &Expect::Anything);
}

#[test]
fn sessions_are_never_resumed() {
    let place = Place::demo();
    let server = listening(&place.node("a"), a_service());
    let client = dialling(&place.service("mail"), a_host());
    for _ in 0..3 {
        let met = meet(server.clone(), client.clone(), "localhost");
        assert!(met.is_open());
        assert_eq!(met.server.handshake_kind(), Some(HandshakeKind::Full));
        assert_eq!(met.client.tls13_tickets_received(), 0);
    }
}

#[test]
fn quic_takes_the_configurations() {
    let place = Place::demo();
    let server = listening(&place.node("a"), a_service());
    // What QUIC protects its first packets with (RFC 9001, section 5.2).
    let initial = CipherSuite::TLS13_AES_128_GCM_SHA256;
    assert!(server.crypto_provider().cipher_suites.iter().any(|suite| suite.suite() == initial));
    assert!(quinn_proto::crypto::rustls::QuicServerConfig::try_from(server).is_ok());
    let client = dialling(&place.service("mail"), a_host());
    assert!(quinn_proto::crypto::rustls::QuicClientConfig::try_from(client).is_ok());
}
