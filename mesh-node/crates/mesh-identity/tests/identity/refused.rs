//! Who is not let in: each fault with its code on both sides.

use std::time::SystemTime;

use mesh_identity::authority::{Issue, Validity};
use mesh_identity::set::{Source, Who};
use mesh_identity::store::Store;
use mesh_identity::verify::Expect;
use mesh_wire::code::Code;

use crate::meet::{dialling, listening, meet};
use crate::place::{HOUR, Place, a_host, a_node, a_service, expired, name, not_yet_valid};

/// A client that the node refuses, and knows why.
fn refused_client(node: &Store, port: Expect, client: &Store, dials: Expect, code: Code) {
    let met = meet(listening(node, port), dialling(client, dials.clone()), "localhost");
    met.server_refused(code, &client.current(), &dials);
}

/// A server that the client refuses, and knows why.
fn refused_server(server: &Store, port: Expect, client: &Store, dials: Expect, host: &str, code: Code) {
    let met = meet(listening(server, port.clone()), dialling(client, dials), host);
    met.client_refused(code, &server.current(), &port);
}

/// As it was when the certificate was valid: files that are bad now would not be loaded.
fn loaded_at(source: Source, validity: Option<Validity>) -> Store {
    Store::open_at(source, validity.unwrap().not_before + HOUR).unwrap()
}

#[test]
fn a_client_without_a_certificate() {
    let place = Place::demo();
    refused_client(&place.node("a"), a_service(), &place.ca(), a_host(), Code::CertificateMissing);
    refused_client(&place.node("a"), a_node(), &place.ca(), a_node(), Code::CertificateMissing);
}

#[test]
fn another_ca() {
    let (place, other) = (Place::demo(), Place::demo());
    // The client trusts both and is of the other.
    let bundle = place.read("ca.pem") + &other.read("ca.pem");
    other.write("ca.pem", bundle);
    refused_client(
        &place.node("a"),
        a_service(),
        &other.service("mail"),
        a_host(),
        Code::CertificateUntrusted,
    );
    refused_client(&place.node("a"), a_node(), &other.node("a"), a_node(), Code::CertificateUntrusted);
    let dials = [(place.service("mail"), a_host(), a_service()), (place.node("a"), a_node(), a_node())];
    for (client, dials, port) in dials {
        refused_server(&other.node("a"), port, &client, dials, "localhost", Code::CertificateUntrusted);
    }
}

#[test]
fn another_name_than_the_one_that_was_dialled() {
    let place = Place::demo();
    place.issue(&Issue { names: vec!["a.example.com".to_owned()], ..Issue::node(name("b")) });
    // The last ones: an identity is no name, and a name no pattern.
    for host in ["example.com", "b.a.example.com", "a.example.co", "192.0.2.1", "::2", "b", "demo"] {
        refused_server(
            &place.node("b"),
            a_service(),
            &place.service("mail"),
            a_host(),
            host,
            Code::CertificateWrongName,
        );
    }
}

#[test]
fn expired_and_not_yet_valid() {
    for (validity, code) in
        [(expired(), Code::CertificateExpired), (not_yet_valid(), Code::CertificateNotYetValid)]
    {
        let place = Place::demo();
        place.issue(&Issue { validity, ..Issue::service(name("old")) });
        place.issue(&Issue { validity, ..Issue::node(name("old")) });
        let old_service = loaded_at(place.of_service(Some("old")), validity);
        let old_node = loaded_at(place.of_node("old"), validity);
        refused_client(&place.node("a"), a_service(), &old_service, a_host(), code);
        refused_client(&place.node("a"), a_node(), &old_node, a_node(), code);
        refused_server(&old_node, a_service(), &place.service("mail"), a_host(), "localhost", code);
        refused_server(&old_node, a_node(), &place.node("a"), a_node(), "localhost", code);
    }
}

#[test]
fn revoked() {
    let place = Place::demo();
    place.issue(&Issue::node(name("b")));
    place.issue(&Issue::service(name("shop")));
    let (node, service) = (place.node("b"), place.service("shop"));
    place.revoke("node-b.pem");
    place.revoke("service-shop.pem");
    let code = Code::CertificateRevoked;
    refused_client(&place.node("a"), a_service(), &service, a_host(), code);
    refused_client(&place.node("a"), a_node(), &node, a_node(), code);
    refused_server(&node, a_service(), &place.service("mail"), a_host(), "localhost", code);
    refused_server(&node, a_node(), &place.node("a"), a_node(), "localhost", code);
    // The others of the same CA stay.
    assert!(
        meet(
            listening(&place.node("a"), a_service()),
            dialling(&place.service("mail"), a_host()),
            "localhost"
        )
        .is_open()
    );
}

#[test]
fn a_node_where_a_service_belongs_and_the_reverse() {
    let place = Place::demo();
    place.issue(&Issue::node(name("b")));
    let (a, b, mail) = (place.node("a"), place.node("b"), place.service("mail"));
    let code = Code::IdentityWrongKind;
    refused_client(&a, a_service(), &b, a_host(), code);
    refused_client(&a, a_node(), &mail, a_node(), code);
    // A service can't even play the server: its certificate is for dialling.
    refused_server(&mail, a_node(), &a, a_node(), "localhost", Code::CertificateWrongUse);
    refused_server(&mail, a_service(), &mail, a_host(), "localhost", Code::CertificateWrongUse);
}

#[test]
fn another_cluster_under_the_same_ca() {
    let place = Place::demo();
    let other = || Some(name("other"));
    place.issue(&Issue { cluster: other(), ..Issue::service(name("far")) });
    place.issue(&Issue { cluster: other(), ..Issue::node(name("far")) });
    let far_service = place.service("far");
    let who = Who::Node { cluster: name("other"), id: name("far") };
    let far_node = Store::open(Source::Directory { path: place.path().to_owned(), who }).unwrap();
    let code = Code::IdentityWrongCluster;
    let told = Expect::Host { cluster: Some(name("demo")) };
    refused_client(&place.node("a"), a_service(), &far_service, told.clone(), code);
    refused_client(&place.node("a"), a_node(), &far_node, a_node(), code);
    // A client that is told no cluster takes nodes of its own one.
    refused_server(&place.node("a"), a_service(), &far_service, a_host(), "localhost", code);
    refused_server(&far_node, a_service(), &place.service("mail"), a_host(), "localhost", code);
    refused_server(&far_node, a_node(), &place.node("a"), a_node(), "localhost", code);
    // A client without a certificate of its own knows no cluster unless it is told one.
    let open = Expect::Service { cluster: name("other"), optional: true };
    assert!(meet(listening(&far_node, open.clone()), dialling(&place.ca(), a_host()), "localhost").is_open());
    refused_server(&far_node, open, &place.ca(), told, "localhost", code);
}

#[test]
fn alerts_about_other_things_have_no_code() {
    let set = Place::demo().node("a").current();
    let now = SystemTime::now();
    let coded = |alert| mesh_identity::verify::code_of_alert(alert, &set, &a_host(), now);
    // close_notify, handshake_failure, protocol_version, internal_error, no_application_protocol, and one of nobody
    for alert in [0, 40, 70, 80, 120, 255] {
        assert_eq!(coded(alert), None, "{alert}");
    }
    assert_eq!(coded(48), Some(Code::CertificateUntrusted));
    for text in ["", "timed out", "MESH-", "MESH-1", "MESH-99999999"] {
        assert_eq!(mesh_identity::verify::code_in(text), None, "{text}");
    }
    assert_eq!(mesh_identity::verify::code_in("x MESH-6009: y"), Some(Code::IdentityWrongKind));
}
