//! Every target over its seeds, its regressions and a bounded number of seeded mutations.
//!
//! `MESH_FUZZ_INPUTS`, `MESH_FUZZ_SECONDS` and `MESH_FUZZ_SEED` make it run longer or elsewhere; `tests/fuzz` sets them.

use std::path::Path;
use std::time::Duration;

use mesh_fuzzing::drive::{self, Until};
use mesh_fuzzing::{TARGETS, Target};

const INPUTS: usize = 20_000;
const SEED: u64 = 1;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

#[expect(clippy::print_stdout, reason = "how much was tried is what a long run is asked for")]
fn run(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target of this name");
    let until = match (setting("MESH_FUZZ_SECONDS"), setting("MESH_FUZZ_INPUTS")) {
        (Some(seconds), _) => Until::Time(Duration::from_secs(seconds)),
        (None, inputs) => Until::Inputs(inputs.map_or(INPUTS, |inputs| inputs as usize)),
    };
    let seed = setting("MESH_FUZZ_SEED").unwrap_or(SEED);
    if let Err(finding) = drive::files(target, &regressions(target)) {
        panic!("{finding}");
    }
    match drive::mutations(target, seed, until) {
        Ok(inputs) => println!("{name}: {inputs} inputs"),
        Err(finding) => panic!("{finding}"),
    }
}

fn regressions(target: &Target) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions").join(target.name)
}

#[test]
fn batches() {
    run("batches");
}

#[test]
fn body_error() {
    run("body_error");
}

#[test]
fn body_hello() {
    run("body_hello");
}

#[test]
fn body_peer_hello() {
    run("body_peer_hello");
}

#[test]
fn body_subscribe() {
    run("body_subscribe");
}

#[test]
fn body_welcome() {
    run("body_welcome");
}

#[test]
fn chunks() {
    run("chunks");
}

#[test]
fn door() {
    run("door");
}

#[test]
fn ext() {
    run("ext");
}

#[test]
fn frames() {
    run("frames");
}

#[test]
fn headers() {
    run("headers");
}

#[test]
fn hello() {
    run("hello");
}

#[test]
fn logs() {
    run("logs");
}

#[test]
fn names() {
    run("names");
}

#[test]
fn peers() {
    run("peers");
}

#[test]
fn records() {
    run("records");
}

#[test]
fn segments() {
    run("segments");
}

#[test]
fn subjects() {
    run("subjects");
}

#[test]
fn every_target_is_run_here_and_under_libfuzzer() {
    let here = include_str!("smoke.rs");
    let manifest = include_str!("../libfuzzer/Cargo.toml");
    for target in TARGETS {
        assert!(here.contains(&format!("run(\"{}\")", target.name)), "{} has no test", target.name);
        assert!(manifest.contains(&format!("name = \"{}\"\n", target.name)), "{} has no binary", target.name);
    }
}
