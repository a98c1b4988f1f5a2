//! Rust files: how long they are, what they are called.

use crate::Findings;
use crate::repository::File;

/// Most lines of a file, its tests not counted.
pub const LINES: usize = 600;
/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 9] =
    ["common", "helper", "helpers", "manager", "managers", "misc", "util", "utilities", "utils"];

/// Files of more than [`LINES`] lines.
#[must_use]
pub fn lengths(files: &[File]) -> Findings {
    let long = files.iter().filter(|file| !file.is_test()).filter_map(|file| {
        let lines = file.production().lines().count();
        (lines > LINES).then(|| format!("{} has {lines} lines, {LINES} are allowed", file.path))
    });
    long.collect()
}

/// Modules with names that say nothing, and `mod.rs`.
#[must_use]
pub fn names(files: &[File]) -> Findings {
    let mut findings = Findings::new();
    for file in files {
        let mut parts = file.path.strip_suffix(".rs").unwrap_or(&file.path).split('/');
        for part in parts.clone().filter(|part| EMPTY_NAMES.contains(part)) {
            findings.push(format!("{}: a module called {part} says nothing of what is in it", file.path));
        }
        if parts.next_back() == Some("mod") {
            findings.push(format!("{}: foo.rs beside foo/ instead of foo/mod.rs", file.path));
        }
        for (number, line) in file.text.lines().enumerate() {
            let declared = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            let name = declared.strip_prefix("mod ").map(|rest| rest.trim_end_matches([';', ' ', '{']));
            if name.is_some_and(|name| EMPTY_NAMES.contains(&name)) {
                findings.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_lines(path: &str, lines: usize, tests: usize) -> File {
        File::new(
            path,
            &format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "a\n".repeat(lines), "b\n".repeat(tests)),
        )
    }

    #[test]
    fn the_limit_holds_at_one_more_and_one_less() {
        assert!(lengths(&[of_lines("a/src/b.rs", LINES, 500)]).is_empty(), "tests are not counted");
        assert_eq!(lengths(&[of_lines("a/src/b.rs", LINES + 1, 0)]).len(), 1);
        assert!(lengths(&[of_lines("a/src/b/tests.rs", LINES + 1, 0)]).is_empty());
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        for path in ["a/src/utils.rs", "a/src/helpers/x.rs", "a/src/x/mod.rs", "tests/common/mod.rs"] {
            assert!(!names(&[File::new(path, "")]).is_empty(), "{path}");
        }
        assert_eq!(names(&[File::new("a/src/lib.rs", "fn a() {}\npub(crate) mod util {\n}\n")]).len(), 1);
        assert!(names(&[File::new("a/src/utility_rate.rs", "mod commonwealth;\n")]).is_empty());
    }
}
