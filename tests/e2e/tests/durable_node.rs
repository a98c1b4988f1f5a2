//! One node that keeps records: what was acknowledged is there after a crash, and a bad data directory is refused.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::{fs, path::PathBuf, time::Duration};

use mesh_client::Register;
use mesh_e2e::{NodeBuilder, RunningNode, client_of, everything, register};
use tokio::time::timeout;

/// How long a record that nobody takes is waited for.
const LONG: Duration = Duration::from_secs(60);

fn start() -> RunningNode {
    NodeBuilder::default().with_http().with_registers().start()
}

/// Appends until the node is gone; gives what was acknowledged.
async fn append_until_lost(register: Register, round: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for n in 0.. {
        let text = format!("{round}-{n}");
        match timeout(Duration::from_secs(1), register.append([&text])).await {
            Ok(Ok(_)) => acknowledged.push(text),
            _ => break,
        }
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_each_crash() {
    let mut node = start();
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let register = register(&node, "kept").await;
        let appending = tokio::spawn(append_until_lost(register.clone(), round));
        // Some are there, and some are on their way.
        while register.read_local(1, 1).await.unwrap().head() < 20 * (round as u64 + 1) {
            tokio::task::yield_now().await;
        }
        node.kill();
        acknowledged.extend(appending.await.unwrap());
        node.start_again();
    }
    let found = everything(&register(&node, "kept").await).await;
    // The last one of a round may be there without its acknowledgement; nothing else may, and nothing twice.
    let unknown = found.iter().filter(|text| !acknowledged.contains(text)).count();
    assert!(unknown <= 3, "{unknown} that nobody acknowledged");
    let known: Vec<&String> = found.iter().filter(|text| acknowledged.contains(text)).collect();
    assert_eq!(known, acknowledged.iter().collect::<Vec<_>>());
    assert!(acknowledged.len() >= 50, "{}", acknowledged.len());
    let groups = node.api("groups")["groups"].as_array().unwrap().clone();
    assert_eq!(groups.len(), 17);
    assert_eq!(groups[0]["name"], "meta");
    assert_eq!(node.metric("mesh_group_replicas", &["leader"]), 17);
    assert!(node.metric("mesh_log_batches_total", &[]) > 0);
    assert_eq!(node.get("/readyz").0, 200);
}

#[tokio::test]
async fn records_larger_than_a_frame_are_kept_in_order_with_small_ones() {
    let mut node = start();
    let large = "x".repeat(900_000);
    {
        let register = register(&node, "large").await;
        for text in ["small", &large, "behind"] {
            timeout(LONG, register.append([text])).await.unwrap().unwrap();
        }
    }
    node.restart();
    let found = everything(&register(&node, "large").await).await;
    assert_eq!(found.iter().map(String::len).collect::<Vec<_>>(), [5, 900_000, 6]);
}

#[tokio::test]
async fn registers_are_switched_off_unless_asked_for() {
    let node = RunningNode::start();
    let refused = client_of(&node).await.register("kept").await.unwrap_err();
    assert_eq!(refused.code().to_string(), "MESH-7090");
    // What is not there is not made by looking for it.
    let node = start();
    let client = client_of(&node).await;
    register(&node, "another").await;
    let missing = client.existing_register("kept").await.unwrap_err();
    assert_eq!(missing.code().to_string(), "MESH-7091");
}

/// The file of the log that is written to.
fn log_file(node: &RunningNode) -> PathBuf {
    let mut files: Vec<PathBuf> =
        fs::read_dir(node.directory().join("log")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "wal"));
    files.sort();
    files.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_damaged_log_is_refused_by_name_and_left_as_it_is() {
    let mut node = start();
    {
        let register = register(&node, "kept").await;
        for n in 0..50 {
            register.append([format!("a record that is to be damaged {n}")]).await.unwrap();
        }
    }
    node.kill();
    let path = log_file(&node);
    let mut bytes = fs::read(&path).unwrap();
    let needle = b"a record that is to be damaged 7";
    let at = bytes.windows(needle.len()).position(|window| window == needle).unwrap();
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let refused = node.start_in_vain();
    assert_eq!(refused.status, Some(1), "{}", refused.stderr);
    for words in ["MESH-7011", "log repair --accept-loss"] {
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    assert_eq!(fs::read(&path).unwrap(), bytes, "nothing was changed");
    // Put back as it was, it is as it was.
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    node.start_again();
    assert_eq!(everything(&register(&node, "kept").await).await.len(), 50);
}

#[test]
fn a_directory_that_is_not_the_nodes_own_is_refused() {
    let mut node = start();
    node.kill();
    let data = node.directory().join("DATA");
    let text = fs::read_to_string(&data).unwrap();
    for (from, to, code) in [
        ("format: 1", "format: 2", "MESH-7001"),
        ("cluster-name: mesh", "cluster-name: other", "MESH-7006"),
        ("mesh data directory", "something else", "MESH-7006"),
    ] {
        assert!(text.contains(from), "{text}");
        fs::write(&data, text.replace(from, to)).unwrap();
        let refused = node.start_in_vain();
        assert!(refused.status == Some(1) && refused.stderr.contains(code), "{code}: {}", refused.stderr);
    }
    // Half copied: the file that says what it is was forgotten.
    fs::remove_file(&data).unwrap();
    let refused = node.start_in_vain();
    assert!(refused.stderr.contains("MESH-7005"), "{}", refused.stderr);
    fs::write(&data, &text).unwrap();
    node.start_again();
}
