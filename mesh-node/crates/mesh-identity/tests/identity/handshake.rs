//! Handshakes in memory.

use crate::place::{Place, handshake, name};
use mesh_identity::authority::Issue;
use mesh_identity::peer::PeerCertificate;
use mesh_identity::verify::Expect;

#[test]
fn a_service_and_a_node_meet() {
    let place = Place::new("demo");
    place.issue(&Issue::node(name("a")));
    place.issue(&Issue::service(name("mail")));
    let expect = Expect::Service { cluster: name("demo"), optional: false };
    let met =
        handshake(place.node("a"), expect, place.service(None), Expect::Host { cluster: None }, "localhost");
    let (server, client) = met.unwrap();
    let seen = PeerCertificate::from_chain(server.peer_certificates().unwrap()).unwrap();
    assert_eq!(seen.id().to_string(), "spiffe://demo/service/mail");
    let seen = PeerCertificate::from_chain(client.peer_certificates().unwrap()).unwrap();
    assert_eq!(seen.id().to_string(), "spiffe://demo/node/a");
    assert_eq!(server.alpn_protocol(), Some(&b"mesh/1"[..]));
}
