//! Faults of certificates on the way to a node, each told by its code; and certificates that are replaced.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use mesh_client::{Carrier, Client, ClientBuilder, Code, ConnectionEvent, ErrorKind};
use mesh_identity::authority::{self, Issue};
use mesh_identity::store::Store;
use mesh_identity::verify::Expect;
use mesh_transport::quic::ListenerOptions;
use mesh_wire::class::Class;
use mesh_wire::frame::{Kind, Parts};

use crate::fake_node::{FakeNode, event, soon};
use crate::trust::{Trust, name, options, over, service};

/// Why the client can't connect to a node that takes whoever it may.
async fn refusal(builder: ClientBuilder, node: &FakeNode) -> mesh_client::Error {
    tokio::select! {
        client = Box::pin(builder.connect()) => client.unwrap_err(),
        () = Box::pin(node.turn_away()) => unreachable!("it goes on"),
    }
}

#[tokio::test]
async fn a_node_that_the_client_cannot_trust_is_not_spoken_to() {
    let (trust, other) = (Trust::new(), Trust::new());
    for node in trust.nodes() {
        let bare = || Client::builder().endpoint(node.endpoint());
        let table = [
            (bare().certs(other.path()), Code::CertificateUntrusted),
            (bare().ca(other.file("ca.pem")), Code::CertificateUntrusted),
            (bare().ca(trust.file("ca.pem")), Code::CertificateMissing),
            (
                bare()
                    .ca(trust.file("ca.pem"))
                    .certificate(trust.file("service-tester.pem"), trust.file("node-n1.key")),
                Code::CertsKeyMismatch,
            ),
            (
                bare()
                    .ca(trust.file("ca.pem"))
                    .certificate(trust.file("node-n1.pem"), trust.file("node-n1.key")),
                Code::IdentityWrongKind,
            ),
            (bare().certs(trust.path()).identity("nobody"), Code::CertsMissing),
            (bare().certs(trust.file("nothing")), Code::CertsUnreadable),
        ];
        for (builder, code) in table {
            let error = soon(refusal(builder, &node)).await;
            assert_eq!(error.code(), code, "{error:#}");
            assert!(!error.hint().is_empty() && !error.is_retryable(), "{error:#}");
        }
    }
}

#[tokio::test]
async fn a_node_on_another_machine_needs_a_ca() {
    let error = soon(Client::builder().endpoint("quic://192.0.2.1:7400").connect()).await.unwrap_err();
    assert_eq!(error.code(), Code::CaRequired);
    assert!(error.hint().contains("--certs"), "{error:#}");
}

#[tokio::test]
async fn a_certificate_of_the_node_that_is_not_for_its_address_is_refused() {
    let trust = Trust::new();
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let node = FakeNode::on_quic(ListenerOptions { address, ..trust.node_options() });
    // It is for 127.0.0.1.
    let builder =
        Client::builder().certs(trust.path()).endpoint(node.endpoint().replace("0.0.0.0", "127.0.0.2"));
    let error = soon(refusal(builder, &node)).await;
    assert_eq!(error.code(), Code::CertificateWrongName, "{error:#}");
}

#[tokio::test]
async fn a_certificate_of_the_node_that_is_over_is_refused() {
    let trust = Trust::new();
    let nodes = trust.nodes();
    authority::revoke(trust.path(), &trust.file("node-n1.pem"), SystemTime::now()).unwrap();
    for revoked in nodes {
        let error = soon(refusal(trust.builder(&revoked), &revoked)).await;
        assert_eq!(error.code(), Code::CertificateRevoked, "{error:#}");
    }

    let trust = Trust::new();
    trust.issue(Issue { validity: Some(over()), ..Issue::node(name("n1")) });
    let store = trust.node_store_at(over().not_after - Duration::from_secs(60));
    let expired = FakeNode::on_quic(options(store, Expect::Anything));
    let error = soon(refusal(trust.builder(&expired), &expired)).await;
    assert_eq!(error.code(), Code::CertificateExpired, "{error:#}");
}

