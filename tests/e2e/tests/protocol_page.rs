//! A client that was written from `docs/reference/protocol.md` alone works against a node.

use std::process::Command;

use mesh_e2e::{NodeBuilder, Process, RunningNode};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol_client.py");

/// Runs all checks of the script. Python writes without a buffer, so that a check that hangs can be seen.
fn assert_checks_pass(node: &RunningNode) {
    let finished = Process::start(Command::new("python3").args(["-u", SCRIPT]).arg(node.socket())).finish();
    let output = format!("{}{}", finished.stdout, finished.stderr);
    assert_eq!(finished.status, Some(0), "{output}");
    assert!(finished.stdout.contains(" passed, 0 failed"), "{output}");
    node.assert_serves();
}

#[test]
fn a_client_written_from_the_page_works() {
    assert_checks_pass(&RunningNode::start());
}

#[test]
fn a_client_written_from_the_page_works_across_threads() {
    assert_checks_pass(&NodeBuilder::default().arg("--threads").arg("2").start());
}
