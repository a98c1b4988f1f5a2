//! `mesh node`, `service`, `check`, `demo` against a real node.

use mesh_e2e::{NodeBuilder, RunningNode as Node};
use rustix::process::Signal;
use serde_json::{Value, json};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("one JSON value")
}

#[test]
fn the_node_for_people_and_for_programs() {
    let node = NodeBuilder::default().arg("--node").arg("n1").arg("--cluster").arg("c1").start();
    let finished = node.mesh(&["node", "info"]);
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    let line = |name: &str| {
        let line = finished.stdout.lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("no {name} in {}", finished.stdout))
            .split_whitespace()
            .next_back()
            .unwrap()
    };
    assert_eq!((line("name"), line("cluster"), line("state"), line("links")), ("n1", "c1", "ready", "1"));
    let info = parsed(&node.mesh(&["node", "info", "--json"]).stdout);
    assert_eq!((&info["name"], &info["links"]), (&json!("n1"), &json!(1)));
    let listed = node.mesh(&["node", "ls"]).stdout;
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(listed.contains("n1") && listed.contains("ready"), "{listed}");
    assert_eq!(parsed(&node.mesh(&["node", "ls", "--json"]).stdout).as_array().unwrap().len(), 1);
}

#[test]
fn a_node_is_drained() {
    let node = Node::start();
    let finished = node.mesh(&["node", "drain"]);
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    assert!(finished.stderr.contains("the node has stopped"), "{}", finished.stderr);
    assert_eq!(node.finish().status, Some(0));
}

#[test]
fn services() {
    let node = Node::start();
    let nothing = node.mesh(&["service", "ls"]);
    assert_eq!((nothing.status, nothing.stdout.as_str()), (Some(0), ""));

    let start = || {
        let mut responder =
            node.start_mesh(&["reply", "orders.get", "--echo", "--service", "orders", "--group", "orders"]);
        responder.stderr_line("answering on");
        responder
    };
    let (_one, two) = (start(), start());
    for _ in 0..10 {
        assert_eq!(node.mesh(&["request", "orders.get", "x"]).status, Some(0));
    }
    let listed = node.mesh(&["service", "ls"]).stdout;
    let line: Vec<&str> = listed.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(
        (line[0], line[2], line[3], line[4], line[5]),
        ("orders", "2", "10", "0", "orders.get"),
        "{listed}"
    );

    let info = parsed(&node.mesh(&["service", "info", "orders", "--json"]).stdout);
    assert_eq!(info["instances"].as_array().unwrap().len(), 2);
    let info = node.mesh(&["service", "info", "orders"]).stdout;
    assert_eq!(info.lines().filter(|line| line.starts_with("orders.get")).count(), 2, "{info}");
    let stats = node.mesh(&["service", "stats"]).stdout;
    assert_eq!(stats.lines().count(), 3, "{stats}");
    assert!(stats.contains("µs"), "{stats}");

    let pinged = node.mesh(&["service", "ping", "orders", "--json"]);
    assert_eq!(pinged.status, Some(0), "{}", pinged.stderr);
    let pongs = parsed(&pinged.stdout);
    assert_eq!(pongs.as_array().unwrap().len(), 1, "one member of the group: {pongs}");
    assert!(pongs[0]["us"].as_f64().unwrap() > 0.0);
    // A ping is no request of the service's.
    let requests = |services: Value| -> u64 {
        let instances = services[0]["instances"].as_array().unwrap().clone();
        instances.iter().map(|instance| instance["endpoints"][0]["requests"].as_u64().unwrap()).sum()
    };
    let told = requests(parsed(&node.mesh(&["service", "stats", "orders", "--json"]).stdout));
    assert!((10..=11).contains(&told), "{told}");

    two.signal(Signal::TERM);
    assert_eq!(two.finish().status, Some(143));
    let info = parsed(&node.mesh(&["service", "info", "orders", "--json"]).stdout);
    assert_eq!(info["instances"].as_array().unwrap().len(), 1);
    let unknown = node.mesh(&["service", "info", "mail"]);
    assert_eq!(unknown.status, Some(3), "{}", unknown.stderr);
}

#[test]
fn a_check_of_a_node_that_is_well() {
    let node = Node::start();
    let finished = node.mesh(&["check"]);
    assert_eq!(finished.status, Some(0), "{}{}", finished.stdout, finished.stderr);
    assert!(!finished.stdout.contains('×'), "{}", finished.stdout);
    let groups = parsed(&node.mesh(&["check", "--json"]).stdout);
    let names: Vec<&str> =
        groups["groups"].as_array().unwrap().iter().map(|g| g["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["address", "permissions", "connection", "node", "messages", "limits"]);
    // Nothing of it stays behind.
    assert_eq!(parsed(&node.mesh(&["service", "ls", "--json"]).stdout), json!([]));
}

#[test]
fn a_check_of_a_node_that_is_not_there() {
    let node = Node::start();
    node.signal(Signal::KILL);
    // The socket file is still there when nobody listens any more.
    let finished = loop {
        let finished = node.mesh(&["check"]);
        if finished.status != Some(0) {
            break finished;
        }
    };
    assert_eq!(finished.status, Some(1));
    assert!(finished.stdout.contains("  × "), "{}", finished.stdout);
    assert!(finished.stdout.contains("docs/reference/errors/MESH-5002.md"), "{}", finished.stdout);
    assert!(finished.stderr.starts_with("error[MESH-5054]: 1 of "), "{}", finished.stderr);
}

#[test]
fn the_demonstration() {
    let node = Node::start();
    let finished = node.mesh(&["demo"]);
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    for shown in ["Publish and subscribe", "HELLO, after", "MESH-1042", "mesh reply text.upper"] {
        assert!(finished.stdout.contains(shown), "{shown}: {}", finished.stdout);
    }
    let steps: Vec<Value> = node.mesh(&["demo", "--json"]).stdout.lines().map(parsed).collect();
    assert_eq!(steps.len(), 6);
    let happened = steps[5]["happened"].as_array().unwrap();
    assert_eq!(happened.len(), 3, "{happened:?}");
    assert_eq!(parsed(&node.mesh(&["service", "ls", "--json"]).stdout), json!([]));
}
