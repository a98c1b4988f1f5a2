use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use mesh_wire::code::Code;
use serde_json::Value;

use super::*;
use crate::admin::fake::Fake;
use crate::admin::{Health, State};

fn serve(fake: &Fake) -> (Server, Arc<Health>) {
    let (api, health) = fake.api();
    let bound = Bound::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let hosts = Hosts::new(&["node.local".to_owned()]);
    (bound.serve(api, hosts).unwrap(), health)
}

/// Sends bytes and gives everything that comes back until the server closes.
fn exchange(server: &Server, bytes: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(server: &Server, path: &str) -> (u16, String, String) {
    request(server, &format!("GET {path} HTTP/1.1\r\nHost: {}\r\n", server.address()))
}

fn request(server: &Server, head: &str) -> (u16, String, String) {
    let answer = exchange(server, &format!("{head}Connection: close\r\n\r\n"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), head.to_ascii_lowercase(), body.to_owned())
}

fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

#[test]
fn probes_follow_the_state() {
    let (server, health) = serve(&Fake::default());
    let probes = |server: &Server| ["/livez", "/startupz", "/readyz"].map(|path| get(server, path).0);
    assert_eq!(probes(&server), [200, 503, 503]);
    health.advance(State::Ready);
    assert_eq!(probes(&server), [200, 200, 200]);
    health.advance(State::Draining);
    assert_eq!(probes(&server), [200, 200, 503]);
    let (_, _, body) = get(&server, "/readyz");
    assert_eq!(json(&body)["code"], Code::NodeUnhealthy.to_string());
    assert_eq!(json(&body)["cause"], "the node is draining");
}

#[test]
fn metrics_are_scraped() {
    let (server, _) = serve(&Fake::default());
    let (status, head, body) = get(&server, "/metrics");
    assert_eq!(status, 200);
    assert!(
        head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"),
        "{head}"
    );
    assert!(head.contains("cache-control: no-store"), "{head}");
    assert!(body.contains("mesh_build_info{") && body.ends_with("# EOF\n"), "{body}");
}

#[test]
fn questions_are_answered_as_over_a_link() {
    let (server, _) = serve(&Fake { links: 3, subscriptions: 2, ..Fake::default() });
    assert_eq!(json(&get(&server, "/api/v1/node").2)["name"], "edge-1");
    let links = json(&get(&server, "/api/v1/links?limit=2&after=1").2);
    assert_eq!((&links["links"][0]["id"], &links["next"]), (&2.into(), &3.into()));
    let subscriptions = json(&get(&server, "/api/v1/subscriptions?limit=1&after=2.0").2);
    assert_eq!(subscriptions["next"], "2.1");
    assert_eq!(json(&get(&server, "/api/v1/services").2)["services"][0]["name"], "orders");
}

#[test]
fn what_is_refused_says_why() {
    let (server, _) = serve(&Fake::default());
    let table = [
        ("/api/v1/links?limit=0", 400, Code::NodeRequestInvalid),
        ("/api/v1/links?limit=1001", 400, Code::NodeRequestInvalid),
        ("/api/v1/links?limit=many", 400, Code::NodeRequestInvalid),
        ("/api/v1/node?x", 400, Code::NodeRequestInvalid),
        ("/api/v1/nodes", 404, Code::NodeRequestUnknown),
        ("/api/v1/drain", 404, Code::NodeRequestUnknown),
    ];
    for (path, status, code) in table {
        let (got, _, body) = get(&server, path);
        assert_eq!((got, &json(&body)["code"]), (status, &code.to_string().into()), "{path}");
    }
    let (status, ..) = request(&server, "POST /api/v1/node HTTP/1.1\r\nHost: localhost\r\n");
    assert!((400..500).contains(&status), "{status}");
}

#[test]
fn the_first_page_lists_every_path() {
    let (server, _) = serve(&Fake::default());
    let (status, _, body) = get(&server, "/");
    assert_eq!(status, 200);
    let paths: Vec<&str> = body
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(path, _)| path)
        .filter(|p| p.starts_with('/'))
        .collect();
    assert_eq!(paths.len(), 11);
    for path in paths {
        assert_ne!(get(&server, path).0, 404, "{path}");
    }
}

#[test]
fn foreign_hosts_and_origins_are_refused_everywhere() {
    let (server, _) = serve(&Fake::default());
    for path in ["/livez", "/metrics", "/api/v1/node", "/nothing"] {
        let (status, _, body) = request(&server, &format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\n"));
        assert_eq!(
            (status, &json(&body)["code"]),
            (403, &Code::HttpHostRefused.to_string().into()),
            "{path}"
        );
    }
    let with_origin = "GET /api/v1/node HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n";
    assert_eq!(request(&server, with_origin).0, 403);
    assert_eq!(request(&server, "GET /api/v1/node HTTP/1.1\r\nHost: node.local:80\r\n").0, 200);
}

#[test]
fn what_is_no_http_is_closed_and_the_next_one_is_served() {
    let (server, _) = serve(&Fake::default());
    for bytes in ["MESH\r\n\x1a\n", "\0\0\0\0\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
        let answer = exchange(&server, bytes);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(1 << 20));
    let mut stream = TcpStream::connect(server.address()).unwrap();
    // The server closes as soon as it has seen enough, so writing the rest may fail.
    stream.write_all(long.as_bytes()).ok();
    drop(stream);
    assert_eq!(get(&server, "/livez").0, 200);
}

#[test]
fn a_busy_port_is_named_with_what_to_do() {
    let bound = Bound::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let error = Bound::bind(bound.address()).unwrap_err();
    assert_eq!(error.code(), Code::HttpAddressInUse);
    assert!(error.is_retryable());
    assert!(error.to_string().contains(&bound.address().to_string()), "{error}");
    assert!(
        error.hint().contains("--http 127.0.0.1:0") && error.hint().contains("--http off"),
        "{}",
        error.hint()
    );
}

#[test]
fn an_address_of_another_machine_is_unusable() {
    // TEST-NET-1, which no machine has.
    let error = Bound::bind("192.0.2.1:7480".parse().unwrap()).unwrap_err();
    assert_eq!(error.code(), Code::HttpUnusable);
    assert!(!error.is_retryable());
}

#[test]
fn a_server_that_is_dropped_gives_its_port_back() {
    let (server, _) = serve(&Fake::default());
    let address = server.address();
    assert_eq!(get(&server, "/livez").0, 200);
    drop(server);
    assert!(TcpStream::connect(address).is_err());
    Bound::bind(address).unwrap();
}
