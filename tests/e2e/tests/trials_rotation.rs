//! Trial of certificates that are replaced while clients work.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use mesh_client::serve::Server;
use mesh_client::{Client, ConnectionEvent, Message};
use mesh_e2e::{
    Authority, Certificates, Issued, NodeBuilder, PATIENCE, RunningNode, Subject, Validity, client,
    connected, wait_until,
};
use mesh_hostile::{Credentials, Hostile};
use mesh_wire::code::Code;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A node, two clients that ask and answer all the while, and a third who connects anew for each of its requests. Each
/// side has a directory of its own, so that one can be rotated before the other.
struct Trial {
    node: RunningNode,
    nodes: Certificates,
    clients: Arc<Certificates>,
    asker: Client,
    answerer: Client,
    _server: Server,
    stop: Arc<AtomicBool>,
    /// Requests over links that last, and over new ones.
    answered: [Arc<AtomicU64>; 2],
    load: Vec<JoinHandle<()>>,
}

impl Trial {
    async fn start(authority: &Authority) -> Self {
        let nodes = Certificates::trusting(&[authority]);
        nodes.put_node("n", &node_of(authority));
        let clients = Arc::new(Certificates::trusting(&[authority]));
        clients.put_service("c", &service_of(authority));
        let node = NodeBuilder::default().with_http().with_certificates("n", &nodes).start();
        let address = node.network();
        let answerer = client(address, &clients, "c").connect().await.unwrap();
        let echo = |message: Message| async { message };
        let server = answerer.serve("echo").handle("it", echo).spawn().await.unwrap();
        let asker = client(address, &clients, "c").connect().await.unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let answered: [Arc<AtomicU64>; 2] = Default::default();
        let lasting = tokio::spawn({
            let (stop, answered, asker) = (Arc::clone(&stop), Arc::clone(&answered[0]), asker.clone());
            async move {
                while !stop.load(Ordering::Relaxed) {
                    ask(&asker).await;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let new = tokio::spawn({
            let (stop, answered, clients) =
                (Arc::clone(&stop), Arc::clone(&answered[1]), Arc::clone(&clients));
            async move {
                while !stop.load(Ordering::Relaxed) {
                    let mesh = client(address, &clients, "c").connect().await;
                    let mesh = mesh.unwrap_or_else(|error| panic!("a new link: {error:#}"));
                    ask(&mesh).await;
                    mesh.close().await;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let load = vec![lasting, new];
        Self { node, nodes, clients, asker, answerer, _server: server, stop, answered, load }
    }

    /// Waits until both kinds of requests were answered some more times.
    async fn goes_on(&self, during: &str) {
        for answered in &self.answered {
            let until = answered.load(Ordering::Relaxed) + 5;
            let going = async {
                while answered.load(Ordering::Relaxed) < until {
                    assert!(!self.load.iter().any(JoinHandle::is_finished), "a request failed: {during}");
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            timeout(PATIENCE, going).await.unwrap_or_else(|_| panic!("nothing is answered: {during}"));
        }
    }

    /// The certificate that the node shows to a new link.
    async fn shown(&self) -> CertificateDer<'static> {
        let credentials = Credentials::Files {
            certificate: self.clients.file("service-c.pem"),
            key: self.clients.file("service-c.key"),
        };
        let connection = Hostile::new(&credentials, None).connect(self.node.network()).await.unwrap();
        let chain = connection.peer_identity().unwrap().downcast::<Vec<CertificateDer<'static>>>().unwrap();
        connection.close(0_u8.into(), b"");
        chain[0].clone()
    }

    /// Waits until new links are shown this certificate.
    async fn shows(&self, issued: &Issued) {
        let wanted = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap();
        let showing = async { while self.shown().await != wanted {} };
        timeout(PATIENCE, showing).await.expect("the node takes the new certificate");
    }
}

async fn ask(mesh: &Client) {
    let reply = mesh.request("echo.it", "still there?").timeout(PATIENCE).await;
    let reply = reply.unwrap_or_else(|error| panic!("a request: {error:#}"));
    assert_eq!(reply.as_bytes(), b"still there?");
}

fn node_of(authority: &Authority) -> Issued {
    authority.issue(Subject::Node("n"), Validity::Now)
}

fn service_of(authority: &Authority) -> Issued {
    authority.issue(Subject::Service("c"), Validity::Now)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaves_and_authorities_are_rotated_under_load() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let mut trial = Trial::start(&old).await;
    trial.goes_on("at first").await;

    let leaf = node_of(&old);
    trial.nodes.put_node("n", &leaf);
    trial.shows(&leaf).await;
    trial.goes_on("with a new leaf of the node").await;
    trial.clients.put_service("c", &service_of(&old));
    trial.goes_on("with a new leaf of the clients").await;

    // Both are trusted before anybody shows something of the new one, and until nobody shows something of the old one.
    trial.nodes.trust(&[&old, &new]);
    trial.clients.trust(&[&old, &new]);
    trial.goes_on("with both authorities").await;
    // The node has looked at its files since, and shows so by a leaf that it could take before, too.
    let leaf = node_of(&old);
    trial.nodes.put_node("n", &leaf);
    trial.shows(&leaf).await;
    trial.clients.put_service("c", &service_of(&new));
    trial.goes_on("with a leaf of the new authority for clients").await;
    let leaf = node_of(&new);
    trial.nodes.put_node("n", &leaf);
    trial.shows(&leaf).await;
    trial.goes_on("with a leaf of the new authority for the node").await;
    trial.nodes.trust(&[&new]);
    trial.clients.trust(&[&new]);
    let last = node_of(&new);
    trial.nodes.put_node("n", &last);
    trial.shows(&last).await;
    trial.goes_on("without the old authority").await;

    // What the old one signed is refused now.
    trial.clients.put_service("old", &service_of(&old));
    let refused = client(trial.node.network(), &trial.clients, "old").connect().await.unwrap_err();
    assert_eq!(refused.code(), Code::CertificateUntrusted, "{refused:#}");

    trial.stop.store(true, Ordering::Relaxed);
    for load in trial.load {
        timeout(PATIENCE, load).await.unwrap().unwrap();
    }
    assert!(trial.asker.is_connected() && trial.answerer.is_connected());
    // Clients that have been there all the while dial with what they read since: the node trusts and shows nothing else.
    let mut events = [trial.asker.events(), trial.answerer.events()];
    tokio::task::block_in_place(|| trial.node.restart());
    for events in &mut events {
        connected(events).await;
    }
    ask(&trial.asker).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_swap_keeps_the_old_certificate_and_says_so() {
    let authority = Authority::new("authority");
    let mut trial = Trial::start(&authority).await;
    let good = node_of(&authority);
    trial.nodes.put_node("n", &good);
    trial.shows(&good).await;
    let other = Authority::new("other");
    let swapped = Issued { key: node_of(&authority).key, ..good.clone() };
    let cut =
        Issued { certificate: good.certificate[..good.certificate.len() / 2].to_owned(), ..good.clone() };
    let over = authority.issue(Subject::Node("n"), Validity::Over);
    for (bad, code) in [
        (swapped, Code::CertsKeyMismatch),
        (cut, Code::CertsMalformed),
        (node_of(&other), Code::CertificateUntrusted),
        (over, Code::CertificateExpired),
        (authority.issue(Subject::Node("another"), Validity::Now), Code::IdentityWrongNode),
        (authority.issue(Subject::Service("n"), Validity::Now), Code::CertificateWrongUse),
    ] {
        trial.nodes.put_node("n", &bad);
        let said = tokio::task::block_in_place(|| trial.node.process().stderr_line(&code.to_string()));
        assert!(!said.is_empty());
        trial.goes_on(&format!("with a set that is refused by {code}")).await;
        trial.shows(&good).await;
    }
    // It gets over it.
    let next = node_of(&authority);
    trial.nodes.put_node("n", &next);
    trial.shows(&next).await;
    wait_until("no client is left of those who came anew", || trial.node.metric("mesh_links", &[]) <= 3);
    trial.stop.store(true, Ordering::Relaxed);
    for load in trial.load {
        timeout(PATIENCE, load).await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_swap_keeps_the_old_certificate_of_a_client_and_says_so() {
    let authority = Authority::new("authority");
    let mut trial = Trial::start(&authority).await;
    let (mut events, mut others) = (trial.asker.events(), trial.answerer.events());
    // Those who come anew have no old certificate to keep.
    trial.stop.store(true, Ordering::Relaxed);
    for load in trial.load.drain(..) {
        timeout(PATIENCE, load).await.unwrap().unwrap();
    }
    let good = service_of(&authority);
    trial.clients.put_service("c", &good);
    let swapped = Issued { key: service_of(&authority).key, ..good.clone() };
    let over = authority.issue(Subject::Service("c"), Validity::Over);
    for (bad, code) in [(swapped, Code::CertsKeyMismatch), (over, Code::CertificateExpired)] {
        trial.clients.put_service("c", &bad);
        let said = async {
            loop {
                if let ConnectionEvent::Error { error } = events.next().await.unwrap() {
                    return error.code();
                }
            }
        };
        assert_eq!(timeout(PATIENCE, said).await.unwrap(), code);
        ask(&trial.asker).await;
        // It dials with what it had.
        tokio::task::block_in_place(|| trial.node.restart());
        connected(&mut events).await;
        connected(&mut others).await;
        ask(&trial.asker).await;
    }
}
