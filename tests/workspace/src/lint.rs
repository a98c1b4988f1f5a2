//! The workspace's lints: on, everywhere, and not switched off again.

use crate::Findings;
use crate::repository::File;

/// What the workspace's manifest has to say.
const REQUIRED: [&str; 6] = [
    "unsafe_code = \"forbid\"",
    "unreachable_pub = \"deny\"",
    "missing_docs = \"deny\"",
    "unwrap_used = \"deny\"",
    "await_holding_lock = \"deny\"",
    "let_underscore_must_use = \"deny\"",
];
/// Lints that no file may switch off; tests may unwrap.
const NEVER_OFF: [&str; 4] = ["unsafe_code", "missing_docs", UNWRAP, "clippy::await_holding_lock"];

const UNWRAP: &str = "clippy::unwrap_used";

/// Lints that the workspace's manifest does not set.
#[must_use]
pub fn required(manifest: &str) -> Findings {
    REQUIRED
        .iter()
        .filter(|lint| !manifest.contains(*lint))
        .map(|lint| format!("Cargo.toml lacks {lint}"))
        .collect()
}

/// Crates that do not take the workspace's lints. `manifests` are those of its members.
#[must_use]
pub fn inherited(manifests: &[File]) -> Findings {
    let lax = manifests.iter().filter(|file| !file.text.contains("[lints]\nworkspace = true"));
    lax.map(|file| format!("{} does not take the workspace's lints", file.path)).collect()
}

/// Places that switch off a lint for good, and `unsafe` itself.
#[must_use]
pub fn switched_off(files: &[File]) -> Findings {
    let mut findings = Findings::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let off = code.contains("allow(") || code.contains("expect(");
            let lint = NEVER_OFF
                .iter()
                .find(|lint| off && code.trim_start().starts_with('#') && code.contains(**lint));
            if let Some(lint) = lint.filter(|lint| !(file.is_test() && **lint == UNWRAP)) {
                findings.push(format!("{}:{}: {lint} is switched off", file.path, number + 1));
            }
            if code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("unsafe impl") {
                findings.push(format!("{}:{}: unsafe", file.path, number + 1));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lint_that_is_not_set_is_found() {
        let manifest = REQUIRED.join("\n");
        assert!(required(&manifest).is_empty());
        for lint in REQUIRED {
            assert_eq!(required(&manifest.replace(lint, "")), [format!("Cargo.toml lacks {lint}")]);
        }
    }

    #[test]
    fn a_crate_without_the_lints_is_found() {
        assert!(inherited(&[File::new("a/Cargo.toml", "[lints]\nworkspace = true\n")]).is_empty());
        assert_eq!(inherited(&[File::new("a/Cargo.toml", "[package]\n")]).len(), 1);
    }

    #[test]
    fn what_is_switched_off_is_found() {
        for text in [
            "#![allow(missing_docs)]",
            "    #[allow(clippy::unwrap_used)]",
            "#[expect(unsafe_code, reason = \"\")]",
            "let x = unsafe { y };",
            "unsafe impl Send for X {}",
        ] {
            assert_eq!(switched_off(&[File::new("a/src/b.rs", text)]).len(), 1, "{text}");
        }
        for text in ["#[allow(clippy::too_many_lines)]", "// unsafe { }", "x.expect(\"missing_docs\")"] {
            assert!(switched_off(&[File::new("a/src/b.rs", text)]).is_empty(), "{text}");
        }
        assert!(switched_off(&[File::new("a/tests/b.rs", "#![allow(clippy::unwrap_used)]")]).is_empty());
    }
}
