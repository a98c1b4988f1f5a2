//! Every error code has a page, and every page a code.

use std::collections::BTreeSet;

use mesh_wire::code::Code;

use crate::Findings;
use crate::repository::File;

const FOLDER: &str = "docs/reference/errors/";

/// Codes without a page and pages without a code.
#[must_use]
pub fn check(codes: &[Code], files: &[File]) -> Findings {
    let pages: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file.path.strip_prefix(FOLDER)?.strip_suffix(".md"))
        .filter(|page| *page != "README")
        .collect();
    let codes: BTreeSet<String> = codes.iter().map(ToString::to_string).collect();
    let without_page = codes.iter().filter(|code| !pages.contains(code.as_str()));
    let without_code = pages.iter().filter(|page| !codes.contains(**page));
    without_page
        .map(|code| format!("{code} has no page"))
        .chain(without_code.map(|page| format!("{FOLDER}{page}.md is about no code")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_on_either_side_is_found() {
        let pages = [File::new("docs/reference/errors/MESH-1042.md", "")];
        assert!(check(&[Code::NoResponders], &pages).is_empty());
        assert_eq!(check(&[Code::NoResponders, Code::NodeDraining], &pages), ["MESH-1050 has no page"]);
        assert_eq!(check(&[], &pages).len(), 1);
    }
}
