//! The effective configuration as a file.

use std::fmt::Write;

use super::Entry;

/// One line per key, tables in the order in which they come.
pub(super) fn to_toml(entries: &[Entry]) -> String {
    let mut text = String::new();
    let mut current = "";
    for Entry { key, value, source, .. } in entries {
        let (table, name) = key.rsplit_once('.').unwrap_or(("", key));
        if table != current {
            current = table;
            text.push_str(&format!("\n[{table}]\n"));
        }
        // Writing into a String does not fail.
        writeln!(text, "{name} = {value}  # {}", one_line(&source.to_string())).unwrap_or_default();
    }
    text
}

/// A comment ends with its line, and the name of a file or a variable may hold anything.
fn one_line(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '?' } else { char }).collect()
}
