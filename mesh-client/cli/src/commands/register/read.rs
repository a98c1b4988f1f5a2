//! `mesh register read`

use std::borrow::Cow;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mesh_client::Stored;
use mesh_wire::limits::FETCH_BYTES_MAX;
use serde_json::json;

use super::ReadOptions;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::{Lost, Session};
use crate::style::printable;

/// Prints records up to the one that was the last when it was asked, or as many as were wanted.
pub(super) async fn run(name: &str, options: &ReadOptions, session: &mut Session<'_>) -> Result<(), Failure> {
    let client = session.connect(Lost::Waits).await?;
    let mut stop = session.stop.clone();
    let output = &mut *session.output;
    let reading = async {
        let register = client.existing_register(name).await?;
        let (mut from, mut left) = (options.from, options.count.unwrap_or(u64::MAX));
        let mut head = None;
        while left > 0 {
            let read = match options.local {
                true => register.read_local(from, FETCH_BYTES_MAX).await?,
                false => register.read(from, FETCH_BYTES_MAX).await?,
            };
            // Whoever appends all the time does not keep this going for ever.
            let head = *head.get_or_insert(read.head());
            let ended = read.is_end() || read.next() >= head || read.next() <= from;
            from = read.next();
            for stored in read.records().iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
                print(stored, options.raw, output)?;
                left -= 1;
            }
            output.flush()?;
            if ended {
                break;
            }
        }
        Ok::<_, Failure>(())
    };
    stop.or(reading).await??;
    client.close().await;
    Ok(())
}

fn print(stored: &Stored, raw: bool, output: &mut Output) -> Result<(), Failure> {
    let value = &stored.value;
    if output.json() {
        let text = String::from_utf8_lossy(value);
        let mut line = json!({ "sequence": stored.sequence, "body": &text });
        // Borrowed means that nothing had to be replaced.
        if let (Cow::Owned(_), Some(fields)) = (&text, line.as_object_mut()) {
            fields.insert("body_base64".to_owned(), STANDARD.encode(value).into());
        }
        return output.json_line(&line);
    }
    match std::str::from_utf8(value) {
        Ok(text) if !raw && output.terminal() => output.line(printable(text)),
        _ => {
            output.data().write_all(value)?;
            if !raw {
                output.data().write_all(b"\n")?;
            }
            Ok(())
        }
    }
}
