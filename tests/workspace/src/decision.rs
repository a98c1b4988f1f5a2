//! The records of decisions: numbered once, in the index, in their form.

use crate::Findings;
use crate::repository::File;

const FOLDER: &str = "docs/adr/";
/// What a record has to say, each under its heading.
const HEADINGS: [&str; 4] = ["## Context", "## Decision", "## Rejected", "## Consequences"];

/// What the index of the records' titles begins with.
const TITLES: &str = "| | |\n|---|---|\n";

/// The index with a line for each record, whatever it had.
///
/// # Errors
/// What is missing: the index, or its table.
pub fn index(files: &[File]) -> Result<String, String> {
    let path = format!("{FOLDER}README.md");
    let index = files.iter().find(|file| file.path == path).ok_or_else(|| format!("{path} is missing"))?;
    let table = index.text.find(TITLES).ok_or_else(|| format!("{path} has no table of titles"))?;
    let mut text = index.text[..table + TITLES.len()].to_owned();
    for file in files.iter().filter(|file| file.path.starts_with(FOLDER) && file.path != path) {
        let title = file.text.lines().next().unwrap_or_default().trim_start_matches("# ");
        let (number, title) = title.split_once(": ").unwrap_or_default();
        text.push_str(&format!("| [{number}]({}) | {title} |\n", file.name()));
    }
    Ok(text)
}

/// Records that are not in the index, share a number, or lack a part.
#[must_use]
pub fn check(files: &[File]) -> Findings {
    let mut findings = Findings::new();
    let index = files.iter().find(|file| file.path == format!("{FOLDER}README.md"));
    let Some(index) = index else { return vec![format!("{FOLDER}README.md is missing")] };
    let mut numbers: Vec<&str> = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with(FOLDER) && file.path != index.path) {
        let name = file.name();
        let number = name.split('-').next().unwrap_or_default();
        if number.len() != 4 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            findings.push(format!("{} does not begin with a number of four digits", file.path));
        } else if numbers.contains(&number) {
            findings.push(format!("{}: number {number} is taken", file.path));
        }
        numbers.push(number);
        if !index.text.contains(&format!("({name})")) {
            findings.push(format!("{} is not in the index", file.path));
        }
        let lacking = HEADINGS.iter().filter(|heading| !file.text.contains(&format!("\n{heading}\n")));
        findings.extend(lacking.map(|heading| format!("{} has no part {heading:?}", file.path)));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str) -> File {
        File::new(&format!("docs/adr/{name}"), &format!("# T\n\n{}\n", HEADINGS.join("\n\nx\n\n")))
    }

    fn index(text: &str) -> File {
        File::new("docs/adr/README.md", text)
    }

    #[test]
    fn the_index_has_a_line_for_each_record() {
        let record = File::new("docs/adr/0001-a.md", "# 0001: Why\n");
        let files = [index(&format!("# D\n{TITLES}| old |\n")), record];
        assert_eq!(super::index(&files).unwrap(), format!("# D\n{TITLES}| [0001](0001-a.md) | Why |\n"));
        assert!(super::index(&[index("# D\n")]).is_err());
        assert!(super::index(&[]).is_err());
    }

    #[test]
    fn records_are_in_the_index_in_their_form() {
        assert!(check(&[index("[a](0001-a.md)"), record("0001-a.md")]).is_empty());
        assert_eq!(check(&[index(""), record("0001-a.md")]), ["docs/adr/0001-a.md is not in the index"]);
        assert_eq!(check(&[record("0001-a.md")]), ["docs/adr/README.md is missing"]);
        let twice = [index("(0001-a.md) (0001-b.md)"), record("0001-a.md"), record("0001-b.md")];
        assert_eq!(check(&twice), ["docs/adr/0001-b.md: number 0001 is taken"]);
        assert_eq!(check(&[index("(a.md)"), record("a.md")]).len(), 1);
        let bare = File::new("docs/adr/0001-a.md", "# T\n");
        assert_eq!(check(&[index("(0001-a.md)"), bare]).len(), HEADINGS.len());
    }
}
