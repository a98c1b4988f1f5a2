//! Licences of what we depend on.

use crate::Findings;
use crate::metadata::Metadata;

/// Licences that let us be Apache-2.0 and ask for no more than a notice.
const ALLOWED: [&str; 10] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];
/// Packages under another licence, and why that will do.
const EXCEPTIONS: [(&str, &str, &str); 2] = [
    ("imbl", "MPL-2.0+", "copyleft by file: binding for changes to its own files, and we make none"),
    ("imbl-sized-chunks", "MPL-2.0+", "as imbl, which it is a part of"),
];

/// Every package whose licence is not one of ours to accept.
#[must_use]
pub fn check(metadata: &Metadata) -> Findings {
    let mut findings = Findings::new();
    for package in metadata.others() {
        let license = package.license.as_deref().unwrap_or_default();
        let excepted = EXCEPTIONS.iter().any(|(name, of, _)| *name == package.name && *of == license);
        if !excepted && !is_allowed(license) {
            findings.push(format!("{} {} is under {license:?}", package.name, package.version));
        }
    }
    for package in metadata.ours().filter(|package| package.license.as_deref() != Some("Apache-2.0")) {
        findings.push(format!("{} is not marked as Apache-2.0", package.name));
    }
    findings
}

/// Whether an SPDX expression can be met by allowed licences. `/` is an old way to write `OR`; `AND` binds tighter.
#[must_use]
pub fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = &words[..];
    any(&mut rest) == Some(true) && rest.is_empty()
}

/// Whether one of several can be met; nothing for what is not an expression.
fn any(words: &mut &[&str]) -> Option<bool> {
    let mut met = all(words)?;
    while let ["OR", rest @ ..] = words {
        *words = rest;
        met |= all(words)?;
    }
    Some(met)
}

fn all(words: &mut &[&str]) -> Option<bool> {
    let mut met = one(words)?;
    while let ["AND", rest @ ..] = words {
        *words = rest;
        met &= one(words)?;
    }
    Some(met)
}

fn one(words: &mut &[&str]) -> Option<bool> {
    let (met, rest) = match words {
        ["(", rest @ ..] => {
            *words = rest;
            let met = any(words)?;
            let [")", rest @ ..] = words else { return None };
            (met, rest)
        }
        [license, "WITH", exception, rest @ ..] => {
            (ALLOWED.contains(&format!("{license} WITH {exception}").as_str()), rest)
        }
        [license, rest @ ..] => (ALLOWED.contains(license), rest),
        [] => return None,
    };
    *words = rest;
    Some(met)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::sample::{metadata, package};

    #[test]
    fn expressions_are_judged_as_they_are_meant() {
        for good in [
            "MIT",
            "MIT OR GPL-3.0",
            "GPL-3.0 OR MIT",
            "MIT/Apache-2.0",
            "Apache-2.0 / MIT",
            "MIT AND BSD-3-Clause",
            "(MIT OR GPL-3.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert!(is_allowed(good), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "MPL-2.0+",
            "(MIT",
            "MIT Apache-2.0",
            "MIT OR",
            "GPL-2.0 WITH LLVM-exception",
            "(MIT OR Apache-2.0) AND GPL-3.0",
        ] {
            assert!(!is_allowed(bad), "{bad}");
        }
    }

    #[test]
    fn a_package_under_another_licence_is_found() {
        let ours = package("mesh-wire", Some("Apache-2.0"), &[]);
        let check = |license| check(&metadata(&[ours.clone(), package("x", license, &[])], 1));
        assert!(check(Some("MIT")).is_empty());
        assert_eq!(check(Some("AGPL-3.0")), ["x 1.0.0 is under \"AGPL-3.0\""]);
        assert_eq!(check(None).len(), 1);
        assert_eq!(check(Some("MPL-2.0+")).len(), 1, "the exception is for others");
    }

    #[test]
    fn ours_say_what_the_licence_file_says() {
        assert_eq!(check(&metadata(&[package("mesh-wire", Some("MIT"), &[])], 1)).len(), 1);
    }
}
