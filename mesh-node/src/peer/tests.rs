use std::{
    cell::RefCell,
    future::Future,
    path::Path,
    pin::Pin,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use mesh_core::peering::LinkNumber;
use mesh_identity::{
    authority::{self, Init, Issue},
    set::{Source, Who},
};
use mesh_transport::{
    connect::{self, ConnectOptions},
    endpoint::Endpoint,
    link::Link,
};
use mesh_wire::{
    class::Class,
    frame::{Frame, Kind, PREFACE, Parts},
};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::{
    frames::{NoFrames, PeerFrames, PeerUp},
    *,
};

/// Longest time that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// Directories of certificates: one of a whole cluster.
fn certificates(cluster: &str, nodes: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let init = Init { cluster: cluster.parse().unwrap(), validity: None, force: false };
    authority::init(dir.path(), &init).unwrap();
    for node in nodes {
        authority::issue(dir.path(), &Issue::node(node.parse().unwrap())).unwrap();
    }
    dir
}

fn store(dir: &Path, node: &str) -> Store {
    let who = Who::Node { cluster: "c".parse().unwrap(), id: node.parse().unwrap() };
    Store::open(Source::Directory { path: dir.to_owned(), who }).unwrap()
}

fn options(certs: &TempDir, node: &str, incarnation: u64) -> Options {
    Options {
        own: Own { node: node.parse().unwrap(), cluster: "c".parse().unwrap(), incarnation },
        listen: Some("127.0.0.1:0".parse().unwrap()),
        advertise: None,
        addresses: Vec::new(),
        store: store(certs.path(), node),
        reset_key: ResetKey::random().unwrap(),
        handshake_timeout: Duration::from_secs(5),
        greeting_max: 16,
        peering: peering::Options::default(),
        seed: incarnation,
        handler: Rc::new(NoFrames),
        counters: Arc::default(),
    }
}

fn place(peers: &Peers) -> Authority {
    Authority::parse(&peers.address().unwrap().to_string(), 1).unwrap()
}

fn run<F: Future>(test: F) -> F::Output {
    actix_rt::System::new().block_on(async { tokio::time::timeout(PATIENCE, test).await.unwrap() })
}

impl Peers {
    async fn until(&self, what: &str, is_so: impl Fn(&View) -> bool) -> Arc<View> {
        let mut views = self.views.clone();
        match tokio::time::timeout(PATIENCE, views.wait_for(|view| is_so(view))).await {
            Ok(Ok(view)) => Arc::clone(&view),
            _ => panic!("waited too long until {what}: {:#?}", self.view()),
        }
    }

    async fn until_up(&self, node: &str) -> PeerInfo {
        let is_it = |peer: &&PeerInfo| peer.state == "up" && peer.id.as_deref() == Some(node);
        let view =
            self.until(&format!("{node} is up"), |view| view.peers.iter().any(|peer| is_it(&peer))).await;
        view.peers.iter().find(is_it).unwrap().clone()
    }
}

fn up(view: &View) -> usize {
    view.peers.iter().filter(|peer| peer.state == "up").count()
}

#[test]
fn two_nodes_that_dial_each_other_have_one_link() {
    run(async {
        let certs = certificates("c", &["a", "b"]);
        // Both know both addresses, as from one list for all; ports are known only once somebody listens.
        let (first, second) = (free_port(), free_port());
        let list = [first, second].map(|port| Authority::parse(&format!("127.0.0.1:{port}"), 1).unwrap());
        let start = |node: &str, port: u16| {
            let listen = Some(SocketAddr::from(([127, 0, 0, 1], port)));
            Peers::start(Options { listen, addresses: list.to_vec(), ..options(&certs, node, 7) }).unwrap()
        };
        let (a, b) = (start("a", first), start("b", second));
        let (at_a, at_b) = (a.until_up("b").await, b.until_up("a").await);
        assert_eq!((at_a.id.as_deref(), at_b.id.as_deref()), (Some("b"), Some("a")));
        let own = |view: &View| view.peers.iter().any(|peer| peer.state == "self");
        a.until("a knows its own address", |view| own(view) && view.peers.len() == 2).await;
        b.until("b knows its own address", |view| own(view) && view.peers.len() == 2).await;
        let (at_a, at_b) = (a.until_up("b").await.link.unwrap(), b.until_up("a").await.link.unwrap());
        assert_ne!(at_a.dialled, at_b.dialled, "it is the same link");
        assert_eq!((at_a.carrier, at_a.protocol, at_a.incarnation), ("quic", 1, 7));
        assert_eq!(at_a.features, 1 << 32);
        // Every lane answers.
        for peers in [&a, &b] {
            let all = |view: &View| {
                view.peers.iter().filter_map(|p| p.link.as_ref()).all(|l| l.rtt_us.len() == Class::COUNT)
            };
            peers.until("every lane is measured", |view| up(view) == 1 && all(view)).await;
        }
        a.drain().await;
        b.until("a has left", |view| up(view) == 0).await;
        b.drain().await;
    });
}

/// A port that was free just now.
fn free_port() -> u16 {
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What a handler was told, in short.
#[derive(Debug, Clone)]
enum Told {
    Up(PeerUp),
    Frames(PeerFrames),
    Down(LinkNumber),
}

struct Teller {
    told: mpsc::UnboundedSender<Told>,
    /// What is said as soon as a link is up.
    first: RefCell<Vec<(Class, Bytes)>>,
}

impl FrameHandler for Teller {
    fn up(&self, peer: PeerUp) {
        for (class, frames) in self.first.take() {
            peer.sender.try_send(class, frames).unwrap();
        }
        self.told.send(Told::Up(peer)).unwrap_or_default();
    }

    fn handle(&self, frames: PeerFrames) -> Pin<Box<dyn Future<Output = Result<(), Fault>>>> {
        self.told.send(Told::Frames(frames)).unwrap_or_default();
        Box::pin(std::future::ready(Ok(())))
    }

    fn down(&self, _: &mesh_wire::name::Name, link: LinkNumber, _: Option<Code>) {
        self.told.send(Told::Down(link)).unwrap_or_default();
    }
}

fn teller(first: Vec<(Class, Bytes)>) -> (Rc<Teller>, mpsc::UnboundedReceiver<Told>) {
    let (told, tell) = mpsc::unbounded_channel();
    (Rc::new(Teller { told, first: RefCell::new(first) }), tell)
}

fn publishes(count: u64, body: usize) -> Bytes {
    let (mut bytes, body) = (BytesMut::new(), vec![b'x'; body]);
    for id in 0..count {
        Parts::bare(Kind::Publish, id).body(&body).encode(&mut bytes).unwrap();
    }
    bytes.freeze()
}

#[test]
fn frames_of_every_class_arrive_in_order_on_their_lanes() {
    run(async {
        let certs = certificates("c", &["a", "b"]);
        let first = Class::ALL.map(|class| (class, publishes(3, 10))).to_vec();
        let (at_b, mut told_b) = teller(first.clone());
        let b = Peers::start(Options { handler: at_b, ..options(&certs, "b", 1) }).unwrap();
        let (at_a, mut told_a) = teller(first);
        let addresses = vec![place(&b)];
        let a = Peers::start(Options { handler: at_a, addresses, ..options(&certs, "a", 1) }).unwrap();
        for told in [&mut told_a, &mut told_b] {
            let Some(Told::Up(peer)) = told.recv().await else { panic!("up comes first") };
            // A body over a read, and many frames at once.
            for class in Class::ALL {
                assert!(peer.sender.send(class, publishes(2, 500_000)).await);
                assert!(peer.sender.send(class, publishes(1000, 100)).await);
            }
        }
        for told in [&mut told_a, &mut told_b] {
            let mut ids: [Vec<u64>; Class::COUNT] = Default::default();
            let mut batches = 0;
            while ids.iter().any(|ids| ids.len() < 1005) {
                let Some(Told::Frames(batch)) = told.recv().await else { panic!("only frames follow") };
                batches += 1;
                let mut rest = &batch.frames[..];
                while let Some(frame) = Frame::decode(rest).unwrap() {
                    ids[batch.class.index()].push(frame.id());
                    rest = &rest[frame.len()..];
                }
                assert!(rest.is_empty(), "a batch has whole frames");
            }
            let want: Vec<u64> = (0..3).chain(0..2).chain(0..1000).collect();
            assert!(ids.iter().all(|ids| *ids == want));
            assert!(batches < 1000, "{batches} batches of 5,025 frames");
        }
        // What was queued before the end arrives before the end.
        let up = a.view().peers.iter().filter(|peer| peer.state == "up").count();
        assert_eq!(up, 1);
        b.drain().await;
        assert!(matches!(told_a.recv().await, Some(Told::Down(_))));
        assert!(matches!(told_b.recv().await, Some(Told::Down(_))));
        a.drain().await;
    });
}

#[test]
fn a_frame_that_nobody_takes_ends_the_link_and_it_comes_back() {
    run(async {
        let certs = certificates("c", &["a", "b"]);
        let (at_a, mut told) = teller(Vec::new());
        let b = Peers::start(options(&certs, "b", 1)).unwrap();
        let addresses = vec![place(&b)];
        let a = Peers::start(Options { handler: at_a, addresses, ..options(&certs, "a", 1) }).unwrap();
        let Some(Told::Up(peer)) = told.recv().await else { panic!("up comes first") };
        peer.sender.send(Class::Raft, publishes(1, 1)).await;
        assert!(matches!(told.recv().await, Some(Told::Down(link)) if link == peer.link));
        let closed = |view: &View| view.counts.closed.get(&Some(Code::UnexpectedKind)) == Some(&1);
        a.until("a was told why", closed).await;
        b.until("b counts it", closed).await;
        let Some(Told::Up(again)) = told.recv().await else { panic!("it is dialled again") };
        assert!(again.link > peer.link);
        assert!(!peer.sender.send(Class::Raft, publishes(1, 1)).await, "the old one is of no use");
        a.drain().await;
        b.drain().await;
    });
}

#[test]
fn a_newer_process_takes_the_link_and_an_older_one_is_refused() {
    run(async {
        let certs = certificates("c", &["a", "b"]);
        let a = Peers::start(options(&certs, "a", 1)).unwrap();
        let dialling = |incarnation| {
            Peers::start(Options { addresses: vec![place(&a)], ..options(&certs, "b", incarnation) }).unwrap()
        };
        let old = dialling(5);
        old.until_up("a").await;
        let new = dialling(6);
        new.until_up("a").await;
        assert_eq!(a.until_up("b").await.link.unwrap().incarnation, 6);
        let taken = old.until("the older one is refused", |view| {
            view.counts.dials_failed.get(&Code::PeerIdTaken).is_some_and(|count| *count > 0)
        });
        assert_eq!(up(&*taken.await), 0);
        let error = |view: &View| view.peers.iter().any(|peer| peer.error.as_deref() == Some("MESH-6072"));
        old.until("it says why", error).await;
        // It gets its place when the newer one has gone.
        new.drain().await;
        old.until_up("a").await;
        old.drain().await;
        a.drain().await;
    });
}

#[test]
fn peers_of_another_cluster_or_without_room_are_refused() {
    run(async {
        let certs = certificates("c", &["a", "b", "d"]);
        let peering = peering::Options { peers_max: 1, ..peering::Options::default() };
        let a = Peers::start(Options { peering, ..options(&certs, "a", 1) }).unwrap();
        let dialling =
            |options: Options| Peers::start(Options { addresses: vec![place(&a)], ..options }).unwrap();
        let b = dialling(options(&certs, "b", 1));
        b.until_up("a").await;
        let d = dialling(options(&certs, "d", 1));
        let failed = |code: Code| move |view: &View| view.counts.dials_failed.contains_key(&code);
        d.until("there is no room", failed(Code::TooManyPeers)).await;
        a.until("it is counted", |view| view.counts.refused.contains_key(&Code::TooManyPeers)).await;
        // Of the same authority, but it says that it is of another cluster: its certificate does not.
        let mut foreign = options(&certs, "d", 1);
        foreign.own.cluster = "other".parse().unwrap();
        let foreign = dialling(foreign);
        let wrong = foreign.until("it is refused", failed(Code::IdentityWrongCluster));
        assert_eq!(up(&*wrong.await), 0);
        // Another authority.
        let elsewhere = certificates("c", &["e"]);
        let unknown = dialling(options(&elsewhere, "e", 1));
        unknown.until("it is refused", failed(Code::CertificateUntrusted)).await;
        b.drain().await;
        d.until_up("a").await;
        for peers in [d, foreign, unknown, a] {
            peers.drain().await;
        }
    });
}

#[test]
fn a_name_that_is_not_the_certificates_is_refused() {
    run(async {
        let certs = certificates("c", &["a", "b"]);
        let a = Peers::start(options(&certs, "a", 1)).unwrap();
        let mut liar = options(&certs, "b", 1);
        liar.own.node = "z".parse().unwrap();
        let liar = Peers::start(Options { addresses: vec![place(&a)], ..liar }).unwrap();
        let wrong = |view: &View| view.counts.dials_failed.contains_key(&Code::IdentityWrongNode);
        liar.until("it is refused", wrong).await;
        a.until("it is counted", |view| view.counts.refused.contains_key(&Code::IdentityWrongNode)).await;
        assert_eq!(up(&a.view()), 0);
        liar.drain().await;
        a.drain().await;
    });
}

#[test]
fn a_node_that_stops_is_waited_for_before_it_is_dialled_again() {
    run(async {
        let certs = certificates("c", &["a", "b"]);
        let b = Peers::start(options(&certs, "b", 1)).unwrap();
        let a = Peers::start(Options { addresses: vec![place(&b)], ..options(&certs, "a", 1) }).unwrap();
        a.until_up("b").await;
        let before = a.view().counts.dials;
        let began = Instant::now();
        b.drain().await;
        let view = a.until("it is gone", |view| up(view) == 0).await;
        assert_eq!((view.counts.dials, view.peers[0].state), (before, "waiting"));
        assert_eq!(view.counts.closed.get(&Some(Code::NodeStopped)), Some(&1));
        a.until("it is dialled again", |view| view.counts.dials > before).await;
        assert!(began.elapsed() >= Duration::from_secs(2), "not at once");
        a.drain().await;
    });
}

/// A link of a node that says nothing by itself.
async fn raw(certs: &TempDir, node: &str, to: &Peers) -> Link {
    let mut options = ConnectOptions::new(store(certs.path(), node));
    options.expect = Expect::Node { cluster: "c".parse().unwrap() };
    connect::open(&Endpoint::Quic(place(to)), &options).await.unwrap()
}

/// What a link is told that sends this on its control lane.
async fn told(mut link: Link, bytes: Bytes) -> Option<Code> {
    link.outbound.write_all(Class::Control, bytes).await.unwrap();
    link.handle.closed().await.code
}

#[test]
fn who_does_not_greet_properly_is_told_why_and_counted() {
    run(async {
        let certs = certificates("c", &["a", "b"]);
        let handshake_timeout = Duration::from_millis(300);
        let a = Peers::start(Options { handshake_timeout, ..options(&certs, "a", 1) }).unwrap();
        let identity = Identity {
            own: Own { node: "b".parse().unwrap(), cluster: "c".parse().unwrap(), incarnation: 1 },
            advertise: String::new(),
        };
        let hello = handshake::hello(&identity, LinkNumber(1)).unwrap();
        let frame = |kind| {
            let mut bytes = BytesMut::from(&PREFACE[..]);
            Parts::bare(kind, 0).aux(1 << 16 | 1).encode(&mut bytes).unwrap();
            bytes.freeze()
        };
        let table = [
            (Bytes::from_static(b"GET / HTTP/1.1\r\n"), Code::PrefaceBad),
            (frame(Kind::Hello), Code::HelloExpected),
            (frame(Kind::Ping), Code::HelloExpected),
            (frame(Kind::PeerHello), Code::BodyMalformed),
            (hello.slice(..hello.len() - 1), Code::HandshakeTimeout),
        ];
        for (bytes, code) in table {
            assert_eq!(told(raw(&certs, "b", &a).await, bytes).await, Some(code));
            a.until("it is counted", |view| view.counts.refused.contains_key(&code)).await;
        }
        assert_eq!(up(&a.view()), 0);
        // After its greeting, a second one.
        let link = raw(&certs, "b", &a).await;
        let twice = [&hello[..], &hello[PREFACE.len()..]].concat();
        assert_eq!(told(link, twice.into()).await, Some(Code::HelloRepeated));
        a.until("it is counted", |view| view.counts.closed.contains_key(&Some(Code::HelloRepeated))).await;
        a.drain().await;
    });
}

#[test]
fn so_many_may_greet_at_once_and_not_one_more() {
    run(async {
        let certs = certificates("c", &["a", "b"]);
        let handshake_timeout = PATIENCE;
        let a = Options { greeting_max: 2, handshake_timeout, ..options(&certs, "a", 1) };
        let a = Peers::start(a).unwrap();
        let silent = [raw(&certs, "b", &a).await, raw(&certs, "b", &a).await];
        let closed = raw(&certs, "b", &a).await.handle.closed().await;
        assert_eq!(closed.code, Some(Code::TooManyPeers));
        assert!(a.view().counts.refused.contains_key(&Code::TooManyPeers));
        drop(silent);
        let b = Peers::start(Options { addresses: vec![place(&a)], ..options(&certs, "b", 2) }).unwrap();
        b.until_up("a").await;
        b.drain().await;
        a.drain().await;
    });
}
