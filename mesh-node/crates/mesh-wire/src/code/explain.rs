//! A code explained: what `mesh explain` prints and the documentation shows.

use std::fmt::Write as _;

use super::Code;

/// The page of a code, in Markdown that reads well as plain text. Ends with a line break.
pub fn explain(code: Code) -> String {
    let mut page = String::new();
    let retry = if code.is_retryable() { "can help" } else { "does not help" };
    // Writing into a string can't fail.
    _ = write!(
        page,
        "# {code}: {}\n\nName `{}`, kind `{}`; trying again without a change {retry}.\n\n{}\n\n\
         **Usual cause:** {}\n\n**What to do:** {}\n",
        code.title(),
        code.name(),
        code.kind(),
        code.explanation(),
        code.cause(),
        code.hint(),
    );
    page
}
