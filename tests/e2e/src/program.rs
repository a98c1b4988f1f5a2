//! The programs of this workspace, built when a test first needs one.

use std::collections::HashSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

static BUILT: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);

/// The path of a program: `mesh` of package `mesh-cli`, for instance. Built in the profile of the tests.
///
/// Cargo tells a test only of the programs of its own package, so that those of others are built here, unless `MESH_BIN`
/// says where they are: `tests/run` has built everything at once.
///
/// # Panics
/// When it can't be built.
#[must_use]
pub fn program(package: &'static str, name: &str) -> PathBuf {
    if let Some(built) = env::var_os("MESH_BIN") {
        return PathBuf::from(built).join(name);
    }
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = profile_dir();
    if built.get_or_insert_default().insert(package) {
        build(package, &dir);
    }
    dir.join(name)
}

/// `target/debug`, or whatever the tests were built in: they are in its `deps`.
fn profile_dir() -> PathBuf {
    let own = env::current_exe().expect("a test knows where it is");
    own.ancestors().nth(2).expect("a test is in target/PROFILE/deps").to_owned()
}

fn build(package: &str, dir: &Path) {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", package, "--bins"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if let Some(target) = dir.parent() {
        cargo.env("CARGO_TARGET_DIR", target);
    }
    // The directory of the profile `dev` has another name.
    match dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => {}
        Some(profile) => {
            cargo.args(["--profile", profile]);
        }
    }
    let status = cargo.status().expect("cargo starts");
    assert!(status.success(), "{package} can't be built");
}