#[tokio::test]
async fn a_certificate_of_the_client_that_is_over_is_refused() {
    let trust = Trust::new();
    let node = trust.node();
    trust.issue(Issue { validity: Some(over()), ..Issue::service(name("tester")) });
    let error = soon(refusal(trust.builder(&node), &node)).await;
    assert_eq!(error.code(), Code::CertificateExpired, "{error:#}");
}

#[tokio::test]
async fn a_client_whose_certificate_was_revoked_is_told() {
    let trust = Trust::new();
    authority::revoke(trust.path(), &trust.file("service-tester.pem"), SystemTime::now()).unwrap();
    for node in trust.nodes() {
        let error = soon(refusal(trust.builder(&node), &node)).await;
        assert_eq!(error.code(), Code::CertificateRevoked, "{error:#}");
    }
}

#[tokio::test]
async fn a_live_link_to_a_node_that_was_revoked_is_ended() {
    let trust = Trust::new();
    let node = trust.node();
    let (client, link) = tokio::join!(trust.builder(&node).connect(), node.accept());
    let mut events = client.as_ref().unwrap().events();
    authority::revoke(trust.path(), &trust.file("node-n1.pem"), SystemTime::now()).unwrap();
    let reason = event(&mut events, |e| match e {
        ConnectionEvent::Disconnected { reason } => Some(reason),
        _ => None,
    })
    .await;
    assert!(reason.contains("MESH-6005"), "{reason}");
    assert_eq!(soon(link.handle.closed()).await.code, Some(Code::CertificateRevoked));
}

#[tokio::test]
async fn without_any_certificates_a_node_on_this_machine_is_taken_as_it_is() {
    let store = Store::self_signed(name("c"), name("n1")).unwrap();
    let node = FakeNode::on_quic(options(store, Expect::Anything));
    let (client, link) = tokio::join!(node.builder().token("secret").connect(), node.accept());
    client.unwrap().publish("a", "x").await.unwrap();
    assert!(link.handle.certificate().is_none());
    assert_eq!(link.hello.unwrap().token, None, "nobody knows who that is");
}

#[tokio::test]
async fn a_token_stands_for_a_certificate_where_the_node_takes_one() {
    let trust = Trust::new();
    let expect = Expect::Service { cluster: name("c"), optional: true };
    let node = FakeNode::on_quic(options(trust.node_store(), expect));
    let builder = Client::builder().ca(trust.file("ca.pem")).token("secret").endpoint(node.endpoint());
    let (client, link) = tokio::join!(builder.connect(), node.accept());
    assert_eq!(client.unwrap().name(), link.hello.as_ref().unwrap().name);
    assert_eq!(link.hello.unwrap().token.as_deref(), Some("secret"));
}

#[tokio::test]
async fn everything_travels_in_one_lane_over_tls() {
    let trust = Trust::new();
    let [_, node] = trust.nodes();
    let (client, link) = tokio::join!(trust.builder(&node).connect(), node.accept());
    let (client, mut link) = (client.unwrap(), link);
    assert_eq!(client.node_info().unwrap().carrier, Carrier::Tls);
    let large = vec![7; 300_000];
    client.publish("a", large.as_slice()).await.unwrap();
    let (reply, ()) = tokio::join!(client.request("a", "x"), async {
        let mut seen = Vec::new();
        while !seen.contains(&Kind::Request) || !seen.contains(&Kind::Chunk) {
            let got = link.next().await.unwrap();
            assert_eq!(got.lane, Class::Control);
            if got.kind == Kind::Request {
                link.send(&Parts::bare(Kind::Reply, got.id)).await;
            }
            seen.push(got.kind);
        }
    });
    reply.unwrap();
    let closing = tokio::spawn(async move { client.close().await });
    assert_eq!(link.next().await.unwrap().kind, Kind::Goodbye);
    assert!(link.next().await.is_none());
    soon(closing).await.unwrap();
}

#[tokio::test]
async fn a_node_that_refuses_does_not_keep_the_client_from_the_others() {
    let trust = Trust::new();
    let (stranger, good) = (Trust::new().node(), FakeNode::new());
    let builder = trust.builder(&stranger).endpoint(good.endpoint());
    let (client, _link) = tokio::join!(builder.connect(), async {
        tokio::select! {
            link = good.accept() => link,
            () = stranger.turn_away() => unreachable!("it goes on"),
        }
    });
    assert_eq!(client.unwrap().node_info().unwrap().endpoint, good.endpoint());
}

