//! Who is let in, and as whom.

use std::time::Duration;

use mesh_identity::store::Store;
use mesh_wire::{code::Code, frame::Kind};

use crate::{
    client::Client,
    site::{Site, config, prepare},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_certificate_is_refused() {
    let site = Site::start(&[]);
    for endpoint in [site.quic(), site.tls()] {
        let (code, cause) = Client::refused(&endpoint, &site.ca(), None).await;
        assert_eq!(code, Code::CertificateMissing, "{cause}");
    }
    let metrics = site.ask("$mesh.metrics").await;
    assert_eq!(metrics["mesh_errors_total"][Code::CertificateMissing.to_string()], 2, "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_this_machine_needs_nothing_where_that_is_allowed() {
    let site = Site::start(&[("listen.insecure_loopback", "on"), ("certs.dir", "off")]);
    for endpoint in [site.quic(), site.tls()] {
        let (mut client, welcome) = Client::welcomed(&endpoint, &Store::without_ca(), None).await;
        assert!(welcome.identity.starts_with("loopback:127.0.0.1:"), "{}", welcome.identity);
        client.ping().await;
        client.request(1, "$mesh.node.drain", b"").await;
        let refused = client.wait(Kind::Reply).await;
        let denied = u32::from(Code::PermissionDenied.number());
        assert_eq!(refused.frame().aux(), denied, "who nobody knows may not stop it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listed_services_are_operators() {
    let site = Site::start(&[("listen.operators", "ops")]);
    let (mut other, _) = Client::welcomed(&site.quic(), &site.service("other"), None).await;
    other.request(1, "$mesh.node.drain", b"").await;
    assert_ne!(other.wait(Kind::Reply).await.frame().aux(), 0);
    let (mut ops, _) = Client::welcomed(&site.quic(), &site.service("ops"), None).await;
    ops.request(1, "$mesh.node.drain", b"").await;
    assert_eq!(ops.wait(Kind::Reply).await.frame().aux(), 0);
    ops.wait(Kind::Goodbye).await;
    site.node.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_with_the_certificate_that_it_was_opened_with() {
    let site = Site::start(&[]);
    let (mut brief, _) =
        Client::welcomed(&site.quic(), &site.service_for("brief", Duration::from_secs(2)), None).await;
    let (mut lasting, _) = Client::welcomed(&site.quic(), &site.service("lasting"), None).await;
    assert_eq!(brief.refusal().await.0, Code::CertificateExpired);
    assert_eq!(brief.closed().await.code, Some(Code::CertificateExpired));
    lasting.ping().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_show_who_is_there() {
    let site = Site::start(&[]);
    let (_client, _) = Client::welcomed(&site.quic(), &site.service("shown"), None).await;
    let links = site.ask("$mesh.links").await;
    let link = links["links"].as_array().unwrap().iter().find(|link| link["carrier"] == "quic").unwrap();
    assert_eq!(link["identity"], "spiffe://test/service/shown");
    assert!(link["remote"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert!(link["certificate_not_after"].is_string() && link["token_expires"].is_null());
    let own = links["links"].as_array().unwrap().iter().find(|link| link["carrier"] == "unix").unwrap();
    assert!(own["remote"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_may_be_files_of_any_name() {
    let dir = tempfile::tempdir().unwrap();
    prepare(dir.path());
    for (from, to) in [("ca.pem", "bundle"), ("node-n.pem", "own"), ("node-n.key", "secret")] {
        std::fs::copy(dir.path().join("certs").join(from), dir.path().join(to)).unwrap();
    }
    let files = [
        ("certs.dir", "off"),
        ("certs.ca", "DIR/bundle"),
        ("certs.cert", "DIR/own"),
        ("certs.key", "DIR/secret"),
    ];
    let site = Site::start_in(dir, &files);
    let (_, welcome) = Client::welcomed(&site.quic(), &site.service("a"), None).await;
    assert_eq!((welcome.node.as_str(), welcome.identity.as_str()), ("n", "spiffe://test/service/a"));
}

#[test]
fn a_node_whose_certificates_are_bad_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    prepare(dir.path());
    std::fs::write(dir.path().join("certs/node-n.key"), "nonsense").unwrap();
    let error = mesh_node::Node::start(config(dir.path(), &[])).unwrap_err();
    assert_eq!(error.code(), Code::CertsMalformed, "{error}");
    assert!(error.to_string().contains("node-n.key"), "{error}");
    assert!(!dir.path().join("m.sock").exists(), "nothing is left behind");
}

#[test]
fn a_port_that_is_taken_is_named() {
    for tcp in [true, false] {
        let taken_tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken_tcp.local_addr().unwrap();
        let _udp = (!tcp).then(|| std::net::UdpSocket::bind(address).unwrap());
        let _tcp = tcp.then_some(taken_tcp);
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path());
        let address = address.to_string();
        let error = mesh_node::Node::start(config(dir.path(), &[("listen.address", &address)])).unwrap_err();
        assert_eq!(error.code(), Code::ListenInUse, "{error}");
        assert!(error.to_string().contains(&address), "{error}");
    }
}
