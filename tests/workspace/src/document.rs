//! Documents in Markdown: their links lead somewhere, and the first one is short.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::Findings;
use crate::repository::File;

/// Most lines of the README.
pub const README_LINES: usize = 149;

/// A README that is too long.
#[must_use]
pub fn readme(text: &str) -> Findings {
    let lines = text.lines().count();
    if lines <= README_LINES {
        Findings::new()
    } else {
        vec![format!("README.md has {lines} lines of {README_LINES}")]
    }
}

/// Links between documents that lead nowhere. `files` are all of the repository.
#[must_use]
pub fn links(files: &[File]) -> Findings {
    let mut findings = Findings::new();
    let places = places(files);
    let documents: Vec<&File> = files.iter().filter(|file| file.path.ends_with(".md")).collect();
    let anchors: HashMap<&str, BTreeSet<String>> =
        documents.iter().map(|file| (file.path.as_str(), anchors(&file.text))).collect();
    for file in documents {
        for (line, target) in targets(&file.text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() { Some(file.path.clone()) } else { resolve(&file.path, path) };
            let there = path.as_deref().filter(|path| places.contains(*path));
            let known = |path: &str| anchors.get(path).is_none_or(|anchors| anchors.contains(anchor));
            if there.is_none_or(|path| !anchor.is_empty() && !known(path)) {
                findings.push(format!("{}:{line}: {target} leads nowhere", file.path));
            }
        }
    }
    findings
}

/// Files and the folders that they are in.
fn places(files: &[File]) -> BTreeSet<String> {
    let mut places = BTreeSet::from([String::new()]);
    for file in files {
        let ends = file.path.match_indices('/').map(|(at, _)| at).chain([file.path.len()]);
        places.extend(ends.map(|end| file.path[..end].to_owned()));
    }
    places
}

/// The path that `link` in the document `from` means; nothing when it leaves the repository.
fn resolve(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part == ".." {
            parts.pop()?;
        } else {
            parts.push(part);
        }
    }
    Some(parts.join("/"))
}

/// The lines of a document outside of its blocks of code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(number, line)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        (!fence && !in_code).then_some((number + 1, line))
    })
}

/// What the links of a document point to, `](target)`, with the numbers of their lines.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        for (at, opening) in line.match_indices("](") {
            let rest = &line[at + opening.len()..];
            if let Some(end) = rest.find(')') {
                found.push((number, rest[..end].split_whitespace().next().unwrap_or_default()));
            }
        }
    }
    found
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for (_, line) in prose(text) {
        let Some((_, title)) = line.split_once("# ").filter(|(hashes, _)| hashes.bytes().all(|b| b == b'#'))
        else {
            continue;
        };
        let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let anchor: String =
            kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect();
        let times = seen.entry(anchor.clone()).or_default();
        found.insert(if *times == 0 { anchor } else { format!("{anchor}-{times}") });
        *times += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Findings {
        let other = File::new("docs/b/other.md", "# One\n\n## Two words, `code`\n\n## Two words, code\n");
        links(&[File::new("docs/a.md", text), other, File::new("tests/run", "")])
    }

    #[test]
    fn links_that_lead_somewhere_are_not_found() {
        for text in [
            "[x](b/other.md)",
            "[x](b/)",
            "[x](../tests/run)",
            "[x](b/other.md#two-words-code)",
            "[x](https://example.org/#a)",
            "[x](b/other.md#two-words-code-1)",
            "# Here\n[x](#here)",
            "```\n[x](nowhere.md)\n```",
            "[x](b/other.md \"title\")",
        ] {
            assert_eq!(check(text), Findings::new(), "{text}");
        }
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        for text in [
            "[x](nowhere.md)",
            "[x](b/other.md#three)",
            "[x](#here)",
            "[x](../../etc/passwd)",
            "[x](/docs/b/nothing.md)",
            "[ok](b/other.md) [x](c/)",
        ] {
            assert_eq!(check(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn the_readme_is_short() {
        assert!(readme(&"a\n".repeat(README_LINES)).is_empty());
        assert_eq!(readme(&"a\n".repeat(README_LINES + 1)).len(), 1);
    }
}
