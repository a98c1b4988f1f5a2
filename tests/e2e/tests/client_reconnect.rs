//! What the client library does when its node dies, comes back, or leaves.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mesh_client::{Client, Code, ConnectionEvent, Events, Message, ReconnectPolicy};
use mesh_e2e::{PATIENCE, Process, program};
use rustix::process::Signal;
use tokio::time::timeout;

/// A node on a socket that is given, so that another one can take its place.
fn start(directory: &Path, name: &str) -> Process {
    let mut command = Command::new(program("mesh-node", "mesh-node"));
    command
        .arg("--data")
        .arg(directory.join(name))
        .arg("--socket")
        .arg(directory.join(format!("{name}.sock")));
    let mut process = Process::start(command.args(["--http", "off", "--node", name]));
    process.stdout_line(" pub ");
    process
}

fn url(directory: &Path, name: &str) -> String {
    format!("unix://{}", directory.join(format!("{name}.sock")).display())
}

fn policy() -> ReconnectPolicy {
    ReconnectPolicy::DEFAULT.delays(Duration::from_millis(5), Duration::from_millis(50))
}

async fn connected(events: &mut Events) -> String {
    loop {
        let event = timeout(PATIENCE, events.next()).await.unwrap().unwrap();
        if let ConnectionEvent::Connected { node } = event {
            return node.node;
        }
    }
}

async fn disconnected(events: &mut Events) {
    while !matches!(
        timeout(PATIENCE, events.next()).await.unwrap().unwrap(),
        ConnectionEvent::Disconnected { .. }
    ) {}
}

#[tokio::test]
async fn everything_is_back_after_the_node_was_killed_and_restarted() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let mut node = start(directory, "n");
    let builder = || Client::builder().endpoint(url(directory, "n")).reconnect(policy());
    let mesh = builder().name("c").connect().await.unwrap();
    let mut events = mesh.events();
    let mut subscription = mesh.subscribe("a.*").group("g").await.unwrap();
    let _server =
        mesh.serve("echo").handle("it", |message: Message| async { message }).spawn().await.unwrap();
    let incarnation = mesh.node_info().unwrap().incarnation;
    for round in 0..5 {
        node.signal(Signal::KILL);
        disconnected(&mut events).await;
        assert_eq!(mesh.publish("a.b", "lost").await.unwrap_err().code(), Code::NotConnected);
        let waiting = tokio::spawn({
            let mesh = mesh.clone();
            async move { mesh.publish("a.b", "waited").buffered().await }
        });
        drop(node);
        node = start(directory, "n");
        connected(&mut events).await;
        assert_ne!(mesh.node_info().unwrap().incarnation, incarnation, "round {round}");
        timeout(PATIENCE, waiting).await.unwrap().unwrap().unwrap();
        let other = builder().name("other").connect().await.unwrap();
        mesh.flush().await.unwrap();
        other.publish("a.c", "new").await.unwrap();
        let mut got = Vec::new();
        while got.len() < 2 {
            got.push(
                timeout(PATIENCE, subscription.next()).await.unwrap().unwrap().text().unwrap().to_owned(),
            );
        }
        assert_eq!(got, ["waited", "new"], "round {round}");
        let reply = other.request("echo.it", "still").idempotent().timeout(PATIENCE).await.unwrap();
        assert_eq!(reply.as_bytes(), b"still");
    }
}

#[tokio::test]
async fn a_request_under_way_ends_and_an_idempotent_one_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let node = start(directory, "n");
    let mesh = Client::builder().endpoint(url(directory, "n")).reconnect(policy()).connect().await.unwrap();
    let hang = |message: Message| async move {
        if message.as_bytes() == b"hang" {
            std::future::pending::<()>().await;
        }
        message
    };
    let server = mesh.serve("s").handle("x", hang).spawn().await.unwrap();
    let ask = |body: &'static str, idempotent: bool| {
        let mesh = mesh.clone();
        tokio::spawn(async move {
            let request = mesh.request("s.x", body).timeout(PATIENCE);
            if idempotent { request.idempotent().await } else { request.await }
        })
    };
    let once = ask("hang", false);
    while server.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    node.signal(Signal::KILL);
    assert_eq!(timeout(PATIENCE, once).await.unwrap().unwrap().unwrap_err().code(), Code::Disconnected);
    let again = ask("go", true);
    drop(node);
    let _node = start(directory, "n");
    assert_eq!(timeout(PATIENCE, again).await.unwrap().unwrap().unwrap().as_bytes(), b"go");
    while server.in_flight() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_client_leaves_a_node_that_drains_for_its_other_one() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let (one, _two) = (start(directory, "one"), start(directory, "two"));
    let builder = Client::builder().endpoint(url(directory, "one")).endpoint(url(directory, "two"));
    let mesh = builder.reconnect(policy()).connect().await.unwrap();
    let mut events = mesh.events();
    let mut subscription = mesh.subscribe("a").await.unwrap();
    one.signal(Signal::TERM);
    assert_eq!(connected(&mut events).await, "two");
    assert_eq!(one.finish().status, Some(0), "nothing holds up the node");
    mesh.flush().await.unwrap();
    mesh.publish("a", "over here").await.unwrap();
    assert_eq!(timeout(PATIENCE, subscription.next()).await.unwrap().unwrap().as_bytes(), b"over here");
}
