//! Where things are: the top of the repository, and crates in folders of their name.

use crate::Findings;
use crate::metadata::Metadata;

/// All that may stand at the top.
const TOP: [&str; 16] = [
    ".ci",
    ".gitattributes",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "clippy.toml",
    "deploy",
    "docs",
    "mesh-client",
    "mesh-node",
    "rustfmt.toml",
    "services",
    "tests",
];
/// Made by tools, not kept.
const MADE: [&str; 2] = [".git", "target"];
/// What a newcomer looks for first.
const NEEDED: [&str; 8] = [
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "deploy/run",
    "docs/README.md",
    "docs/architecture.md",
    ".ci/run",
    "tests/run",
];

/// Crates whose folder is not called as they are.
const OTHER_FOLDERS: [(&str, &str); 4] = [
    ("race-bench", "mesh-race"),
    ("simulation", "mesh-sim"),
    ("trials", "mesh-nemesis"),
    ("workspace", "mesh-workspace-tests"),
];

/// Names at the top that do not belong there.
#[must_use]
pub fn top<'a>(names: impl IntoIterator<Item = &'a str>) -> Findings {
    let strange = names.into_iter().filter(|name| !TOP.contains(name) && !MADE.contains(name));
    strange.map(|name| format!("{name} does not belong at the top of the repository")).collect()
}

/// Files that have to be there and are not.
pub fn needed(is_there: impl Fn(&str) -> bool) -> Findings {
    NEEDED.iter().filter(|path| !is_there(path)).map(|path| format!("{path} is missing")).collect()
}

/// Crates in folders of another name: `mesh-wire` is in `mesh-wire`, `mesh-shop` in `mesh-shop` or `shop`.
#[must_use]
pub fn folders(metadata: &Metadata) -> Findings {
    let mut findings = Findings::new();
    for package in metadata.ours() {
        let folder = package.manifest_path.rsplit('/').nth(1).unwrap_or_default();
        let plain = folder == package.name && folder.starts_with("mesh-");
        let short = package.name.strip_prefix("mesh-") == Some(folder);
        let known = OTHER_FOLDERS.contains(&(folder, package.name.as_str()));
        if !(plain || short || known) {
            findings.push(format!("the crate {} is in a folder called {folder}", package.name));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::sample::{metadata, package};

    #[test]
    fn strangers_at_the_top_are_found() {
        assert!(top(["docs", "target", "Cargo.toml"]).is_empty());
        assert_eq!(top(["docs", "notes.txt"]), ["notes.txt does not belong at the top of the repository"]);
    }

    #[test]
    fn what_is_missing_is_found() {
        assert!(needed(|_| true).is_empty());
        assert_eq!(needed(|path| path != "LICENSE"), ["LICENSE is missing"]);
    }

    #[test]
    fn a_crate_in_a_folder_of_another_name_is_found() {
        let at = |name: &str, folder: &str| {
            let mut package = package(name, None, &[]);
            package["manifest_path"] = format!("/r/{folder}/Cargo.toml").into();
            folders(&metadata(&[package], 1))
        };
        for (name, folder) in
            [("mesh-wire", "a/mesh-wire"), ("mesh-shop", "services/shop"), ("mesh-race", "race-bench")]
        {
            assert!(at(name, folder).is_empty(), "{name}");
        }
        for (name, folder) in [("mesh-wire", "wire2"), ("shop", "shop"), ("mesh-shop", "race-bench")] {
            assert_eq!(at(name, folder).len(), 1, "{name}");
        }
    }
}
