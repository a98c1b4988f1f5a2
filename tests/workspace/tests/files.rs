//! The repository's files: where they are, what they are called, how long they are, what they must not say.

use std::fs;

use mesh_workspace_tests::{Findings, layout, lint, purity, repository, script, source};

fn nothing(findings: Findings) {
    assert!(findings.is_empty(), "\n  {}\n", findings.join("\n  "));
}

#[test]
fn the_top_of_the_repository_is_as_agreed() {
    let entries = fs::read_dir(repository::root()).unwrap();
    let names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    nothing(layout::top(names.iter().map(String::as_str)));
    nothing(layout::needed(|path| repository::root().join(path).exists()));
}

#[test]
fn no_file_is_too_long() {
    nothing(source::lengths(&repository::files_with(".rs")));
}

#[test]
fn modules_have_names_that_say_what_is_in_them() {
    nothing(source::names(&repository::files_with(".rs")));
}

#[test]
fn pure_crates_are_pure() {
    nothing(purity::check(&repository::files_with(".rs")));
}

#[test]
fn lints_are_on_everywhere() {
    let manifests = repository::files_with("Cargo.toml");
    let (root, crates): (Vec<_>, Vec<_>) = manifests.into_iter().partition(|file| file.path == "Cargo.toml");
    nothing(lint::required(&root[0].text));
    // The crate for libFuzzer is a workspace of its own: it needs a nightly compiler.
    let crates: Vec<_> = crates.into_iter().filter(|file| !file.path.contains("/libfuzzer/")).collect();
    nothing(lint::inherited(&crates));
    let sources = repository::files_with(".rs");
    let sources: Vec<_> =
        sources.into_iter().filter(|file| !file.path.starts_with("tests/workspace/")).collect();
    nothing(lint::switched_off(&sources));
}

#[test]
fn scripts_can_be_started_and_are_well_formed() {
    let files = repository::files();
    nothing(script::modes(&files));
    nothing(script::syntax(&repository::root(), &files));
}
