//! Trials of peers that break QUIC's rules: the node's memory stays bounded and good clients notice nothing.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]
#![expect(clippy::print_stdout, reason = "what was measured belongs to what a test prints")]

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use mesh_client::{Client, ConnectionEvent, Message};
use mesh_e2e::{
    Certificates, NodeBuilder, PATIENCE, RunningNode, client, hello_frame, resident, seed, wait_until,
};
use mesh_hostile::{Credentials, Hostile, Tamper, initials};
use mesh_netproxy::{Direction, Plan, Proxy};
use mesh_wire::class::Class;
use mesh_wire::frame::PREFACE;
use mesh_wire::hello::Versions;
use quinn::{Connection, ConnectionError, SendStream, TransportErrorCode};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How much more memory an attack may make the node hold, in bytes.
const MEMORY: u64 = 64 << 20;
/// Links of one kind of attack.
const LINKS: usize = 100;

/// A node under attack, and good clients that use it all the while.
struct Trial {
    node: RunningNode,
    certificates: Certificates,
    good: Vec<Client>,
    load: JoinHandle<u64>,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    memory: u64,
}

impl Trial {
    async fn start() -> Self {
        let (_, certificates) = Certificates::of("n", &["asker", "answerer", "attacker"]);
        let node = NodeBuilder::default().with_http().with_certificates("n", &certificates).start();
        let answerer = client(node.network(), &certificates, "answerer").connect().await.unwrap();
        let echo = |message: Message| async { message };
        let server = answerer.serve("echo").handle("it", echo).spawn().await.unwrap();
        let asker = client(node.network(), &certificates, "asker").connect().await.unwrap();
        for good in [&asker, &answerer] {
            let mut events = good.events();
            tokio::spawn(async move {
                while let Some(event) = events.next().await {
                    if let ConnectionEvent::Disconnected { reason } = event {
                        println!("a good client lost its link: {reason}");
                    }
                }
            });
        }
        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicU64::new(0));
        let load = tokio::spawn({
            let (stop, answered, asker) = (Arc::clone(&stop), Arc::clone(&answered), asker.clone());
            async move {
                let _server = server;
                while !stop.load(Ordering::Relaxed) {
                    let reply = asker.request("echo.it", "good").timeout(PATIENCE).await;
                    reply.unwrap_or_else(|error| panic!("a good client's request: {error:#}"));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                answered.load(Ordering::Relaxed)
            }
        });
        let mut this =
            Self { node, certificates, good: vec![asker, answerer], load, stop, answered, memory: 0 };
        // What the node holds when it is at work, not when it has just started.
        this.answers(200).await;
        this.memory = resident(this.node.pid());
        this
    }

    fn address(&self) -> SocketAddr {
        self.node.network()
    }

    /// A peer with a service's certificate: somebody who took over a client.
    fn attacker(&self, tamper: Option<&Tamper>) -> Hostile {
        let certificate = self.certificates.file("service-attacker.pem");
        let key = self.certificates.file("service-attacker.key");
        Hostile::new(&Credentials::Files { certificate, key }, tamper)
    }

    fn links(&self) -> u64 {
        self.node.metric("mesh_links", &[])
    }

