//! How what was done is told.

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::output::Output;
use crate::table;

/// What was done: to a person in two columns and with what to type next, to a program as one object.
pub(super) struct Report<'a> {
    /// Names and values for a person.
    pub(super) lines: Vec<(&'a str, String)>,
    /// The same for a program.
    pub(super) json: Value,
    /// What to do next.
    pub(super) next: Vec<String>,
}

impl Report<'_> {
    /// Writes it.
    pub(super) fn write(self, output: &mut Output) -> Result<(), Failure> {
        if output.json() {
            return output.json_value(&self.json);
        }
        output.line(table::pairs(self.lines))?;
        output.flush()?;
        for line in self.next {
            output.note(format_args!("next: {line}"));
        }
        Ok(())
    }
}

/// An object of these fields.
pub(super) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

/// A path as a word for the shell.
pub(super) fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |char: char| char.is_alphanumeric() || "/._-+:@%,".contains(char);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// A time in UTC, to the second.
pub(super) fn moment(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// When something that begins now ends.
pub(super) fn end(validity: Duration) -> SystemTime {
    SystemTime::now() + validity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_the_shell() {
        for (path, want) in [
            ("certs/ca.pem", "certs/ca.pem"),
            ("my certs", "'my certs'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
            ("$(rm)", "'$(rm)'"),
        ] {
            assert_eq!(word(Path::new(path)), want);
        }
    }
}
