//! What we depend on: where it comes from, what we do not want, what is there twice.

use std::collections::{BTreeMap, BTreeSet};

use crate::Findings;
use crate::metadata::Metadata;

/// The only place that packages come from.
const SOURCES: [&str; 2] =
    ["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"];

/// Wanted nowhere, not even through others, and why.
const BANNED: [(&str, &str); 12] = [
    ("openssl", "rustls is the one TLS library; a second one doubles what has to be kept safe"),
    ("openssl-sys", "as openssl, and it needs a C library of the system"),
    ("native-tls", "as openssl: another TLS library on each system"),
    ("async-std", "a second runtime; discontinued"),
    ("smol", "a second runtime"),
    ("failure", "unmaintained; thiserror"),
    ("serde_yaml", "unmaintained; configuration is TOML"),
    ("atty", "unmaintained and unsound; std::io::IsTerminal"),
    ("ansi_term", "unmaintained; anstream"),
    ("instant", "unmaintained; std::time"),
    ("paste", "unmaintained"),
    ("proc-macro-error", "unmaintained"),
];
/// Not asked for by any crate of ours; others may.
const BANNED_DIRECTLY: [(&str, &str); 8] = [
    ("lazy_static", "std::sync::LazyLock"),
    ("once_cell", "std::sync::OnceLock and LazyLock"),
    ("log", "tracing"),
    ("chrono", "jiff where a calendar is needed, else std::time"),
    ("time", "jiff where a calendar is needed, else std::time"),
    ("num_cpus", "std::thread::available_parallelism"),
    ("futures", "futures-util and futures-core, which are parts of it"),
    ("fxhash", "foldhash, which takes a seed"),
];
/// What does the cryptography of TLS: at most one of them may be linked.
const TLS_PROVIDERS: [&str; 4] = ["ring", "aws-lc-rs", "openssl-sys", "boring"];

/// Packages that are there in several versions, and who needs them.
const TWICE: [(&str, &str); 27] = [
    ("base64", "we and tonic have 0.22; pem, of rcgen, has 0.23"),
    ("bitflags", "rustix has 2; prost-build 0.11, of raft, has 1 by way of which"),
    ("embedded-io", "postcard names two versions as options of its own"),
    ("fixedbitset", "as petgraph"),
    ("foldhash", "we have 0.2; hashbrown 0.15, of petgraph, has 0.1"),
    ("getrandom", "rand 0.9 (proptest) and 0.10 (opentelemetry)"),
    ("hashbrown", "indexmap has 0.17; petgraph, of prost-build 0.14, has 0.15"),
    ("heck", "clap has 0.5; prost-build 0.11, of raft, 0.4"),
    ("http", "actix-web 4 has 0.2; hyper, in the race's gRPC peer, has 1"),
    ("itertools", "prost 0.14 and prost 0.11, of raft"),
    ("linux-raw-sys", "as rustix"),
    ("miniz_oxide", "png and flate2"),
    ("petgraph", "prost-build 0.14 has 0.8, and 0.11, of raft, has 0.6"),
    ("prettyplease", "as petgraph"),
    ("prost", "tonic has 0.14; raft, whose last release is of 2023, has 0.11"),
    ("prost-build", "etcd-client's build has 0.14; raft's has 0.11"),
    ("prost-derive", "as prost"),
    ("prost-types", "as prost-build"),
    ("rand", "proptest has 0.9, opentelemetry 0.10"),
    ("rand_chacha", "proptest has 0.9; rand 0.8, of raft, 0.3"),
    ("rand_core", "as rand"),
    ("rustix", "we have 1; which, of prost-build 0.11, has 0.38"),
    ("syn", "macros on their way from 2 to 3"),
    ("synstructure", "as syn"),
    ("thiserror", "we have 2; raft has 1"),
    ("thiserror-impl", "as thiserror"),
    ("winnow", "toml and its parser"),
];

/// Everything that is wrong with what we depend on.
#[must_use]
pub fn check(metadata: &Metadata) -> Findings {
    [sources(metadata), banned(metadata), providers(metadata), duplicates(metadata)].concat()
}

