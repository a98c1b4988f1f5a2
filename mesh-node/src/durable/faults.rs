//! What fails on purpose, in builds for tests: by `MESH_FAULTS`.
//!
//! A list of `key=value` with commas between: `bug=NAME` (again for more), and what the disk does.

use std::sync::Arc;

use mesh_log::{
    bug::{Bug, Bugs},
    vfs::{Vfs, real::Real},
};

use super::Error;

/// The environment variable.
const VARIABLE: &str = "MESH_FAULTS";

/// The disk, and which bugs are back.
pub(super) fn disk() -> Result<(Arc<dyn Vfs>, Bugs), Error> {
    let text = std::env::var(VARIABLE).unwrap_or_default();
    let bugs = bugs(&text)?;
    Ok((Arc::new(Real), bugs))
}

fn bugs(text: &str) -> Result<Bugs, Error> {
    let mut bugs = Bugs::default();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        if let Some(name) = part.strip_prefix("bug=") {
            let bug = Bug::ALL.into_iter().find(|bug| bug.as_str() == name);
            bugs = bugs.with(bug.ok_or_else(|| Error::Faults(format!("there is no bug `{name}`")))?);
        }
    }
    Ok(bugs)
}
