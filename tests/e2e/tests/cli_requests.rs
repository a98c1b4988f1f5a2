//! `mesh request` and `mesh reply` through a real node.

use mesh_e2e::{Process, RunningNode as Node};
use rustix::process::Signal;
use serde_json::{Value, json};

/// A responder that the node has confirmed.
fn answering(node: &Node, arguments: &[&str]) -> Process {
    let mut process = node.start_mesh(&[&["reply"], arguments].concat());
    process.stderr_line("answering on");
    process
}

#[test]
fn an_echo() {
    let node = Node::start();
    let responder = answering(&node, &["echo.it", "--echo", "--count", "3"]);
    let finished = node.mesh(&["request", "echo.it", "text", "--timeout", "2s"]);
    assert_eq!(
        (finished.status, finished.stdout.as_str(), finished.stderr.as_str()),
        (Some(0), "text\n", "")
    );
    let finished = node.mesh(&["request", "echo.it", "text", "--raw"]);
    assert_eq!(finished.stdout, "text");
    let finished = node.mesh(&["request", "echo.it", "text", "-H", "tenant:a", "--json"]);
    let reply: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!((&reply["body"], &reply["headers"]["tenant"]), (&json!("text"), &json!("a")));

    // It had three requests: it is gone, and whoever has the third answer can rely on that.
    let finished = node.mesh(&["request", "echo.it", "text"]);
    assert_eq!(finished.status, Some(3), "{}", finished.stdout);
    let ended = responder.finish();
    assert_eq!(ended.status, Some(0));
    assert!(ended.stderr.ends_with("answered 3 requests\n"), "{}", ended.stderr);
}

#[test]
fn nobody_there_is_told_at_once() {
    let node = Node::start();
    // With an hour of patience: if it were not told at once, the test would run out of its own.
    let finished = node.mesh(&["request", "orders.get", "7", "--timeout", "1h"]);
    assert_eq!((finished.status, finished.stdout.as_str()), (Some(3), ""));
    let lines: Vec<&str> = finished.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{}", finished.stderr);
    assert_eq!(lines[0], "error[MESH-1042]: no responders for \"orders.get\"");
    assert!(lines[1].starts_with("cause: ") && lines[2].starts_with("hint: "), "{}", finished.stderr);

    let finished = node.mesh(&["request", "orders.get", "--json"]);
    let error: Value = serde_json::from_str(&finished.stderr).unwrap();
    assert_eq!((&error["error"]["code"], &error["error"]["exit"]), (&json!("MESH-1042"), &json!(3)));
    let finished = node.mesh(&["request", "orders.get", "--many"]);
    assert_eq!(finished.status, Some(3), "{}", finished.stderr);
}

#[test]
fn an_answer_that_does_not_come_in_time() {
    let node = Node::start();
    // Reads until its input ends, which it does not while the responder holds it open.
    let mut slow = answering(&node, &["slow", "--command", "exec sleep 600"]);
    let finished = node.mesh(&["request", "slow", "--timeout", "200ms"]);
    assert_eq!(finished.status, Some(4), "{}", finished.stderr);
    assert!(finished.stderr.starts_with("error[MESH-3001]: "), "{}", finished.stderr);
    slow.signal(Signal::INT);
    slow.stderr_line("answered");
}

#[test]
fn commands_answer() {
    let node = Node::start();
    let _upper = answering(&node, &["text.upper", "--command", "tr a-z A-Z", "-H", "by:tr"]);
    let finished = node.mesh(&["request", "text.upper", "hello", "--json"]);
    let reply: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!((&reply["body"], &reply["headers"]["by"]), (&json!("HELLO"), &json!("tr")));

    let _named = answering(&node, &["named.*", "--command", "printf %s \"$MESH_SUBJECT\""]);
    assert_eq!(node.mesh(&["request", "named.seven"]).stdout, "named.seven\n");

    let _failing = answering(&node, &["failing", "--command", "exit 9"]);
    let finished = node.mesh(&["request", "failing"]);
    assert_eq!(finished.status, Some(7), "{}", finished.stderr);
    assert!(finished.stderr.contains("status 9"), "{}", finished.stderr);
}

#[test]
fn binary_bodies_come_unchanged() {
    let node = Node::start();
    let _responder = answering(&node, &["first.bytes", "--command", "head -c 3"]);
    let mut asking = node.start_mesh(&["request", "first.bytes", "-", "--json"]);
    asking.write(b"\xff\x00\xfe\x01");
    let reply: Value = serde_json::from_str(&asking.finish().stdout).unwrap();
    assert_eq!(reply["body_base64"], "/wD+");
}

#[test]
fn everybody_answers() {
    let node = Node::start();
    let _responders = ["one", "two", "three"].map(|body| answering(&node, &["status", body]));
    let finished = node.mesh(&["request", "status", "--many"]);
    let mut answers: Vec<&str> = finished.stdout.lines().collect();
    answers.sort_unstable();
    assert_eq!((finished.status, answers), (Some(0), vec!["one", "three", "two"]));
    let finished = node.mesh(&["request", "status", "--many", "--max", "2", "--json"]);
    assert_eq!(finished.stdout.lines().count(), 2);

    // Members of a group count as one.
    let _group = [(); 2].map(|()| answering(&node, &["grouped", "g", "--group", "g"]));
    let finished = node.mesh(&["request", "grouped", "--many"]);
    assert_eq!(finished.stdout, "g\n");
}

#[test]
fn a_responder_for_programs() {
    let node = Node::start();
    let mut responder = node.start_mesh(&["reply", "a", "yes", "--count", "1", "--json"]);
    let ready: Value = serde_json::from_str(&responder.stdout_line("ready")).unwrap();
    assert_eq!(ready, json!({"ready": true, "subject": "a"}));
    assert_eq!(node.mesh(&["request", "a"]).stdout, "yes\n");
    let finished = responder.finish();
    assert_eq!((finished.status, finished.stderr.as_str()), (Some(0), ""));
    assert!(finished.stdout.ends_with("{\"answered\":1}\n"), "{}", finished.stdout);
}

#[test]
fn the_node_can_be_asked() {
    let node = Node::start();
    let finished = node.mesh(&["request", "$mesh.node.info"]);
    let info: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(info["state"], "ready");
    let finished = node.mesh(&["request", "$mesh.no.such.thing"]);
    assert_ne!(finished.status, Some(0));
    assert!(finished.stderr.starts_with("error[MESH-3030]: "), "{}", finished.stderr);
}
