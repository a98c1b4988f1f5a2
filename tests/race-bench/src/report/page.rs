//! A page that holds results between two marks, and other text around them.

use std::io;
use std::path::Path;

use anyhow::Context;

/// The lines around a set of results. A page can have several sets, by name.
struct Marks {
    begin: String,
    end: String,
}

/// Writes `part` between the marks of `set` in `file`, or makes the file with it.
///
/// # Errors
/// When the file is there and has no marks: what it holds is not lost.
pub(crate) fn put(file: &Path, set: &str, part: &str) -> anyhow::Result<()> {
    let marks = Marks::of(set);
    let page = match std::fs::read_to_string(file) {
        Ok(page) => marks.replaced(&page, part).with_context(|| {
            format!("{} has no lines {} and {} to write between", file.display(), marks.begin, marks.end)
        })?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => marks.around(part),
        Err(error) => return Err(error).context(file.display().to_string()),
    };
    std::fs::write(file, page).context(file.display().to_string())
}

impl Marks {
    fn of(set: &str) -> Self {
        Self { begin: format!("<!-- {set} -->"), end: format!("<!-- /{set} -->") }
    }

    fn replaced(&self, page: &str, part: &str) -> Option<String> {
        let (before, rest) = page.split_once(&self.begin)?;
        let (_, after) = rest.split_once(&self.end)?;
        Some(format!("{before}{}{}", self.around(part).trim_end(), after))
    }

    fn around(&self, part: &str) -> String {
        format!("{}\n{}\n{}\n", self.begin, part.trim_end(), self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_what_is_around_the_marks() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.md");
        put(&file, "race", "one\n").unwrap();
        let page = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("# Title\n{page}the end\n")).unwrap();
        put(&file, "race", "two\n").unwrap();
        let page = std::fs::read_to_string(&file).unwrap();
        assert_eq!(page, "# Title\n<!-- race -->\ntwo\n<!-- /race -->\nthe end\n");
    }

    #[test]
    fn each_set_has_marks_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.md");
        std::fs::write(&file, "<!-- race -->\n<!-- /race -->\n<!-- quic -->\n<!-- /quic -->\n").unwrap();
        put(&file, "quic", "two\n").unwrap();
        let page = std::fs::read_to_string(&file).unwrap();
        assert_eq!(page, "<!-- race -->\n<!-- /race -->\n<!-- quic -->\ntwo\n<!-- /quic -->\n");
    }

    #[test]
    fn a_page_without_marks_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.md");
        std::fs::write(&file, "mine\n").unwrap();
        assert!(put(&file, "race", "one\n").is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine\n");
    }
}
