//! What our crates depend on: each other, and others.

use std::sync::LazyLock;

use mesh_workspace_tests::metadata::Metadata;
use mesh_workspace_tests::{Findings, dependency, direction, layout, licence};

static WORKSPACE: LazyLock<Metadata> = LazyLock::new(Metadata::of_workspace);

fn nothing(findings: Findings) {
    assert!(findings.is_empty(), "\n  {}\n", findings.join("\n  "));
}

#[test]
fn crates_depend_on_each_other_in_the_agreed_directions() {
    nothing(direction::check(&WORKSPACE));
}

#[test]
fn crates_are_in_folders_of_their_name() {
    nothing(layout::folders(&WORKSPACE));
}

#[test]
fn every_licence_is_one_that_we_accept() {
    nothing(licence::check(&WORKSPACE));
}

#[test]
fn packages_come_from_the_registry() {
    nothing(dependency::sources(&WORKSPACE));
}

#[test]
fn nothing_banned_is_used() {
    nothing(dependency::banned(&WORKSPACE));
}

#[test]
fn there_is_one_tls_provider_at_most() {
    nothing(dependency::providers(&WORKSPACE));
}

#[test]
fn packages_are_there_once_but_for_those_we_know_of() {
    nothing(dependency::duplicates(&WORKSPACE));
}
