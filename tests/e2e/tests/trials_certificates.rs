//! Trials of certificates that do not count: expired, revoked, of somebody else, missing, of the wrong kind.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use mesh_client::{Code, ConnectionEvent, Events};
use mesh_e2e::{
    Authority, CLUSTER, Certificates, Issued, NodeBuilder, PATIENCE, RunningNode, Subject, Validity, client,
    connected, hello_frame, wait_until,
};
use mesh_hostile::{Credentials, Hostile};
use mesh_identity::verify::code_in;
use mesh_wire::class::Class;
use mesh_wire::frame::PREFACE;
use mesh_wire::hello::Versions;
use tempfile::TempDir;
use tokio::time::timeout;

/// How soon a live link is cut once its certificate counts no more.
const CUT: Duration = Duration::from_secs(60);

/// What a peer with these credentials is told instead of a welcome: the code's text that the reason of the close names.
async fn refused(target: SocketAddr, issued: Option<&Issued>) -> String {
    let directory = TempDir::new().unwrap();
    let [certificate, key] = ["c.pem", "c.key"].map(|name| directory.path().join(name));
    let credentials = match issued {
        None => Credentials::None,
        Some(issued) => {
            std::fs::write(&certificate, &issued.certificate).unwrap();
            std::fs::write(&key, &issued.key).unwrap();
            Credentials::Files { certificate, key }
        }
    };
    let hostile = Hostile::new(&credentials, None);
    let told = async {
        let connection = match hostile.connect(target).await {
            Ok(connection) => connection,
            Err(error) => return error.to_string(),
        };
        // In TLS 1.3 the dialling side is done before the other one has seen its certificate: it may already speak.
        let spoken = async {
            let mut control = connection.open_uni().await?;
            control.write_all(&[Class::Control as u8]).await?;
            control.write_all(&PREFACE).await?;
            control.write_all(&hello_frame("nobody", Versions::OURS.to_aux())).await?;
            // The node's first lane would be its welcome.
            let answered = connection.accept_uni().await.is_ok();
            assert!(!answered, "a frame came from the node");
            Ok::<_, quinn::WriteError>(())
        };
        spoken.await.ok();
        connection.closed().await.to_string()
    };
    timeout(PATIENCE, told).await.unwrap()
}

/// Asserts that a port refuses a peer by a code, before any frame, and counts that.
async fn refuses(node: &RunningNode, port: SocketAddr, issued: Option<&Issued>, code: Code) {
    let opened = node.metric("mesh_links_opened_total", &[]);
    let label = code.to_string();
    let count = || node.metric("mesh_errors_total", &[&label]);
    let before = count();
    let told = refused(port, issued).await;
    // QUIC carries the reason, and TLS its own alert; a client has the code from these.
    assert_eq!(code_in(&told), Some(code), "{told}");
    wait_until("it is counted", || count() > before);
    assert_eq!(node.metric("mesh_links_opened_total", &[]), opened, "{label}: no link");
}

