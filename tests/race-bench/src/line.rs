//! JSON lines on stdout.

use std::io::{self, Write};

use serde_json::{Value, json};

/// Prints `value` as one line and flushes it, so that whoever waits for it sees it now.
///
/// # Errors
/// When stdout is closed.
pub fn emit(value: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{value}")?;
    out.flush()
}

/// Says that what was to be set up, is; `more` are further fields (an object).
///
/// # Errors
/// When stdout is closed.
pub fn ready(mut more: Value) -> io::Result<()> {
    if let Some(fields) = more.as_object_mut() {
        fields.insert("ready".into(), json!(true));
    }
    emit(&more)
}
