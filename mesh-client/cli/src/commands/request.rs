//! `mesh request`

use std::ffi::OsString;
use std::io::Write as _;
use std::time::Duration;

use clap::Args;
use mesh_client::{Code, Message, Replies};

use crate::failure::Failure;
use crate::header_arg::{self, HeaderArg};
use crate::input;
use crate::message::MessageView;
use crate::output::Output;
use crate::quantity;
use crate::session::{Lost, Session};
use crate::style::printable;
use crate::subjects;

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mesh request orders.get 7 --timeout 2s
  mesh request orders.get 7 -H tenant:a --json
  mesh request thumbnails.resize - < photo.jpg > small.jpg
  mesh request workers.status --many           asks everybody, prints every answer
  mesh request '$mesh.node.info'               asks the node itself

Prints the body of the answer; a line break is added to text that has none at its end, nothing to
anything else, and with --raw nothing at all. Exit status 3: nobody is there to answer, told at once.
4: no answer in time. 7: the answer is an error.";

/// `mesh request SUBJECT [BODY]`
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Whom to ask
    #[arg(value_name = "SUBJECT")]
    subject: String,
    /// What; `-` reads it from standard input, nothing is an empty body
    #[arg(value_name = "BODY", allow_negative_numbers = true)]
    body: Option<OsString>,
    /// A header; can be given more than once
    #[arg(short = 'H', long = "header", value_name = "NAME:VALUE")]
    headers: Vec<HeaderArg>,
    /// The request's key
    #[arg(long, conflicts_with = "many")]
    key: Option<String>,
    /// Doing it twice does no harm: it may be tried again before the deadline
    #[arg(long, conflicts_with = "many")]
    idempotent: bool,
    /// Ask everybody who answers there; one of each group
    #[arg(long)]
    many: bool,
    /// End after this many answers
    #[arg(long, value_name = "N", requires = "many", value_parser = clap::value_parser!(u32).range(1..))]
    max: Option<u32>,
    /// End when no answer came for this long after the last one
    #[arg(long, value_name = "TIME", requires = "many", value_parser = quantity::timeout)]
    silence: Option<Duration>,
    /// Print each reply of a responder that answers in a series
    #[arg(long, conflicts_with = "many")]
    stream: bool,
    /// Print the body as it is, without a line break behind it
    #[arg(long, conflicts_with = "json")]
    raw: bool,
}

/// Asks, and prints what is answered.
pub(crate) async fn run(options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    let subject = subjects::to_request(&options.subject)?;
    let headers = header_arg::headers(&options.headers)?;
    let body = session.stop.or(input::body(options.body.clone())).await??;
    let client = session.connect(Lost::Ends).await?;
    let mut stop = session.stop.clone();
    let timeout = session.global.timeout;
    let asked = async {
        if options.many {
            let mut request = client.request_many(subject, body).timeout(timeout);
            for (name, value) in &headers {
                request = request.header(name, value);
            }
            if let Some(max) = options.max {
                request = request.max(max);
            }
            if let Some(silence) = options.silence {
                request = request.silence(silence);
            }
            return print_all(request.await?, options, session.output).await;
        }
        let mut request = client.request(subject, body).timeout(timeout);
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        if let Some(key) = &options.key {
            request = request.key(key);
        }
        if options.idempotent {
            request = request.idempotent();
        }
        if options.stream {
            return print_all(request.stream().await?, options, session.output).await;
        }
        print(&request.await?, options, session.output)
    };
    stop.or(asked).await??;
    client.close().await;
    Ok(())
}

/// Prints replies as they come. The failure of one of several is told, and the others are waited for.
async fn print_all(mut replies: Replies, options: &Options, output: &mut Output) -> Result<(), Failure> {
    let mut printed = 0_u64;
    let mut last_failure = None;
    while let Some(reply) = replies.next().await {
        match reply {
            Ok(message) => {
                printed += 1;
                print(&message, options, output)?;
            }
            Err(error) => {
                if let Some(Failure::Error(earlier)) = last_failure.replace(Failure::from(error)) {
                    output.error(&earlier);
                }
            }
        }
    }
    match last_failure {
        Some(failure) => Err(failure),
        None if printed == 0 => Err(Failure::new(
            Code::RequestDeadline,
            format!("nobody answered on {:?} in time", options.subject),
        )),
        None => {
            output.note(format_args!("{printed} {}", if printed == 1 { "answer" } else { "answers" }));
            Ok(())
        }
    }
}

fn print(reply: &Message, options: &Options, output: &mut Output) -> Result<(), Failure> {
    if output.json() {
        output.json_line(&MessageView::of(reply))?;
        return output.flush();
    }
    let bytes = reply.as_bytes();
    match std::str::from_utf8(bytes) {
        Ok(text) if !options.raw => {
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            if output.terminal() {
                write!(output.data(), "{}{end}", printable(text))?;
            } else {
                write!(output.data(), "{text}{end}")?;
            }
        }
        _ => output.data().write_all(bytes)?,
    }
    output.flush()
}
