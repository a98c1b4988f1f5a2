//! A node's life: starting where it can't, being asked how it is, and leaving in good order.

#![allow(clippy::unwrap_used, reason = "what the functions of a test unwrap is its own failure")]

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::{FileTypeExt, PermissionsExt},
    process::Command,
};

use mesh_e2e::{NodeBuilder, Process, RunningNode, program};
use mesh_wire::{
    code::Code,
    frame::{Kind, Parts},
};
use rustix::process::Signal;

fn mesh_node(arguments: &[&str]) -> mesh_e2e::Finished {
    Process::start(Command::new(program("mesh-node", "mesh-node")).args(arguments)).finish()
}

fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

#[test]
fn a_start_that_cannot_be_says_why_and_what_to_do() {
    let node = RunningNode::start();
    let other = tempfile::tempdir().unwrap();
    let data = other.path().to_str().unwrap();
    let socket = other.path().join("m.sock");
    let socket = socket.to_str().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = taken.local_addr().unwrap().to_string();
    let file = other.path().join("file");
    fs::write(&file, "not a socket").unwrap();
    let bad_config = other.path().join("bad.toml");
    fs::write(&bad_config, "thread = 2\n").unwrap();
    let long = format!("/tmp/{}", "x".repeat(120));
    let table: [(&[&str], Code); 8] = [
        (&["--data", data, "--socket", node.socket().to_str().unwrap(), "--http", "off"], Code::SocketInUse),
        (
            &["--data", node.directory().to_str().unwrap(), "--socket", socket, "--http", "off"],
            Code::DataDirLocked,
        ),
        (&["--data", data, "--socket", socket, "--http", &busy], Code::HttpAddressInUse),
        (&["--data", data, "--socket", file.to_str().unwrap(), "--http", "off"], Code::SocketNotASocket),
        (&["--data", data, "--socket", &long, "--http", "off"], Code::ConfigBadValue),
        (&["--data", file.to_str().unwrap(), "--socket", socket, "--http", "off"], Code::DataDirUnusable),
        (&["--config", "/nowhere/node.toml"], Code::ConfigUnreadable),
        (&["--config", bad_config.to_str().unwrap()], Code::ConfigUnknownKey),
    ];
    for (arguments, code) in table {
        let end = mesh_node(arguments);
        println!("{arguments:?}\n{}", end.stderr);
        assert_eq!(end.status, Some(1));
        assert!(end.stderr.starts_with(&format!("error[{code}]: ")), "{code}");
        assert!(end.stderr.contains("\ncause: ") && end.stderr.contains("\nhint: "));
    }
    node.assert_serves();
}

#[test]
fn a_stale_socket_is_replaced_and_a_closed_one_leaves_no_file() {
    let first = RunningNode::start();
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("stale.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(fs::metadata(&socket).unwrap().file_type().is_socket());
    let mut command = Command::new(program("mesh-node", "mesh-node"));
    command.arg("--data").arg(directory.path()).arg("--socket").arg(&socket).args(["--http", "off"]);
    let mut process = Process::start(&mut command);
    process.stdout_line(" pub ");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    process.signal(Signal::TERM);
    assert_eq!(process.finish().status, Some(0));
    assert!(!socket.exists());
    first.assert_serves();
}

#[test]
fn a_configuration_prints_itself_and_is_read_again() {
    let printed = mesh_node(&["--threads", "2", "--busy-poll", "50us", "--data", "/tmp/d", "--print-config"]);
    assert_eq!(printed.status, Some(0), "{}", printed.stderr);
    assert!(printed.stdout.contains("threads = 2"), "{}", printed.stdout);
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &printed.stdout).unwrap();
    let again = mesh_node(&["--config", file.path().to_str().unwrap(), "--print-config"]);
    let values = |text: &str| -> Vec<String> {
        text.lines()
            .map(|l| l.split('#').next().unwrap().trim().to_owned())
            .filter(|l| !l.is_empty())
            .collect()
    };
    assert_eq!(values(&again.stdout), values(&printed.stdout));
}

