//! The examples of `docs/reference/protocol.md`, made from the encoder.

mod control;
mod dump;
mod durable;
pub mod limits;
mod messages;
mod peers;

pub use dump::Dump;

/// One example of the page.
pub struct Example {
    /// What its block in the page is called: ` ```text example=NAME `.
    pub name: &'static str,
    /// What stands in the block.
    pub text: String,
}

/// Every example of the page.
///
/// # Panics
/// When an example is not what the encoder writes.
pub fn examples() -> Vec<Example> {
    control::examples()
        .into_iter()
        .chain(messages::examples())
        .chain(peers::examples())
        .chain(durable::examples())
        .collect()
}

/// What opens the block of an example in the page.
fn opening(name: &str) -> String {
    format!("```text example={name}\n")
}

/// The page with each example in its block.
///
/// # Errors
/// What is missing: a block for an example, the end of a block, or an example for a block.
pub fn fill(page: &str, examples: &[Example]) -> Result<String, String> {
    let mut page = page.to_owned();
    for Example { name, text } in examples {
        let opening = opening(name);
        let start =
            page.find(&opening).ok_or_else(|| format!("the page has no block for {name}"))? + opening.len();
        let end =
            page[start..].find("```").ok_or_else(|| format!("the block of {name} does not end"))? + start;
        page.replace_range(start..end, text);
    }
    for (at, marker) in page.match_indices("```text example=") {
        let name = page[at + marker.len()..].lines().next().unwrap_or_default();
        if !examples.iter().any(|example| example.name == name) {
            return Err(format!("the page has a block {name}, for which there is no example"));
        }
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &'static str, text: &str) -> Vec<Example> {
        vec![Example { name, text: text.to_owned() }]
    }

    #[test]
    fn a_block_gets_its_example() {
        let page = "# a\n```text example=x\nold\n```\nend\n";
        assert_eq!(fill(page, &one("x", "new\n")).unwrap(), "# a\n```text example=x\nnew\n```\nend\n");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(fill("# a\n", &one("x", "new\n")).unwrap_err().contains("no block for x"));
        assert!(fill("```text example=x\n", &one("x", "")).unwrap_err().contains("does not end"));
        let page = "```text example=x\n```\n```text example=y\n```\n";
        assert!(fill(page, &one("x", "")).unwrap_err().contains("block y"));
    }
}
