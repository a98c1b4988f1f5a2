//! `mesh explain`

use clap::Args;
use mesh_wire::code::{self, Code};
use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;
use crate::table::Rows;

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mesh explain MESH-1042
  mesh explain 1042
  mesh explain no_responders
  mesh explain --list";

/// Longest line on a terminal.
const COLUMNS: usize = 96;

/// `mesh explain CODE`
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The code: MESH-1042, 1042 or its name
    #[arg(value_name = "CODE", required_unless_present = "list")]
    code: Option<String>,
    /// List all codes
    #[arg(long, conflicts_with = "code")]
    list: bool,
}

/// Prints the page of a code, or the list of all.
pub(crate) fn run(options: &Options, output: &mut Output) -> Result<(), Failure> {
    match &options.code {
        Some(text) => one(text, output),
        None => all(output),
    }?;
    output.flush()
}

fn one(text: &str, output: &mut Output) -> Result<(), Failure> {
    let code: Code = text
        .parse()
        .map_err(|_| Failure::new(Code::CodeUnknown, format!("there is no error code {text:?}")))?;
    if output.json() {
        let mut value = summary(code);
        value["cause"] = code.cause().into();
        value["hint"] = code.hint().into();
        value["explanation"] = code.explanation().into();
        return output.json_value(&value);
    }
    let page = code::explain(code);
    if output.terminal() {
        return output.line(wrapped(page.trim_end(), COLUMNS));
    }
    output.line(page.trim_end())
}

/// The text with line breaks between words, so that no line is longer than `columns` unless one word is.
fn wrapped(text: &str, columns: usize) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / columns + 1);
    for (at, line) in text.lines().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        let mut column = 0;
        for word in line.split(' ') {
            let width = word.chars().count();
            if column > 0 && column + 1 + width > columns {
                out.push('\n');
                column = 0;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += width;
        }
    }
    out
}

fn all(output: &mut Output) -> Result<(), Failure> {
    if output.json() {
        let codes: Vec<_> = Code::all().map(summary).collect();
        return output.json_value(&codes);
    }
    let mut rows = Rows::new(&["CODE", "NAME", "KIND", "WHAT"]);
    for code in Code::all() {
        rows.push([&code.to_string(), code.name(), code.kind().name(), code.title()]);
    }
    output.table(&rows)
}

fn summary(code: Code) -> serde_json::Value {
    json!({
        "code": code.to_string(),
        "name": code.name(),
        "kind": code.kind().name(),
        "title": code.title(),
        "retryable": code.is_retryable(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        let table = [
            ("a bc def", 20, "a bc def"),
            ("a bc def", 4, "a bc\ndef"),
            ("a bc def", 3, "a\nbc\ndef"),
            ("toolong x", 3, "toolong\nx"),
            ("a\n\nb c", 3, "a\n\nb c"),
            ("ää öö", 5, "ää öö"),
            ("", 3, ""),
        ];
        for (text, columns, want) in table {
            assert_eq!(wrapped(text, columns), want, "{text:?} in {columns}");
        }
    }
}
