//! `mesh pub`

use std::ffi::OsString;
use std::time::Instant;

use bytes::Bytes;
use clap::Args;
use mesh_client::{Client, Headers};
use serde_json::json;

use crate::failure::Failure;
use crate::header_arg::{self, HeaderArg};
use crate::input;
use crate::quantity;
use crate::session::{self, Lost, Session};
use crate::subjects;

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mesh pub orders.created '{\"id\": 7}'
  mesh pub orders.created '{\"id\": 7}' -H tenant:a -H attempt:1
  mesh pub images.raw - < photo.jpg            the body is what comes on standard input
  journalctl -f | mesh pub logs.host --lines   one message per line
  mesh pub load.test x --count 10k

A message goes to those who are subscribed now, at most once; nobody confirms it. The command ends
when the node has taken all of them.";

/// `mesh pub SUBJECT [BODY]`
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where to
    #[arg(value_name = "SUBJECT")]
    subject: String,
    /// What; `-` reads it from standard input, nothing is an empty body
    #[arg(value_name = "BODY", allow_negative_numbers = true)]
    body: Option<OsString>,
    /// A header; can be given more than once
    #[arg(short = 'H', long = "header", value_name = "NAME:VALUE")]
    headers: Vec<HeaderArg>,
    /// The message's key
    #[arg(long)]
    key: Option<String>,
    /// One message for each line of standard input
    #[arg(long)]
    lines: bool,
    /// Publish it this often
    #[arg(long, value_name = "N", default_value = "1", value_parser = quantity::count, conflicts_with = "lines")]
    count: u64,
}

/// Publishes.
pub(crate) async fn run(options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    let subject = subjects::to_publish(&options.subject)?;
    let headers = header_arg::headers(&options.headers)?;
    if options.lines && options.body.as_ref().is_some_and(|body| body != "-") {
        return Err(Failure::usage("--lines takes the bodies from standard input")
            .hint(format!("mesh pub {subject} --lines < FILE")));
    }
    let body = if options.lines { None } else { options.body.clone() };
    let whole = session.stop.or(input::body(body)).await??;
    let client = session.connect(Lost::Ends).await?;
    let mut events = client.events();
    let mut publisher = Publisher {
        client: &client,
        subject,
        headers: &headers,
        key: options.key.as_deref(),
        sent: 0,
        bytes: 0,
    };
    let started = Instant::now();
    let mut stop = session.stop.clone();
    let done = stop
        .or(async {
            if options.lines {
                publisher.lines().await?;
            } else {
                for _ in 0..options.count {
                    publisher.send(&whole).await?;
                }
            }
            client.flush().await.map_err(Failure::from)
        })
        .await
        .and_then(|done| done);
    let Publisher { sent, bytes, .. } = publisher;
    if sent == 0 && done.is_err() {
        // Only the error is worth telling.
    } else if session.output.json() {
        let seconds = started.elapsed().as_secs_f64();
        session.output.json_line(&json!({
            "published": sent, "bytes": bytes, "subject": subject, "seconds": seconds,
        }))?;
        session.output.flush()?;
    } else {
        let messages = if sent == 1 { "message" } else { "messages" };
        session.output.note(format_args!("published {sent} {messages} ({bytes} bytes) to {subject}"));
    }
    done?;
    match session::refused(&mut events) {
        Some(refusal) => Err(refusal),
        None => {
            client.close().await;
            Ok(())
        }
    }
}

struct Publisher<'a> {
    client: &'a Client,
    subject: &'a str,
    headers: &'a Headers,
    key: Option<&'a str>,
    sent: u64,
    bytes: u64,
}

impl Publisher<'_> {
    async fn send(&mut self, body: &Bytes) -> Result<(), Failure> {
        let mut message = self.client.publish(self.subject, body.clone());
        for (name, value) in self.headers {
            message = message.header(name, value);
        }
        if let Some(key) = self.key {
            message = message.key(key);
        }
        message.await?;
        self.sent += 1;
        self.bytes += body.len() as u64;
        Ok(())
    }

    /// Each line as it comes; the outbox is written whenever no further line is there.
    async fn lines(&mut self) -> Result<(), Failure> {
        let mut batches = input::lines();
        while let Some(batch) = batches.recv().await {
            for line in batch? {
                self.send(&line).await?;
            }
        }
        Ok(())
    }
}
