//! The protocol's page shows what the encoder writes.

use std::fs;

use mesh_workspace_tests::{protocol, repository};

#[test]
fn the_examples_of_the_page_are_what_the_encoder_writes() {
    let path = repository::root().join("docs/reference/protocol.md");
    let page = fs::read_to_string(&path).unwrap();
    let wanted = protocol::fill(&page, &protocol::examples()).unwrap();
    if std::env::var_os("MESH_UPDATE_DOCS").is_some() {
        fs::write(&path, wanted).unwrap();
    } else {
        assert!(
            page == wanted,
            "docs/reference/protocol.md is not up to date: MESH_UPDATE_DOCS=1 cargo test -p mesh-workspace-tests"
        );
    }
}

#[test]
fn the_limits_of_the_page_are_those_of_the_code() {
    let page = fs::read_to_string(repository::root().join("docs/reference/protocol.md")).unwrap();
    let findings = protocol::limits::check(&page);
    assert!(findings.is_empty(), "\n  {}\n", findings.join("\n  "));
}
