//! `mesh reply`

mod answer;
mod shell;

use std::ffi::OsString;
use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Args;
use mesh_client::serve::{Request, Server};
use mesh_client::{Code, ConnectionEvent};
use serde_json::json;
use tokio::sync::Notify;

use self::answer::Answer;
use crate::failure::Failure;
use crate::header_arg::{self, HeaderArg};
use crate::input;
use crate::output::Ready;
use crate::quantity;
use crate::session::{self, Lost, Session};
use crate::subjects;

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mesh reply echo.it --echo
  mesh reply time.now --command date
  mesh reply text.upper --command 'tr a-z A-Z' --group upper
  mesh reply health.mine ok --count 1

A command gets the request's body on standard input and MESH_SUBJECT in its environment; what it
prints is the answer. If it fails, the requester gets an error with its exit status.";

/// Calls that are worked on at once when each starts a process.
const COMMANDS_AT_ONCE: u32 = 16;
/// And otherwise.
const CALLS_AT_ONCE: u32 = 1_024;

/// `mesh reply SUBJECT`
#[derive(Debug, Args)]
#[command(override_usage = "mesh reply [OPTIONS] <SUBJECT> <BODY | --echo | --command CMD>")]
#[command(group(clap::ArgGroup::new("answer").required(true).args(["body", "echo", "command"])))]
pub(crate) struct Options {
    /// What to answer on; may be a pattern
    #[arg(value_name = "SUBJECT")]
    subject: String,
    /// The answer; `-` reads it from standard input
    #[arg(value_name = "BODY", allow_negative_numbers = true)]
    body: Option<OsString>,
    /// Answer with the request's own body and headers
    #[arg(long)]
    echo: bool,
    /// Answer with what this shell command prints
    #[arg(long, value_name = "CMD")]
    command: Option<String>,
    /// A header of the answer; can be given more than once
    #[arg(short = 'H', long = "header", value_name = "NAME:VALUE", conflicts_with = "echo")]
    headers: Vec<HeaderArg>,
    /// End after this many requests
    #[arg(long, value_name = "N", value_parser = quantity::count)]
    count: Option<u64>,
    /// Share the requests with the other members of this group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// The name of the service, as `mesh service ls` shows it
    #[arg(long, value_name = "NAME", default_value = "mesh-reply")]
    service: String,
    /// Requests that are worked on at once [default: 1024, with --command 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65_535))]
    concurrency: Option<u32>,
}

/// Answers until there were enough, or until a signal.
pub(crate) async fn run(options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    let subject = subjects::to_subscribe(&options.subject)?;
    let headers = header_arg::headers(&options.headers)?;
    let answer = match &options.command {
        _ if options.echo => Answer::Echo,
        Some(command) => Answer::Command { command: command.clone(), headers },
        None => {
            let body = session.stop.or(input::body(options.body.clone())).await??;
            Answer::Body { body, headers }
        }
    };
    let at_once = if options.command.is_some() { COMMANDS_AT_ONCE } else { CALLS_AT_ONCE };
    let client = session.connect(Lost::Waits).await?;
    let mut events = client.events();
    let counter = Arc::new(Counter::new(options.count));
    let handler = {
        let (counter, answer) = (Arc::clone(&counter), Arc::new(answer));
        move |request: Request| {
            let (counter, answer) = (Arc::clone(&counter), Arc::clone(&answer));
            async move {
                let number = counter.take();
                let response = answer.to(&request).await;
                counter.hold_back_last(number).await;
                response
            }
        }
    };
    let mut service = client
        .serve(&options.service)
        .version(env!("CARGO_PKG_VERSION"))
        .description("answers from the command line")
        .handle_subject(subject, handler)
        .concurrency(options.concurrency.unwrap_or(at_once));
    service = match &options.group {
        Some(group) => service.group(group),
        None => service.ungrouped(),
    };
    let mut stop = session.stop.clone();
    let server = stop.or(service.spawn()).await??;
    if session.output.json() {
        session.output.ready(&Ready { subject: Some(subject), ..Ready::default() })?;
    }
    session.output.note(format_args!("answering on {subject}"));

    let ended = loop {
        tokio::select! {
            biased;
            exit = stop.wait() => break Err(Failure::Stopped(exit)),
            () = counter.last_taken.notified() => break Ok(()),
            () = server.join() => break Err(Failure::new(Code::Disconnected, "the service was ended")),
            Some(event) = events.next() => match session::told(&event) {
                // The first connection is no news.
                Some(text) if !matches!(event, ConnectionEvent::Connected { .. }) => session.output.warn(text),
                _ => {}
            },
        }
    };
    finish(&server, &counter).await;
    drop(server);
    client.close().await;
    let answered = counter.answered();
    if session.output.json() {
        session.output.json_line(&json!({"answered": answered}))?;
        session.output.flush()?;
    }
    session
        .output
        .note(format_args!("answered {answered} {}", if answered == 1 { "request" } else { "requests" }));
    ended
}

/// Stops intake, then lets the last answer go: a requester who has it can rely on nobody being here any more.
async fn finish(server: &Server, counter: &Counter) {
    let mut drained = pin!(server.drain());
    std::future::poll_fn(|cx| {
        // Its first step deregisters.
        let first = drained.as_mut().poll(cx);
        counter.intake_stopped.notify_one();
        first
    })
    .await;
}

/// Counts requests, and holds the answer to the last one back until intake has stopped.
#[derive(Debug)]
struct Counter {
    limit: Option<u64>,
    taken: AtomicU64,
    answered: AtomicU64,
    last_taken: Notify,
    intake_stopped: Notify,
}

impl Counter {
    fn new(limit: Option<u64>) -> Self {
        Self {
            limit,
            taken: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            last_taken: Notify::new(),
            intake_stopped: Notify::new(),
        }
    }

    /// The number of this request, from 1.
    fn take(&self) -> u64 {
        self.taken.fetch_add(1, Ordering::Relaxed) + 1
    }

    async fn hold_back_last(&self, number: u64) {
        if Some(number) == self.limit {
            self.last_taken.notify_one();
            self.intake_stopped.notified().await;
        }
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn only_the_last_answer_waits_for_the_end_of_intake() {
        let counter = Counter::new(Some(2));
        let (first, second, third) = (counter.take(), counter.take(), counter.take());
        assert_eq!((first, second, third), (1, 2, 3));
        assert!(counter.hold_back_last(first).now_or_never().is_some());
        assert!(counter.last_taken.notified().now_or_never().is_none());
        let mut held = Box::pin(counter.hold_back_last(second));
        assert!((&mut held).now_or_never().is_none());
        assert!(counter.last_taken.notified().now_or_never().is_some());
        assert!(counter.hold_back_last(third).now_or_never().is_some(), "came too late to be refused");
        counter.intake_stopped.notify_one();
        held.await;
        assert_eq!(counter.answered(), 3);
    }

    #[tokio::test]
    async fn without_a_limit_nothing_waits() {
        let counter = Counter::new(None);
        let number = counter.take();
        assert!(counter.hold_back_last(number).now_or_never().is_some());
    }
}
