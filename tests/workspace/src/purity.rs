//! What must not stand in the source of the pure crates.

use crate::Findings;
use crate::repository::File;

/// Crates, and parts of crates, without async, clock, random source, log, lock or I/O.
const PURE: [&str; 5] = [
    "mesh-node/crates/mesh-wire/src/",
    "mesh-node/crates/mesh-core/src/",
    "mesh-node/crates/mesh-discovery/src/feed.rs",
    "mesh-node/crates/mesh-discovery/src/session.rs",
    "mesh-node/crates/mesh-discovery/src/session/",
];

/// What a pure crate does not say, and what it would be.
const FORBIDDEN: [(&str, &str); 20] = [
    ("Instant::now", "a clock: the caller passes `now`"),
    ("SystemTime::now", "a clock: the caller passes `now`"),
    (".elapsed()", "a clock: the caller passes `now`"),
    ("thread_rng", "a random source: the caller passes a seed"),
    ("rand::", "a random source: the caller passes a seed"),
    ("getrandom", "a random source: the caller passes a seed"),
    ("async fn", "async"),
    (".await", "async"),
    ("std::fs", "I/O"),
    ("std::net", "I/O"),
    ("std::env", "the surroundings of the process"),
    ("std::process", "the surroundings of the process"),
    ("std::thread", "threads"),
    ("Mutex", "a lock"),
    ("RwLock", "a lock"),
    ("Condvar", "a lock"),
    ("tracing::", "a log"),
    ("println!", "output"),
    ("thread_local!", "global state"),
    ("static mut", "global state"),
];

/// Every place in a pure crate that is not pure; tests and comments may be.
#[must_use]
pub fn check(files: &[File]) -> Findings {
    let mut findings = Findings::new();
    let pure = files.iter().filter(|file| PURE.iter().any(|folder| file.path.starts_with(folder)));
    for file in pure.filter(|file| !file.is_test()) {
        for (number, line) in file.production().lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for (text, what) in FORBIDDEN.iter().filter(|(text, _)| code.contains(text)) {
                findings.push(format!("{}:{}: {text}: {what}", file.path, number + 1));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File {
        File::new("mesh-node/crates/mesh-core/src/x.rs", text)
    }

    #[test]
    fn every_forbidden_text_is_found() {
        for (text, _) in FORBIDDEN {
            assert_eq!(check(&[file(&format!("fn a() {{\n    {text}\n}}\n"))]).len(), 1, "{text}");
        }
    }

    #[test]
    fn comments_tests_and_other_crates_may() {
        assert!(check(&[file("/// Never calls Instant::now().\nfn a() {}\n")]).is_empty());
        assert!(check(&[file("#[cfg(test)]\nmod tests {\n    let now = Instant::now();\n}\n")]).is_empty());
        assert!(check(&[File::new("mesh-node/src/x.rs", "Instant::now()")]).is_empty());
        let tests = File::new("mesh-node/crates/mesh-core/src/x/tests.rs", "Instant::now()");
        assert!(check(&[tests]).is_empty());
    }
}
