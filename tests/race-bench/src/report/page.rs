//! A page that holds results between two marks, and other text around them.

use std::io;
use std::path::Path;

use anyhow::Context;

/// The line before the results.
const BEGIN: &str = "<!-- race -->";

/// The line after them.
const END: &str = "<!-- /race -->";

/// Writes `part` between the marks of `file`, or makes the file with it.
///
/// # Errors
/// When the file is there and has no marks: what it holds is not lost.
pub(crate) fn put(file: &Path, part: &str) -> anyhow::Result<()> {
    let page = match std::fs::read_to_string(file) {
        Ok(page) => replaced(&page, part)
            .with_context(|| format!("{} has no lines {BEGIN} and {END} to write between", file.display()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => marked(part),
        Err(error) => return Err(error).context(file.display().to_string()),
    };
    std::fs::write(file, page).context(file.display().to_string())
}

fn replaced(page: &str, part: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{}{}", marked(part).trim_end(), after))
}

fn marked(part: &str) -> String {
    format!("{BEGIN}\n{}\n{END}\n", part.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_what_is_around_the_marks() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.md");
        put(&file, "one\n").unwrap();
        let page = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("# Title\n{page}the end\n")).unwrap();
        put(&file, "two\n").unwrap();
        let page = std::fs::read_to_string(&file).unwrap();
        assert_eq!(page, "# Title\n<!-- race -->\ntwo\n<!-- /race -->\nthe end\n");
    }

    #[test]
    fn a_page_without_marks_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.md");
        std::fs::write(&file, "mine\n").unwrap();
        assert!(put(&file, "one\n").is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine\n");
    }
}
