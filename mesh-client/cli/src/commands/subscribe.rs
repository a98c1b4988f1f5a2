//! `mesh sub`

use std::io::Write as _;

use clap::Args;
use mesh_client::{ConnectionEvent, Message};
use mesh_wire::code::Code;

use crate::failure::Failure;
use crate::message::MessageView;
use crate::output::Output;
use crate::quantity;
use crate::session::{self, Lost, Session};
use crate::subjects;

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mesh sub 'orders.*.created'          `*` stands for one token
  mesh sub 'orders.>'                  `>` stands for all that follow
  mesh sub 'orders.>' --count 3 --json
  mesh sub logs.host --raw | grep -i error
  mesh sub jobs --group workers        members of a group share the messages

With --json each message is one line: subject, headers, body, and body_base64 when the body is not
UTF-8. A header that is there once has its value, one that is there more often an array of them.";

/// `mesh sub PATTERN`
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Which subjects
    #[arg(value_name = "PATTERN")]
    pattern: String,
    /// End after this many messages
    #[arg(long, value_name = "N", value_parser = quantity::count)]
    count: Option<u64>,
    /// Share the messages with the other members of this group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Print bodies only, each with a line break behind it
    #[arg(long, conflicts_with = "json")]
    raw: bool,
}

/// Prints messages until there were enough, or until a signal.
pub(crate) async fn run(options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    let pattern = subjects::to_subscribe(&options.pattern)?;
    let client = session.connect(Lost::Waits).await?;
    let mut events = client.events();
    let mut subscribing = client.subscribe(pattern);
    if let Some(group) = &options.group {
        subscribing = subscribing.group(group);
    }
    let mut stop = session.stop.clone();
    let mut subscription = stop.or(async { subscribing.await }).await??;
    // Whoever started this can wait for the line.
    session.output.warn(format_args!("subscribed to {pattern}"));

    let mut printer = Printer { raw: options.raw, left: options.count.unwrap_or(u64::MAX), printed: 0 };
    let mut was_lost = false;
    let ended = loop {
        tokio::select! {
            biased;
            exit = stop.wait() => break Err(Failure::Stopped(exit)),
            batch = subscription.next_batch() => match batch {
                Some(batch) => {
                    printer.print(batch, session.output)?;
                    if printer.left == 0 {
                        break Ok(());
                    }
                }
                None => break Err(match subscription.error() {
                    Some(error) => Failure::new(error.code(), error.message()).cause(error.cause()).hint(error.hint()),
                    None => Failure::new(Code::Disconnected, "the connection was closed"),
                }),
            },
            Some(event) = events.next() => {
                was_lost |= matches!(event, ConnectionEvent::Disconnected { .. });
                let again = was_lost || !matches!(event, ConnectionEvent::Connected { .. });
                if let Some(text) = session::told(&event).filter(|_| again) {
                    session.output.warn(text);
                }
            }
        }
    };
    let dropped = subscription.dropped();
    if dropped > 0 {
        session.output.warn(format_args!("{dropped} messages were dropped: this reader was too slow"));
    }
    if matches!(ended, Err(Failure::Stopped(_))) {
        session.output.note(format_args!("{} messages", printer.printed));
    }
    drop(subscription);
    client.close().await;
    ended
}

struct Printer {
    raw: bool,
    left: u64,
    printed: u64,
}

impl Printer {
    /// Prints what is there, and shows it before more is waited for.
    fn print(&mut self, batch: impl Iterator<Item = Message>, output: &mut Output) -> Result<(), Failure> {
        for message in batch {
            self.printed += 1;
            self.left -= 1;
            if output.json() {
                output.json_line(&MessageView::of(&message))?;
            } else if self.raw {
                output.data().write_all(message.as_bytes())?;
                output.data().write_all(b"\n")?;
            } else {
                MessageView::of(&message).write_for_people(self.printed, output.data())?;
            }
            if self.left == 0 {
                break;
            }
        }
        output.flush()
    }
}
