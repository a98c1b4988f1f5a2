//! Trials of clients on a bad network: every request answered, nothing corrupt delivered, dead links noticed.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use mesh_client::{Message, ReconnectPolicy};
use mesh_e2e::{
    Certificates, NodeBuilder, PATIENCE, RunningNode, client, connected, disconnected, seed, wait_until,
};
use mesh_netproxy::{Direction, Faults, Plan, Probability, Proxy};
use tokio::time::timeout;

const MS: Duration = Duration::from_millis(1);

fn node() -> (Certificates, RunningNode) {
    let (_, certificates) = Certificates::of("n", &["asker", "answerer"]);
    let node = NodeBuilder::default().with_http().with_certificates("n", &certificates).start();
    (certificates, node)
}

/// A body that says whether it is whole: a checksum, a number, and bytes of it.
fn body(number: u32, len: usize) -> Vec<u8> {
    let mut body = vec![0; 4];
    body.extend(number.to_be_bytes());
    body.extend((0..len).map(|at| (at as u32 ^ number.wrapping_mul(0x9e37_79b9)) as u8));
    let sum = crc32c::crc32c(&body[4..]);
    body[..4].copy_from_slice(&sum.to_be_bytes());
    body
}

fn is_whole(body: &[u8]) -> bool {
    body.split_first_chunk().is_some_and(|(sum, rest)| u32::from_be_bytes(*sum) == crc32c::crc32c(rest))
}

