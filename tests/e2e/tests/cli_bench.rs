//! `mesh bench` against a real node: that it counts right. How fast anything is, is not asserted.

use mesh_e2e::{Process, RunningNode as Node};
use rustix::process::Signal;
use serde_json::Value;

fn ready(node: &Node, arguments: &[&str]) -> Process {
    let mut process = node.start_mesh(&[&["bench"], arguments, &["--json"]].concat());
    process.stdout_line("{\"ready\":true");
    process
}

fn report(text: &str) -> Value {
    let line = text.lines().next_back().expect("a report");
    serde_json::from_str(line).expect("a JSON object")
}

#[test]
fn publish_and_subscribe() {
    let node = Node::start();
    let subscriber =
        ready(&node, &["sub", "bench.a", "--count", "20000", "--size", "128", "--window", "65535"]);
    let publisher = node.mesh(&["bench", "pub", "bench.a", "--size", "128", "--count", "20000", "--json"]);
    assert_eq!(publisher.status, Some(0), "{}", publisher.stderr);
    let sent = report(&publisher.stdout);
    assert_eq!((&sent["kind"], &sent["count"], &sent["size"]), (&"pub".into(), &20_000.into(), &128.into()));
    assert!(sent["rate"].as_f64().unwrap() > 0.0 && sent["p50_us"].is_null());

    let finished = subscriber.finish();
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    let got = report(&finished.stdout);
    assert_eq!((&got["kind"], &got["count"], &got["size"]), (&"sub".into(), &20_000.into(), &128.into()));
    assert_eq!((&got["lost"], &got["dropped"]), (&0.into(), &0.into()));
}

#[test]
fn what_does_not_come_is_counted() {
    let node = Node::start();
    let subscriber = ready(&node, &["sub", "bench.a", "--count", "100", "--idle", "100ms"]);
    let publisher = node.mesh(&["bench", "pub", "bench.a", "--count", "90", "--csv"]);
    assert!(publisher.stdout.starts_with("kind,size,count,"), "{}", publisher.stdout);
    let finished = subscriber.finish();
    assert_eq!(finished.status, Some(1));
    let got = report(&finished.stdout);
    assert_eq!((&got["count"], &got["lost"]), (&90.into(), &10.into()));
    assert!(finished.stderr.contains("MESH-5056"), "{}", finished.stderr);
}

#[test]
fn requests_in_a_closed_loop() {
    let node = Node::start();
    let responder = ready(&node, &["reply", "bench.echo", "--count", "6000"]);
    for (window, clients) in [("1", "1"), ("64", "1"), ("8", "3")] {
        let arguments = ["bench", "request", "bench.echo", "--count", "2000", "--json"];
        let load = ["--window", window, "--clients", clients];
        let finished = node.mesh(&[&arguments[..], &load].concat());
        assert_eq!(finished.status, Some(0), "{}", finished.stderr);
        let figures = report(&finished.stdout);
        assert_eq!((&figures["count"], &figures["errors"]), (&2_000.into(), &0.into()));
        let [p50, p99, p999, max] =
            ["p50_us", "p99_us", "p999_us", "max_us"].map(|name| figures[name].as_f64().unwrap());
        assert!(0.0 < p50 && p50 <= p99 && p99 <= p999 && p999 <= max, "{figures}");
    }
    let finished = responder.finish();
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    assert_eq!(report(&finished.stdout)["count"], 6_000);
}

#[test]
fn requests_at_a_rate() {
    let node = Node::start();
    let responder = ready(&node, &["reply", "bench.echo"]);
    let finished = node.mesh(&[
        "bench",
        "request",
        "bench.echo",
        "--count",
        "300",
        "--rate",
        "1k/s",
        "--clients",
        "2",
        "--json",
    ]);
    let figures = report(&finished.stdout);
    assert_eq!((&figures["count"], &figures["errors"]), (&300.into(), &0.into()));
    // The last of 150 on each connection is due 0.3 s after the first: sooner would not be the rate.
    assert!(figures["seconds"].as_f64().unwrap() > 0.29, "{figures}");
    responder.signal(Signal::INT);
    let finished = responder.finish();
    assert_eq!(finished.status, Some(130));
    assert_eq!(report(&finished.stdout)["count"], 300);
}

#[test]
fn a_measurement_of_nothing_is_an_error() {
    let node = Node::start();
    for load in [["--window", "4"], ["--rate", "100"]] {
        let finished = node.mesh(&[&["bench", "request", "nobody.here"], &load[..]].concat());
        assert_eq!((finished.status, finished.stdout.as_str()), (Some(3), ""), "{}", finished.stderr);
    }
}

#[test]
fn a_measurement_that_is_interrupted_tells_what_it_has() {
    let node = Node::start();
    let subscriber = ready(&node, &["sub", "bench.a", "--count", "100"]);
    assert_eq!(node.mesh(&["bench", "pub", "bench.a", "--count", "7"]).status, Some(0));
    let mut sentinel = node.start_mesh(&["sub", "bench.b", "--count", "1"]);
    sentinel.stderr_line("subscribed");
    subscriber.signal(Signal::INT);
    let finished = subscriber.finish();
    assert_eq!(finished.status, Some(130));
    assert_eq!(report(&finished.stdout)["kind"], "sub");
}

#[test]
fn connections_are_held_until_the_input_ends() {
    let node = Node::start();
    let mut holder = node.start_mesh(&["bench", "connections", "--count", "50"]);
    assert_eq!(holder.stdout_line("ready"), "{\"ready\":true,\"count\":50}");
    let info: Value = serde_json::from_str(&node.mesh(&["node", "info", "--json"]).stdout).unwrap();
    assert_eq!((&info["links"], &info["subscriptions"]), (&51.into(), &50.into()));
    holder.end_input();
    assert_eq!(holder.finish().status, Some(0));
}

#[test]
fn subscriptions_are_held_until_the_input_ends() {
    let node = Node::start();
    let mut holder = node.start_mesh(&["bench", "subscriptions", "--count", "2k"]);
    holder.stdout_line("\"count\":2000");
    let info: Value = serde_json::from_str(&node.mesh(&["node", "info", "--json"]).stdout).unwrap();
    assert_eq!((&info["links"], &info["subscriptions"]), (&2.into(), &2_000.into()));
    holder.end_input();
    assert_eq!(holder.finish().status, Some(0));
}
