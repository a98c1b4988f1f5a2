//! The repository's files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Folders that hold what is made from the sources.
const MADE: [&str; 4] = [".git", "target", "__pycache__", "corpus"];

/// A file of text.
#[derive(Debug, Clone)]
pub struct File {
    /// Its path from the top of the repository, with slashes.
    pub path: String,
    /// What stands in it.
    pub text: String,
    /// Whether it can be started.
    pub executable: bool,
}

impl File {
    /// A file that is not there, for tests.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), executable: false }
    }

    /// The last part of its path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it is Rust that only tests use: test crates, test files, examples.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.path.split('/').any(|part| matches!(part, "tests" | "tests.rs" | "benches" | "examples"))
    }

    /// Its text without the tests at its end.
    #[must_use]
    pub fn production(&self) -> &str {
        self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
    }
}

/// The top of the repository.
#[must_use]
pub fn root() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).map_or(own.clone(), PathBuf::from)
}

/// Every file of text, but for what was made from the sources, in the order of their paths.
///
/// # Panics
/// When a folder can't be read.
#[must_use]
pub fn files() -> Vec<File> {
    let mut found = Vec::new();
    walk(&root(), "", &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The files with this extension.
#[must_use]
pub fn files_with(extension: &str) -> Vec<File> {
    files().into_iter().filter(|file| file.name().ends_with(extension)).collect()
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository can be read").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let (path, full) = (format!("{prefix}{name}"), entry.path());
        let Ok(about) = fs::symlink_metadata(&full) else { continue };
        if about.is_dir() && !MADE.contains(&name.as_str()) {
            walk(&full, &format!("{path}/"), found);
        } else if about.is_file()
            && let Ok(text) = fs::read_to_string(&full)
        {
            found.push(File { path, text, executable: about.permissions().mode() & 0o111 != 0 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_finds_this_file_and_nothing_that_was_made() {
        let files = files_with(".rs");
        assert!(files.iter().any(|file| file.path == "tests/workspace/src/repository.rs"));
        assert!(files.iter().all(|file| !file.path.starts_with("target/")));
    }

    #[test]
    fn tests_are_told_apart() {
        for path in ["a/src/b/tests.rs", "tests/e2e/src/lib.rs", "a/tests/b.rs", "a/examples/b.rs"] {
            assert!(File::new(path, "").is_test(), "{path}");
        }
        assert!(!File::new("a/src/contests.rs", "").is_test());
        let file = File::new("a/src/b.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n}\n");
        assert_eq!(file.production(), "fn a() {}\n");
        let file = File::new("a/src/b.rs", "#[cfg(test)]\nmod tests;\nfn a() {}\n");
        assert_eq!(file.production(), file.text);
    }
}
