//! What cargo says about the workspace and what it depends on.

use std::collections::{HashMap, HashSet};
use std::process::Command;

use serde::Deserialize;

use crate::repository;

/// The output of `cargo metadata`.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    /// Every package, ours and others'.
    pub packages: Vec<Package>,
    /// The ids of ours.
    pub workspace_members: Vec<String>,
    resolve: Resolve,
}

/// A package.
#[derive(Debug, Clone, Deserialize)]
pub struct Package {
    /// Unique.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// An SPDX expression.
    pub license: Option<String>,
    /// Where it comes from; nothing for a path.
    pub source: Option<String>,
    /// Its `Cargo.toml`.
    pub manifest_path: String,
    /// What it asks for.
    pub dependencies: Vec<Dependency>,
    /// Its features, with what they switch on.
    pub features: HashMap<String, Vec<String>>,
}

/// What a package asks for.
#[derive(Debug, Clone, Deserialize)]
pub struct Dependency {
    /// The package.
    pub name: String,
    /// `dev`, `build`, or nothing for an ordinary one.
    pub kind: Option<String>,
    /// Whether a feature switches it on.
    pub optional: bool,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Debug, Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

impl Metadata {
    /// Of this workspace, with every feature, for the machine that the tests run on.
    ///
    /// # Panics
    /// When cargo does not answer.
    #[must_use]
    pub fn of_workspace() -> Self {
        let host = output("rustc", &["-vV"]);
        let host = host.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let arguments =
            ["metadata", "--format-version=1", "--all-features", "--locked", "--filter-platform", host];
        Self::parse(&output(&cargo, &arguments))
    }

    /// From JSON.
    ///
    /// # Panics
    /// When it is not what cargo writes.
    #[must_use]
    pub fn parse(json: &str) -> Self {
        serde_json::from_str(json).expect("cargo's metadata are in its format")
    }

    /// Our packages.
    pub fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// Everybody else's.
    pub fn others(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| !self.workspace_members.contains(&package.id))
    }

    /// The names of all packages that end up in what is built of `name`.
    #[must_use]
    pub fn reached_from(&self, name: &str) -> HashSet<&str> {
        let nodes: HashMap<&str, &Node> =
            self.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let names: HashMap<&str, &str> =
            self.packages.iter().map(|p| (p.id.as_str(), p.name.as_str())).collect();
        let mut open: Vec<&str> =
            self.packages.iter().filter(|p| p.name == name).map(|p| p.id.as_str()).collect();
        let mut seen: HashSet<&str> = open.iter().copied().collect();
        while let Some(id) = open.pop() {
            let edges = nodes.get(id).map_or(&[][..], |node| &node.deps);
            for edge in edges.iter().filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none())) {
                if seen.insert(&edge.pkg) {
                    open.push(&edge.pkg);
                }
            }
        }
        seen.into_iter().filter_map(|id| names.get(id).copied()).collect()
    }
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(repository::root()).output();
    let output = output.unwrap_or_else(|error| panic!("{program} does not start: {error}"));
    assert!(output.status.success(), "{program} failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo and rustc write UTF-8")
}

/// Small metadata for tests of what judges it.
#[cfg(test)]
pub(crate) mod sample {
    use serde_json::{Value, json};

    use super::Metadata;

    /// A package: name, version, licence, what it asks for as (name, kind, optional).
    pub(crate) fn package(
        name: &str,
        license: Option<&str>,
        dependencies: &[(&str, Option<&str>, bool)],
    ) -> Value {
        let asked: Vec<Value> = dependencies
            .iter()
            .map(|(name, kind, optional)| json!({ "name": name, "kind": kind, "optional": optional }))
            .collect();
        json!({
            "id": name, "name": name, "version": "1.0.0", "license": license, "features": {},
            "source": "registry+https://github.com/rust-lang/crates.io-index",
            "manifest_path": format!("/r/{name}/Cargo.toml"), "dependencies": asked,
        })
    }

    /// Metadata of these, of which the first `ours` are ours; what they ask for is resolved as asked.
    pub(crate) fn metadata(packages: &[Value], ours: usize) -> Metadata {
        let edges = |package: &Value| -> Vec<Value> {
            let asked = package["dependencies"].as_array().cloned().unwrap_or_default();
            asked.iter().map(|d| json!({ "pkg": d["name"], "dep_kinds": [{ "kind": d["kind"] }] })).collect()
        };
        let nodes: Vec<Value> = packages.iter().map(|p| json!({ "id": p["id"], "deps": edges(p) })).collect();
        let members: Vec<&Value> = packages.iter().take(ours).map(|p| &p["id"]).collect();
        let all =
            json!({ "packages": packages, "workspace_members": members, "resolve": { "nodes": nodes } });
        Metadata::parse(&all.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::sample::{metadata, package};
    use super::*;

    #[test]
    fn what_is_reached_is_reached_through_others_and_not_by_tests() {
        let packages = [
            package("a", None, &[("b", None, false), ("t", Some("dev"), false)]),
            package("b", None, &[("c", None, false)]),
            package("c", None, &[]),
            package("t", None, &[]),
        ];
        let metadata = metadata(&packages, 1);
        assert_eq!(metadata.reached_from("a"), HashSet::from(["a", "b", "c"]));
        assert_eq!((metadata.ours().count(), metadata.others().count()), (1, 3));
    }
}