    /// Waits until good clients got so many more answers.
    async fn answers(&self, more: u64) {
        let until = self.answered.load(Ordering::Relaxed) + more;
        let answered = async {
            while self.answered.load(Ordering::Relaxed) < until {
                assert!(!self.load.is_finished(), "a good client was hurt");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(PATIENCE, answered).await.expect("good clients go on");
    }

    /// Asserts that the node is as it is to be while or after it is attacked.
    async fn holds(&self, attack: &str) {
        self.answers(50).await;
        let grown = resident(self.node.pid()).saturating_sub(self.memory);
        println!("{attack}: {} KiB more", grown >> 10);
        assert!(grown <= MEMORY, "{attack} made the node hold {} MiB more", grown >> 20);
    }

    /// Ends it: nobody of the good was hurt, and of the attackers nothing is left.
    async fn end(self) {
        wait_until("the attackers' links are gone", || self.links() == 2);
        self.answers(50).await;
        self.stop.store(true, Ordering::Relaxed);
        assert!(timeout(PATIENCE, self.load).await.unwrap().unwrap() > 0);
        assert!(self.good.iter().all(Client::is_connected), "and by the same links");
        assert_eq!(self.node.metric("mesh_internal_errors_total", &[]), 0);
    }
}

/// Says hello on a control lane, and waits until the node says anything.
async fn greet(connection: &Connection, name: &str) -> SendStream {
    let mut control = connection.open_uni().await.unwrap();
    control.write_all(&[Class::Control as u8]).await.unwrap();
    control.write_all(&PREFACE).await.unwrap();
    control.write_all(&hello_frame(name, Versions::OURS.to_aux())).await.unwrap();
    let mut answer = timeout(PATIENCE, connection.accept_uni()).await.unwrap().unwrap();
    let mut welcome = [0; 24];
    answer.read_exact(&mut welcome).await.unwrap();
    // It goes on to be read, as by a good client.
    tokio::spawn(async move { answer.read_to_end(usize::MAX).await });
    control
}

async fn all<F: Future>(count: usize, one: impl Fn(usize) -> F) -> Vec<F::Output> {
    timeout(PATIENCE, join_all((0..count).map(one))).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_first_packets() {
    let trial = Trial::start().await;
    let target = trial.address();
    for _ in 0..10 {
        tokio::task::spawn_blocking(move || initials(target, 500)).await.unwrap();
        trial.holds("a flood of first packets").await;
    }
    wait_until("made-up addresses are asked to prove themselves", || {
        trial.node.metric("mesh_handshakes_turned_away_total", &["retry"]) > 0
    });
    // In the middle of it somebody else gets in.
    let flood = tokio::task::spawn_blocking(move || initials(target, 2_000));
    let late = client(target, &trial.certificates, "asker").connect().await.unwrap();
    assert_eq!(late.request("echo.it", "late").await.unwrap().as_bytes(), b"late");
    late.close().await;
    flood.await.unwrap();
    trial.holds("a flood of first packets").await;
    trial.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_that_never_end() {
    let trial = Trial::start().await;
    // The node hears them, and they never hear the node: they repeat their first packets until they give up.
    let proxy = Proxy::start(trial.address(), seed(28), Plan::NONE).unwrap();
    proxy.cut(Direction::Down);
    let attackers: Vec<Hostile> = (0..LINKS).map(|_| trial.attacker(None)).collect();
    let target = proxy.address();
    let hanging: Vec<_> = attackers
        .into_iter()
        .map(|one| tokio::spawn(async move { one.connect(target).await.err() }))
        .collect();
    wait_until("they have begun", || proxy.counters(Direction::Up).forwarded >= LINKS as u64);
    trial.holds("half handshakes").await;
    let late = client(trial.address(), &trial.certificates, "asker").connect().await.unwrap();
    late.close().await;
    for one in hanging {
        one.abort();
    }
    trial.holds("half handshakes").await;
    trial.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_say_nothing_and_lanes_that_are_left() {
    let trial = Trial::start().await;
    let attackers: Vec<Hostile> = (0..LINKS).map(|_| trial.attacker(None)).collect();
    let target = trial.address();
    let attackers = &attackers;
    for lanes in [&[][..], &[0], &[0, 1, 2, 3, 4]] {
        let links = all(LINKS, |number| async move {
            let connection = attackers[number].connect(target).await.unwrap();
            let mut opened = Vec::new();
            for lane in lanes {
                let mut stream = connection.open_uni().await.unwrap();
                stream.write_all(&[*lane]).await.unwrap();
                opened.push(stream);
            }
            (connection, opened)
        })
        .await;
        trial.holds("links that say nothing").await;
        let links = &links;
        let closed = all(LINKS, |number| async move { links[number].0.closed().await }).await;
        for reason in closed {
            let ConnectionError::ApplicationClosed(close) = &reason else { panic!("{lanes:?}: {reason}") };
            let told = String::from_utf8_lossy(&close.reason);
            assert!(u64::from(close.error_code) > 0 && !told.is_empty(), "{lanes:?}: {reason}");
        }
    }
    trial.holds("links that say nothing").await;
    trial.end().await;
}

/// Peers that are welcome and then leave so many gaps at the front of each lane, and fill the window behind.
async fn gaps(count: usize) {
    let trial = Trial::start().await;
    let target = trial.address();
    let attacked = all(GAPPY, |number| {
        let tamper = Tamper::default();
        let attacker = trial.attacker(Some(&tamper));
        async move {
            let connection = attacker.connect(target).await.unwrap();
            let control = greet(&connection, &format!("gaps-{number}")).await;
            let mut lanes = Vec::new();
            for class in [Class::Request, Class::Publish, Class::Bulk] {
                tamper.gaps(count);
                let Ok(mut lane) = connection.open_uni().await else { break };
                let mut filling = vec![0; 16 << 20];
                filling[0] = class as u8;
                // Until the window is full, or the node has had enough.
                timeout(FILLED, lane.write_all(&filling)).await.ok();
                lanes.push(lane);
            }
            (connection, control, lanes)
        }
    })
    .await;
    trial.holds("gaps").await;
    for (connection, ..) in attacked {
        connection.close(0_u8.into(), b"");
    }
    trial.end().await;
}

/// Links with gaps. A node keeps what comes behind a gap, up to the window of 3 MiB that each link has.
const GAPPY: usize = 6;
/// After this time a window is as full as it gets.
const FILLED: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_with_one_gap_and_full_windows() {
    gaps(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_of_nothing_but_gaps() {
    gaps(usize::MAX).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_that_ignore_limits() {
    let trial = Trial::start().await;
    let target = trial.address();
    for (over, expected) in [
        ("data", TransportErrorCode::FLOW_CONTROL_ERROR),
        ("streams", TransportErrorCode::STREAM_LIMIT_ERROR),
    ] {
        let closed = all(8, |number| {
            let tamper = Tamper::default().ignore_limits();
            let attacker = trial.attacker(Some(&tamper));
            async move {
                let connection = attacker.connect(target).await.unwrap();
                let _control = greet(&connection, &format!("{over}-{number}")).await;
                let mut left = Vec::new();
                if over == "data" {
                    // Behind a gap, so that the node can't read it and give more room.
                    tamper.gaps(1);
                    let mut lane = connection.open_uni().await.unwrap();
                    let mut filling = vec![0; 64 << 20];
                    filling[0] = Class::Bulk as u8;
                    lane.write_all(&filling).await.ok();
                    left.push(lane);
                } else {
                    for class in (0..64).map(|number| number % 5) {
                        let Ok(mut lane) = connection.open_uni().await else { break };
                        lane.write_all(&[class]).await.ok();
                        left.push(lane);
                    }
                }
                connection.closed().await
            }
        })
        .await;
        for reason in closed {
            match &reason {
                ConnectionError::ConnectionClosed(close) => {
                    assert_eq!(close.error_code, expected, "{reason}")
                }
                // The node may see that a class came twice before it sees that there are too many.
                ConnectionError::ApplicationClosed(close) if over == "streams" => {
                    assert!(!close.reason.is_empty(), "{reason}");
                }
                _ => panic!("{over}: {reason}"),
            }
        }
        trial.holds(over).await;
    }
    trial.end().await;
}
