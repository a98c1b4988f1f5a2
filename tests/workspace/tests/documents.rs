//! The documents: complete, and their links lead somewhere.

use mesh_wire::code::Code;
use mesh_workspace_tests::{Findings, decision, document, error_page, repository};

fn nothing(findings: Findings) {
    assert!(findings.is_empty(), "\n  {}\n", findings.join("\n  "));
}

#[test]
fn links_between_documents_lead_somewhere() {
    nothing(document::links(&repository::files()));
}

#[test]
fn the_readme_is_short() {
    let readme = repository::files().into_iter().find(|file| file.path == "README.md").unwrap();
    nothing(document::readme(&readme.text));
}

#[test]
fn every_error_code_has_a_page() {
    nothing(error_page::check(&Code::all().collect::<Vec<_>>(), &repository::files()));
}

#[test]
fn every_decision_is_in_the_index() {
    let files = repository::files();
    if std::env::var_os("MESH_UPDATE_DOCS").is_some() {
        let path = repository::root().join("docs/adr/README.md");
        return std::fs::write(path, decision::index(&files).unwrap()).unwrap();
    }
    nothing(decision::check(&files));
}
