//! The repository's files.

use std::path::PathBuf;

/// The top of the repository.
#[must_use]
pub fn root() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).map_or(own.clone(), PathBuf::from)
}