/// Mostly small, some that fill many packets, some that go in chunks.
fn len(number: u32) -> usize {
    match number % 50 {
        7 => 300_000,
        n if n.is_multiple_of(10) => 40_000,
        n => 16 + 20 * n as usize,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_is_answered_and_nothing_corrupt_arrives() {
    const REQUESTS: u32 = 600;
    let seed = seed(8);
    let faults = Faults::NONE
        .loss(Probability::percent(5))
        .delay(2 * MS, 10 * MS)
        .reorder(Probability::percent(5))
        .duplicate(Probability::percent(2))
        .corrupt(Probability::percent(2));
    let (certificates, node) = node();
    let proxies =
        [seed, seed + 1].map(|seed| Proxy::start(node.network(), seed, Plan::both(faults)).unwrap());
    let asker = client(proxies[0].address(), &certificates, "asker").connect().await.unwrap();
    let answerer = client(proxies[1].address(), &certificates, "answerer").connect().await.unwrap();
    let corrupt = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&corrupt);
    let answer = move |message: Message| {
        if !is_whole(message.as_bytes()) {
            seen.fetch_add(1, Ordering::Relaxed);
        }
        async move { message }
    };
    let server = answerer.serve("echo").handle("it", answer).spawn().await.unwrap();
    let mut lost_links = asker.events();

    let asked = stream::iter(0..REQUESTS).map(|number| {
        let asker = &asker;
        async move {
            let sent = body(number, len(number));
            let reply = asker.request("echo.it", &sent[..]).timeout(PATIENCE).await;
            let reply = reply.unwrap_or_else(|error| panic!("request {number}: {error:#}"));
            assert!(reply.as_bytes() == sent, "the reply to request {number} is another one");
        }
    });
    asked.buffer_unordered(16).collect::<()>().await;

    assert_eq!(corrupt.load(Ordering::Relaxed), 0, "corrupt bodies reached a service");
    assert_eq!(server.calls(), u64::from(REQUESTS), "each was delivered once");
    for proxy in &proxies {
        for direction in Direction::ALL {
            let counters = proxy.counters(direction);
            for happened in [counters.lost, counters.reordered, counters.duplicated, counters.corrupted] {
                assert!(happened > 0, "the network was not bad: {counters:?}");
            }
        }
    }
    assert!(asker.is_connected() && answerer.is_connected());
    let over = timeout(Duration::ZERO, disconnected(&mut lost_links)).await;
    assert!(over.is_err(), "the link broke: {over:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_arrives_once_and_in_order_on_a_bad_network() {
    const EVENTS: u32 = 2_000;
    let seed = seed(80);
    let faults = Faults::NONE
        .loss(Probability::percent(3))
        .delay(MS, 5 * MS)
        .reorder(Probability::percent(10))
        .duplicate(Probability::percent(5))
        .corrupt(Probability::percent(1));
    let (certificates, node) = node();
    let proxy = Proxy::start(node.network(), seed, Plan::both(faults)).unwrap();
    let publisher = client(proxy.address(), &certificates, "asker").connect().await.unwrap();
    let reader = client(proxy.address(), &certificates, "answerer").connect().await.unwrap();
    let mut events = reader.subscribe("events.*").capacity(EVENTS).await.unwrap();
    for number in 0..EVENTS {
        publisher.publish("events.new", &body(number, 100)[..]).await.unwrap();
    }
    for number in 0..EVENTS {
        let event = timeout(PATIENCE, events.next()).await.unwrap().unwrap();
        assert!(event.as_bytes() == body(number, 100), "in place of event {number}: {event:?}");
    }
    assert_eq!(events.dropped(), 0);
}

/// How soon a half-open link is noticed, on both sides.
const NOTICED: Duration = Duration::from_secs(5);
/// What the client, the node and their system may take beside that to say so, on a machine that does other things too.
const GRACE: Duration = Duration::from_secs(1);

async fn half_open(cut: Direction) {
    let (certificates, node) = node();
    let proxy = Proxy::start(node.network(), seed(25), Plan::NONE).unwrap();
    let files = || fs::read_dir(format!("/proc/{}/fd", node.pid())).unwrap().count();
    let links = || node.api("links")["links"].as_array().unwrap().len();
    let subscriptions = || node.api("subscriptions")["subscriptions"].as_array().unwrap().len();
    // The admin server's own files are open once it has answered.
    assert_eq!(links(), 0);
    let before = files();
    let mesh = client(proxy.address(), &certificates, "asker")
        .reconnect(ReconnectPolicy::DEFAULT.delays(10 * MS, 200 * MS))
        .connect_timeout(Duration::from_secs(2))
        .connect()
        .await
        .unwrap();
    let mut events = mesh.events();
    let mut subscription = mesh.subscribe("news.*").await.unwrap();
    let _server =
        mesh.serve("echo").handle("it", |message: Message| async { message }).spawn().await.unwrap();
    mesh.flush().await.unwrap();
    assert_eq!(links(), 1);
    let held = subscriptions();
    assert!(held >= 2, "{held} subscriptions");

    proxy.cut(cut);
    let start = Instant::now();
    // Something is under way in both directions: neither side may take silence for peace.
    mesh.publish("news.lost", "into the hole").await.unwrap();
    let seen = tokio::task::spawn_blocking({
        let http = node.http().to_owned();
        move || {
            wait_until("the node has noticed", || {
                mesh_e2e::api(&http, "links")["links"].as_array().unwrap().is_empty()
            });
            start.elapsed()
        }
    });
    let reason = disconnected(&mut events).await;
    let by_client = start.elapsed();
    let by_node = seen.await.unwrap();
    assert!(by_client <= NOTICED + GRACE, "the client noticed after {by_client:?}: {reason}");
    assert!(by_node <= NOTICED + GRACE, "the node noticed after {by_node:?}");
    assert_eq!((links(), subscriptions()), (0, 0), "nothing is left of it");

    proxy.heal();
    connected(&mut events).await;
    assert_eq!((links(), subscriptions()), (1, held), "as before");
    mesh.publish("news.new", "back").await.unwrap();
    assert_eq!(timeout(PATIENCE, subscription.next()).await.unwrap().unwrap().text().unwrap(), "back");
    mesh.close().await;
    wait_until("the node has no link", || links() == 0);
    wait_until("the node has closed what it opened", || files() <= before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_the_node_no_longer_hears_is_noticed_by_both() {
    half_open(Direction::Up).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_the_client_no_longer_hears_is_noticed_by_both() {
    half_open(Direction::Down).await;
}