#[test]
fn the_admin_server_tells_what_the_node_does() {
    let node = NodeBuilder::default().with_http().start();
    let http = node.http();
    for path in ["/livez", "/readyz", "/startupz"] {
        assert_eq!(get(http, path).0, 200, "{path}");
    }
    let mut subscriber = node.link("watcher");
    subscriber.subscribe(7, "orders.*", 10);
    subscriber.respond(8, "orders.get", Some("orders"));
    let mut publisher = node.link("teller");
    publisher.publish("orders.new", b"1");
    publisher.publish("nobody.wants", b"2");
    publisher.sync();
    subscriber.receive();

    let json = |path: &str| -> serde_json::Value {
        let (status, body) = get(http, path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    };
    assert_eq!(json("/api/v1/node")["state"], "ready");
    let links = json("/api/v1/links").to_string();
    assert!(
        links.contains("\"watcher\"") && links.contains("\"teller\"") && links.contains("unix:uid="),
        "{links}"
    );
    let subscriptions = json("/api/v1/subscriptions").to_string();
    assert!(
        subscriptions.contains("\"orders.*\"") && subscriptions.contains("\"responder\""),
        "{subscriptions}"
    );
    let (_, metrics) = get(http, "/metrics");
    let value = |line: &str| -> f64 {
        let found =
            metrics.lines().find(|l| l.starts_with(line)).unwrap_or_else(|| panic!("{line} in {metrics}"));
        found.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(value("mesh_links "), 2.0);
    assert_eq!(value("mesh_subscriptions "), 2.0);
    assert!(!metrics.contains("orders.new"), "no subject is a label");
    let (status, _) = get(http, "/api/v1/nonsense");
    assert_eq!(status, 404);
}

#[test]
fn health_and_drain_ask_over_the_socket() {
    let node = RunningNode::start();
    let socket = node.socket().to_str().unwrap().to_owned();
    let healthy = mesh_node(&["health", "--socket", &socket]);
    assert_eq!(healthy.status, Some(0), "{}", healthy.stderr);
    let drained = mesh_node(&["drain", "--socket", &socket]);
    assert_eq!(drained.status, Some(0), "{}", drained.stderr);
    assert_eq!(node.finish().status, Some(0));
    let gone = mesh_node(&["health", "--socket", &socket]);
    assert_eq!(gone.status, Some(1));
    assert!(gone.stderr.contains(&Code::ConnectNoSuchSocket.to_string()), "{}", gone.stderr);
}

#[test]
fn a_drain_finishes_what_was_begun_and_begins_nothing() {
    let node = NodeBuilder::default().with_http().start();
    let mut responder = node.link("responder");
    responder.respond(1, "work", Some("workers"));
    let mut requester = node.link("requester");
    requester.request(1, "work", 30_000);
    let call = responder.receive();
    assert_eq!(call.kind, Kind::Call);

    node.signal(Signal::TERM);
    assert_eq!(requester.receive().kind, Kind::Draining);
    assert_eq!(responder.receive().kind, Kind::Draining);
    assert_eq!(get(node.http(), "/readyz").0, 503);
    assert_eq!(get(node.http(), "/livez").0, 200);
    requester.request(2, "work", 30_000);
    requester.expect_end(2, Code::NodeDraining);
    assert!(std::os::unix::net::UnixStream::connect(node.socket()).is_err(), "no new links");

    responder.send(&Parts::bare(Kind::Reply, call.id).body(b"done"));
    assert_eq!(requester.receive().body, b"done");
    for link in [&mut requester, &mut responder] {
        let goodbye = link.receive();
        assert_eq!((goodbye.kind, goodbye.code()), (Kind::Goodbye, Some(Code::NodeStopped)));
        assert_eq!(link.try_receive(), None);
    }
    assert_eq!(node.finish().status, Some(0));
}

#[test]
fn a_drain_ends_at_its_deadline_when_nobody_answers() {
    let node = NodeBuilder::default().env("MESH_NODE_DRAIN__DEADLINE", "300ms").start();
    let mut responder = node.link("responder");
    responder.respond(1, "work", None);
    let mut requester = node.link("requester");
    requester.request(1, "work", 30_000);
    responder.receive();
    node.signal(Signal::INT);
    assert_eq!(node.finish().status, Some(0));
}
