//! The configuration file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::raw::Raw;
use super::reader::Given;
use super::{Error, Source};

/// Largest configuration file, in bytes.
pub const FILE_BYTES: u64 = 1024 * 1024;

/// Reads the file and gives what it says, in the order of its lines.
pub(super) fn read(path: &Path) -> Result<Vec<Given>, Error> {
    let text = read_text(path)?;
    let table = DeTable::parse(&text).map_err(|error| Error::Syntax {
        path: path.to_owned(),
        // The first line says where, the last one what; between them stands the source text.
        message: match error.span() {
            Some(span) => format!("line {}: {}", line_of(&text, span.start), error.message()),
            None => error.message().to_owned(),
        },
    })?;
    let file = FileText { path: Arc::new(path.to_owned()), text: &text };
    let mut given = Vec::new();
    file.flatten("", table.get_ref(), &mut given);
    Ok(given)
}

fn read_text(path: &Path) -> Result<String, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(unreadable(io::ErrorKind::IsADirectory.into()));
    }
    let mut text = String::new();
    let read = file.take(FILE_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if read as u64 > FILE_BYTES { Err(Error::TooLarge { path: path.to_owned() }) } else { Ok(text) }
}

struct FileText<'a> {
    path: Arc<std::path::PathBuf>,
    text: &'a str,
}

impl FileText<'_> {
    /// Adds every value of `table` under its dotted key. The parser bounds how deep tables nest.
    fn flatten(&self, prefix: &str, table: &DeTable<'_>, given: &mut Vec<Given>) {
        for (name, value) in table {
            let key = match prefix {
                "" => name.get_ref().to_string(),
                _ => format!("{prefix}.{}", name.get_ref()),
            };
            match value.get_ref() {
                DeValue::Table(inner) if !inner.is_empty() => self.flatten(&key, inner, given),
                other => {
                    let source =
                        Source::File { path: self.path.clone(), line: line_of(self.text, name.span().start) };
                    given.push(Given { key, raw: raw(other), source });
                }
            }
        }
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("number out of range"), Raw::Integer),
        DeValue::Array(values) => Raw::List(values.iter().map(Spanned::get_ref).map(raw).collect()),
        DeValue::Float(_) => Raw::Other("fraction"),
        DeValue::Boolean(on) => Raw::Boolean(*on),
        DeValue::Datetime(_) => Raw::Other("date"),
        DeValue::Table(_) => Raw::Other("table"),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count()
}
