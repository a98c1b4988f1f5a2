//! `mesh register` and `mesh group` against a real node.

use mesh_e2e::{Finished, NodeBuilder, RunningNode as Node};
use serde_json::{Value, json};

fn node() -> Node {
    NodeBuilder::default().env("MESH_NODE_STORAGE__REGISTERS", "on").arg("--node").arg("n1").start()
}

fn done(finished: &Finished) -> &str {
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    &finished.stdout
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("one JSON value")
}

#[test]
fn records_are_appended_and_read() {
    let mut node = node();
    let created = node.mesh(&["register", "create", "audit"]);
    assert_eq!(done(&created), "");
    assert!(created.stderr.starts_with("created audit (group "), "{}", created.stderr);
    let again = parsed(done(&node.mesh(&["register", "create", "audit", "--json"])));
    assert_eq!((&again["register"], &again["created"]), (&json!("audit"), &json!(false)));

    let appended = node.mesh(&["register", "append", "audit", "order 7"]);
    assert_eq!(done(&appended), "");
    assert_eq!(appended.stderr, "appended 1 record to audit, the first is number 1\n");
    let mut lines = node.start_mesh(&["register", "append", "audit", "--lines", "--json"]);
    let text: String = (2..=2_000).map(|n| format!("order {n}\n")).collect();
    lines.write(text.as_bytes());
    let told = parsed(done(&lines.finish()));
    let want = json!({ "register": "audit", "appended": 1999, "first": 2, "last": 2000, "duplicates": 0 });
    assert_eq!(told, want);

    let read = node.mesh(&["register", "read", "audit", "--count", "2"]);
    assert_eq!(done(&read), "order 7\norder 2\n");
    let read = node.mesh(&["register", "read", "audit", "--from", "2000", "--json"]);
    assert_eq!(parsed(done(&read)), json!({ "sequence": 2000, "body": "order 2000" }));
    assert_eq!(done(&node.mesh(&["register", "read", "audit", "--local"])).lines().count(), 2_000);

    // All of it is on disk.
    node.restart();
    let read = node.mesh(&["register", "read", "audit", "--from", "1999"]);
    assert_eq!(done(&read), "order 1999\norder 2000\n");
    let read = node.mesh(&["register", "read", "nothing"]);
    assert_eq!(read.status, Some(1));
    assert!(read.stderr.starts_with("error[MESH-7091]: there is no register \"nothing\""), "{}", read.stderr);
}

#[test]
fn groups_are_listed() {
    let node = node();
    done(&node.mesh(&["register", "create", "audit"]));
    let groups = parsed(done(&node.mesh(&["group", "ls", "--json"])));
    let groups = groups.as_array().unwrap();
    let meta = groups.iter().find(|group| group["group"] == 0).expect("the meta group");
    assert_eq!(meta["leader"], "n1");
    for field in ["term", "replicas", "lag"] {
        assert!(!meta[field].is_null(), "{field} of {meta}");
    }
    assert!(meta["term"].as_u64().unwrap() > 0 && meta["replicas"].as_array().unwrap().len() == 1);
    let listed = node.mesh(&["group", "ls"]);
    let listed = done(&listed);
    assert!(listed.starts_with("GROUP") && listed.lines().count() == groups.len() + 1, "{listed}");
    assert!(listed.lines().nth(1).unwrap().contains("n1"), "{listed}");
}

#[test]
fn a_node_without_registers_says_so() {
    let node = Node::start();
    let created = node.mesh(&["register", "create", "audit"]);
    assert_ne!(created.status, Some(0));
    assert!(created.stderr.starts_with("error[MESH-7090]: "), "{}", created.stderr);
    assert!(created.stderr.contains("storage.registers"), "{}", created.stderr);
}