#[tokio::test]
async fn a_node_that_refuses_says_more_than_one_that_is_not_there() {
    let trust = Trust::new();
    let stranger = Trust::new().node();
    let builder = trust.builder(&stranger).endpoint("unix:///nonexistent/mesh.sock");
    let error = soon(refusal(builder, &stranger)).await;
    assert_eq!(error.code(), Code::CertificateUntrusted, "{error:#}");
}

#[tokio::test]
async fn a_dead_node_is_left_for_one_on_another_carrier() {
    let trust = Trust::new();
    let (dead, live) = (trust.node(), FakeNode::new());
    let builder = trust.builder(&dead).endpoint(live.endpoint());
    let (client, link) = tokio::join!(builder.connect(), dead.accept());
    let client = client.unwrap();
    let mut events = client.events();
    // Nothing listens there any more, and nobody says goodbye.
    drop((link, dead));
    let _link = live.accept().await;
    let endpoint = event(&mut events, |e| match e {
        ConnectionEvent::Connected { node } => Some(node.endpoint),
        _ => None,
    })
    .await;
    assert_eq!(endpoint, live.endpoint());
}

#[tokio::test]
async fn a_certificate_that_was_replaced_is_shown_at_the_next_connect() {
    let trust = Trust::new();
    let node = trust.node();
    let (client, link) = tokio::join!(trust.builder(&node).connect(), node.accept());
    let client = client.unwrap();
    let first = link.handle.certificate().unwrap().serial().to_owned();
    trust.issue(Issue::service(name("tester")));
    drop(link);
    let link = node.accept().await;
    assert_ne!(link.handle.certificate().unwrap().serial(), first);
    drop(client);
}

#[tokio::test]
async fn a_ca_that_was_replaced_is_used_at_the_next_connect() {
    let trust = Trust::new();
    let store = trust.node_store();
    let node = FakeNode::on_quic(options(store.clone(), service()));
    let own = tempfile::tempdir().unwrap();
    for file in ["ca.pem", "service-tester.pem", "service-tester.key"] {
        fs::copy(trust.file(file), own.path().join(file)).unwrap();
    }
    let builder = Client::builder().certs(own.path()).endpoint(node.endpoint());
    let (client, link) = tokio::join!(builder.connect(), node.accept());
    let client = client.unwrap();
    let mut events = client.events();
    authority::rotate(trust.path(), None).unwrap();
    trust.issue(Issue::node(name("n1")));
    store.reload().unwrap();
    drop(link);
    let untrusted = event(&mut events, |e| match e {
        ConnectionEvent::Error { error } => Some(error.code()),
        _ => None,
    });
    let code = tokio::select! {
        code = untrusted => code,
        () = node.turn_away() => unreachable!("it goes on"),
    };
    assert_eq!(code, Code::CertificateUntrusted);
    fs::copy(trust.file("ca.pem"), own.path().join("ca.pem")).unwrap();
    node.accept().await;
}

#[tokio::test]
async fn a_set_with_a_fault_is_told_and_not_taken() {
    let trust = Trust::new();
    let node = trust.node();
    let (client, link) = tokio::join!(trust.builder(&node).connect(), node.accept());
    let client = client.unwrap();
    let mut events = client.events();
    let first = link.handle.certificate().unwrap().serial().to_owned();
    fs::write(trust.file("service-tester.pem"), "half a certifi").unwrap();
    let error = event(&mut events, |e| match e {
        ConnectionEvent::Error { error } => Some(error),
        _ => None,
    })
    .await;
    assert_eq!((error.code(), error.kind()), (Code::CertsMalformed, ErrorKind::Config), "{error:#}");
    assert!(error.cause().contains("service-tester.pem"), "{error:#}");
    drop(link);
    let link = node.accept().await;
    assert_eq!(link.handle.certificate().unwrap().serial(), first);
}
