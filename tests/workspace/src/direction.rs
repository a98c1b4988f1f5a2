//! Which of our crates may use which: the arrows of `docs/architecture.md`.

use crate::Findings;
use crate::metadata::{Metadata, Package};

/// What one of our crates may use of the others, in what is built (tests may use more, see [`MAY_IN_TESTS`]).
const MAY: [(&str, &[&str]); 18] = [
    ("mesh-wire", &[]),
    ("mesh-core", &["mesh-wire"]),
    ("mesh-identity", &["mesh-wire"]),
    ("mesh-transport", &["mesh-wire", "mesh-identity"]),
    // The certificates of real etcds, which its feature `test-util` starts, are made by mesh-identity.
    ("mesh-discovery", &["mesh-wire", "mesh-core", "mesh-identity", "mesh-transport"]),
    ("mesh-telemetry", &["mesh-wire"]),
    ("mesh-log", &["mesh-wire"]),
    ("mesh-replica", &["mesh-wire", "mesh-core", "mesh-log"]),
    ("mesh-shard", &["mesh-wire", "mesh-core", "mesh-log", "mesh-replica"]),
    (
        "mesh-node",
        &[
            "mesh-wire",
            "mesh-core",
            "mesh-identity",
            "mesh-transport",
            "mesh-discovery",
            "mesh-telemetry",
            "mesh-log",
            "mesh-replica",
            "mesh-shard",
        ],
    ),
    ("mesh-client", &["mesh-wire", "mesh-identity", "mesh-transport", "mesh-telemetry"]),
    ("mesh-cli", &["mesh-client", "mesh-wire", "mesh-identity", "mesh-transport", "mesh-telemetry"]),
    ("mesh-program", &["mesh-client"]),
    ("mesh-thumbnails", &["mesh-client", "mesh-program"]),
    ("mesh-sensors", &["mesh-client", "mesh-program"]),
    ("mesh-shop", &["mesh-client", "mesh-program"]),
    // Shows the three at work, and calls them by their own types.
    ("mesh-demo", &["mesh-client", "mesh-program", "mesh-thumbnails", "mesh-sensors", "mesh-shop"]),
    ("mesh-fuzzing", &["mesh-wire", "mesh-log", "mesh-replica"]),
];
/// Crates that only test: they may use anything.
const TEST_CRATES: [&str; 7] = [
    "mesh-e2e",
    "mesh-hostile",
    "mesh-nemesis",
    "mesh-netproxy",
    "mesh-race",
    "mesh-sim",
    "mesh-workspace-tests",
];
/// What the tests of any crate may use beside that: a client, with a node in-process by its feature `test-util`.
const MAY_IN_TESTS: [&str; 1] = ["mesh-client"];
/// The client's only way to the node.
const TEST_UTIL: &str = "test-util";

/// Crates without async, clock, random source, log, lock or I/O, and what they must not reach, however far away.
const PURE: [&str; 2] = ["mesh-wire", "mesh-core"];
const IMPURE: [&str; 14] = [
    "actix",
    "actix-rt",
    "actix-web",
    "async-std",
    "crossbeam-channel",
    "futures-executor",
    "log",
    "mio",
    "parking_lot",
    "quinn",
    "rand",
    "socket2",
    "tokio",
    "tracing",
];

/// Every arrow that points the wrong way.
#[must_use]
pub fn check(metadata: &Metadata) -> Findings {
    let mut findings = Findings::new();
    let ours: Vec<&str> = metadata.ours().map(|package| package.name.as_str()).collect();
    for package in metadata.ours().filter(|package| !TEST_CRATES.contains(&package.name.as_str())) {
        let Some((_, may)) = MAY.iter().find(|(name, _)| *name == package.name) else {
            findings.push(format!("{}: say in direction.rs which crates it may use", package.name));
            continue;
        };
        findings.extend(arrows(package, may, &ours));
    }
    for pure in PURE {
        let reached = metadata.reached_from(pure);
        let impure = IMPURE.iter().filter(|name| reached.contains(*name));
        findings.extend(impure.map(|name| format!("{pure} is pure and reaches {name}")));
    }
    findings
}