/// Packages from elsewhere than the registry.
#[must_use]
pub fn sources(metadata: &Metadata) -> Findings {
    let strange = metadata.others().filter_map(|package| {
        let source = package.source.as_deref().unwrap_or("a path outside of the workspace");
        (!SOURCES.contains(&source)).then(|| format!("{} comes from {source}", package.name))
    });
    strange.collect()
}

/// Packages that we do not want.
#[must_use]
pub fn banned(metadata: &Metadata) -> Findings {
    let mut findings = Findings::new();
    for (name, reason) in BANNED {
        if metadata.others().any(|package| package.name == name) {
            findings.push(format!("{name} is banned: {reason}"));
        }
    }
    for package in metadata.ours() {
        for (name, reason) in BANNED_DIRECTLY {
            if package.dependencies.iter().any(|dependency| dependency.name == name) {
                findings.push(format!("{} must not use {name}: {reason}", package.name));
            }
        }
    }
    findings
}

/// More than one TLS provider.
#[must_use]
pub fn providers(metadata: &Metadata) -> Findings {
    let linked: BTreeSet<&str> =
        metadata.others().map(|p| p.name.as_str()).filter(|name| TLS_PROVIDERS.contains(name)).collect();
    if linked.len() <= 1 {
        return Findings::new();
    }
    let linked: Vec<&str> = linked.into_iter().collect();
    vec![format!("more than one TLS provider is linked: {}", linked.join(", "))]
}

/// Packages in several versions that are not known to be, and known ones that are not any more.
#[must_use]
pub fn duplicates(metadata: &Metadata) -> Findings {
    duplicates_beside(metadata, &TWICE)
}

fn duplicates_beside(metadata: &Metadata, known: &[(&str, &str)]) -> Findings {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in metadata.others() {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    let mut findings = Findings::new();
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        if !known.iter().any(|(known, _)| known == name) {
            let versions: Vec<&str> = versions.iter().copied().collect();
            findings.push(format!("{name} is there in versions {}", versions.join(", ")));
        }
    }
    for (name, _) in known {
        if versions.get(name).is_none_or(|versions| versions.len() < 2) {
            findings.push(format!("{name} is not there twice any more: take it off the list"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::sample::{metadata, package};

    fn with(names: &[&str]) -> Metadata {
        let ours = package("mesh-wire", None, &[]);
        let others = names.iter().map(|name| package(name, None, &[]));
        metadata(&std::iter::once(ours).chain(others).collect::<Vec<_>>(), 1)
    }

    #[test]
    fn a_package_from_elsewhere_is_found() {
        assert!(sources(&with(&["serde"])).is_empty());
        for source in [serde_json::json!("git+https://example.org/x"), serde_json::Value::Null] {
            let mut strange = package("x", None, &[]);
            strange["source"] = source;
            assert_eq!(sources(&metadata(&[package("mesh-wire", None, &[]), strange], 1)).len(), 1);
        }
    }

    #[test]
    fn what_is_banned_is_found() {
        assert!(banned(&with(&["serde", "lazy_static"])).is_empty(), "others may use lazy_static");
        assert_eq!(banned(&with(&["openssl-sys"])).len(), 1);
        let ours = package("mesh-wire", None, &[("chrono", Some("dev"), false)]);
        assert_eq!(banned(&metadata(&[ours], 1)).len(), 1);
    }

    #[test]
    fn a_second_tls_provider_is_found() {
        assert!(providers(&with(&["ring"])).is_empty());
        assert_eq!(
            providers(&with(&["ring", "aws-lc-rs"])),
            ["more than one TLS provider is linked: aws-lc-rs, ring"]
        );
    }

    #[test]
    fn new_duplicates_and_old_entries_are_found() {
        let (first, mut second) = (package("x", None, &[]), package("x", None, &[]));
        second["version"] = "2.0.0".into();
        second["id"] = "x2".into();
        let twice = metadata(&[package("mesh-wire", None, &[]), first, second], 1);
        assert_eq!(duplicates_beside(&twice, &[]), ["x is there in versions 1.0.0, 2.0.0"]);
        assert!(duplicates_beside(&twice, &[("x", "why")]).is_empty());
        assert_eq!(duplicates_beside(&with(&["x"]), &[("x", "why")]).len(), 1);
    }
}