fn free_port() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_in_who_is_not_to() {
    let (authority, certificates) = Certificates::of("n", &["c"]);
    let other = Authority::new("other");
    let revoked = authority.issue(Subject::Service("c"), Validity::Now);
    certificates.put_revoked(&authority.revoke(&[&revoked]));
    let peers = free_port();
    let node = NodeBuilder::default()
        .with_http()
        .with_certificates("n", &certificates)
        .arg("--peer-listen")
        .arg(peers.to_string())
        .start();
    let clients = node.network();
    let service = |validity| authority.issue(Subject::Service("c"), validity);
    let elsewhere = Subject::Uri("spiffe://elsewhere/service/c");
    let two_slashes = format!("spiffe://{CLUSTER}/service/c/d");
    for (issued, code) in [
        (None, Code::CertificateMissing),
        (Some(other.issue(Subject::Service("c"), Validity::Now)), Code::CertificateUntrusted),
        (Some(service(Validity::Over)), Code::CertificateExpired),
        (Some(service(Validity::Later)), Code::CertificateNotYetValid),
        (Some(revoked), Code::CertificateRevoked),
        (Some(authority.issue(Subject::Node("n"), Validity::Now)), Code::IdentityWrongKind),
        (Some(authority.issue(elsewhere, Validity::Now)), Code::IdentityWrongCluster),
        (Some(authority.issue(Subject::Uri(&two_slashes), Validity::Now)), Code::IdentityMissing),
        (
            Some(authority.issue(Subject::Uri("https://trials/service/c"), Validity::Now)),
            Code::IdentityMissing,
        ),
    ] {
        refuses(&node, clients, issued.as_ref(), code).await;
    }
    for (issued, code) in [
        (None, Code::CertificateMissing),
        (Some(service(Validity::Now)), Code::IdentityWrongKind),
        (Some(other.issue(Subject::Node("m"), Validity::Now)), Code::CertificateUntrusted),
    ] {
        refuses(&node, peers, issued.as_ref(), code).await;
    }
    // And who is to, does.
    let mesh = client(clients, &certificates, "c").connect().await.unwrap();
    assert_eq!(mesh.identity().as_deref(), Some("spiffe://trials/service/c"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_refuses_a_node_that_it_does_not_know() {
    let (_, certificates) = Certificates::of("n", &["c"]);
    let (_, others) = Certificates::of("n", &["c"]);
    let node = NodeBuilder::default().with_http().with_certificates("n", &certificates).start();
    let error = client(node.network(), &others, "c").connect().await.unwrap_err();
    assert_eq!(error.code(), Code::CertificateUntrusted, "{error:#}");
    assert_eq!(node.metric("mesh_links_opened_total", &[]), 0);
}

/// Why a link ended, in the client's words, and how long it took.
async fn cut(events: &mut Events) -> (String, Duration) {
    let start = Instant::now();
    let over = async {
        loop {
            if let ConnectionEvent::Disconnected { reason } = events.next().await.unwrap() {
                return reason;
            }
        }
    };
    let reason = timeout(CUT + PATIENCE, over).await.expect("the link is cut");
    (reason, start.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_link_is_cut_when_its_certificate_expires() {
    // Long enough to get in on a busy machine.
    const LIFE: Duration = Duration::from_secs(10);
    let (authority, certificates) = Certificates::of("n", &[]);
    let short = authority.issue(Subject::Service("c"), Validity::For(LIFE));
    certificates.put_service("c", &short);
    let node = NodeBuilder::default().with_http().with_certificates("n", &certificates).start();
    let mesh = client(node.network(), &certificates, "c").connect().await.unwrap();
    let mut events = mesh.events();
    mesh.ping().await.unwrap();
    let (reason, after) = cut(&mut events).await;
    assert!(reason.contains(&Code::CertificateExpired.to_string()), "{reason}");
    assert!(after <= LIFE + CUT, "cut after {after:?}");
    wait_until("the node has no link", || node.metric("mesh_links", &[]) == 0);
    refuses(&node, node.network(), Some(&short), Code::CertificateExpired).await;
    // A new one is taken by the client that is still there.
    certificates.put_service("c", &authority.issue(Subject::Service("c"), Validity::Now));
    connected(&mut events).await;
    mesh.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_link_is_cut_when_its_certificate_is_revoked() {
    let (authority, certificates) = Certificates::of("n", &["good"]);
    let bad = authority.issue(Subject::Service("bad"), Validity::Now);
    certificates.put_service("bad", &bad);
    let node = NodeBuilder::default().with_http().with_certificates("n", &certificates).start();
    let good = client(node.network(), &certificates, "good").connect().await.unwrap();
    let mesh = client(node.network(), &certificates, "bad").connect().await.unwrap();
    let mut events = mesh.events();
    mesh.ping().await.unwrap();
    certificates.put_revoked(&authority.revoke(&[&bad]));
    let (reason, after) = cut(&mut events).await;
    assert!(reason.contains(&Code::CertificateRevoked.to_string()), "{reason}");
    assert!(after <= CUT, "cut after {after:?}");
    wait_until("only the good link is left", || node.metric("mesh_links", &[]) == 1);
    refuses(&node, node.network(), Some(&bad), Code::CertificateRevoked).await;
    good.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_leaves_a_node_whose_certificate_counts_no_more() {
    const LIFE: Duration = Duration::from_secs(10);
    let authority = Authority::new("authority");
    let (nodes, clients) = (Certificates::trusting(&[&authority]), Certificates::trusting(&[&authority]));
    clients.put_service("c", &authority.issue(Subject::Service("c"), Validity::Now));
    nodes.put_node("n", &authority.issue(Subject::Node("n"), Validity::For(LIFE)));
    let node = NodeBuilder::default().with_http().with_certificates("n", &nodes).start();
    let mesh = client(node.network(), &clients, "c").connect().await.unwrap();
    let mut events = mesh.events();
    mesh.ping().await.unwrap();
    let (reason, after) = cut(&mut events).await;
    assert!(reason.contains(&Code::CertificateExpired.to_string()), "{reason}");
    assert!(after <= LIFE + CUT, "cut after {after:?}");
    let next = authority.issue(Subject::Node("n"), Validity::Now);
    nodes.put_node("n", &next);
    connected(&mut events).await;
    mesh.ping().await.unwrap();
    // Only the client knows that this one is revoked.
    clients.put_revoked(&authority.revoke(&[&next]));
    let (reason, after) = cut(&mut events).await;
    assert!(reason.contains(&Code::CertificateRevoked.to_string()), "{reason}");
    assert!(after <= CUT, "cut after {after:?}");
}