fn arrows(package: &Package, may: &[&str], ours: &[&str]) -> Findings {
    let mut findings = Findings::new();
    for dependency in package.dependencies.iter().filter(|d| ours.contains(&d.name.as_str())) {
        let name = dependency.name.as_str();
        let in_tests = dependency.kind.as_deref() == Some("dev");
        let by_test_util = package.name == "mesh-client" && name == "mesh-node" && dependency.optional;
        let of_itself = in_tests && name == package.name;
        if may.contains(&name) || by_test_util || of_itself || in_tests && MAY_IN_TESTS.contains(&name) {
            continue;
        }
        findings.push(format!("{} must not use {name}", package.name));
    }
    for (feature, on) in &package.features {
        let node = on.iter().any(|on| matches!(on.as_str(), "mesh-node" | "dep:mesh-node"));
        if node && feature != TEST_UTIL {
            findings.push(format!("{}: only {TEST_UTIL} may bring mesh-node, not {feature}", package.name));
        }
        if feature == "default" && on.iter().any(|on| on == TEST_UTIL) {
            findings.push(format!("{}: {TEST_UTIL} must not be on by default", package.name));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metadata::sample::{metadata, package};

    fn one(name: &str, dependency: (&str, Option<&str>, bool)) -> Findings {
        let other = package(dependency.0, None, &[]);
        check(&metadata(&[package(name, None, &[dependency]), other], 2))
    }

    #[test]
    fn arrows_that_point_the_wrong_way_are_found() {
        for (from, to) in [
            ("mesh-wire", "mesh-core"),
            ("mesh-client", "mesh-core"),
            ("mesh-client", "mesh-node"),
            ("mesh-shop", "mesh-wire"),
            ("mesh-cli", "mesh-node"),
        ] {
            assert_eq!(one(from, (to, None, false)), [format!("{from} must not use {to}")]);
        }
        assert_eq!(one("mesh-core", ("mesh-node", Some("dev"), false)), ["mesh-core must not use mesh-node"]);
        assert_eq!(one("mesh-new", ("mesh-wire", None, false)).len(), 1, "a crate without a rule");
    }

    #[test]
    fn arrows_that_point_the_right_way_are_not() {
        assert!(one("mesh-core", ("mesh-wire", None, false)).is_empty());
        assert!(one("mesh-shop", ("mesh-client", None, false)).is_empty());
        assert!(one("mesh-e2e", ("mesh-node", None, false)).is_empty());
        assert!(one("mesh-client", ("mesh-node", None, true)).is_empty());
    }

    #[test]
    fn the_node_comes_to_the_client_by_test_util_alone() {
        let mut client = package("mesh-client", None, &[("mesh-node", None, true)]);
        client["features"] = json!({ "test-util": ["dep:mesh-node"], "json": ["mesh-node"] });
        let node = package("mesh-node", None, &[]);
        assert_eq!(check(&metadata(&[client.clone(), node.clone()], 2)).len(), 1);
        client["features"] = json!({ "test-util": ["dep:mesh-node"], "default": ["test-util"] });
        assert_eq!(check(&metadata(&[client.clone(), node.clone()], 2)).len(), 1);
        client["features"] = json!({ "test-util": ["dep:mesh-node"] });
        assert!(check(&metadata(&[client, node], 2)).is_empty());
    }

    #[test]
    fn what_a_pure_crate_reaches_through_others_is_found() {
        let packages = [
            package("mesh-core", None, &[("between", None, false)]),
            package("between", None, &[("tokio", None, false)]),
            package("tokio", None, &[]),
        ];
        assert_eq!(check(&metadata(&packages, 1)), ["mesh-core is pure and reaches tokio"]);
    }
}
