//! `mesh bench`

mod clients;
mod closed;
mod connections;
mod latency;
mod load;
mod open;
mod pacer;
mod publish;
mod reply;
mod report;
mod request;
mod subscribe;
mod subscriptions;

use clap::{Args, Subcommand};

use self::load::Load;
use crate::failure::Failure;
use crate::session::Session;

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples, each pair in two terminals:
  mesh bench sub bench.a --count 1M
  mesh bench pub bench.a --count 1M --size 128

  mesh bench reply bench.echo
  mesh bench request bench.echo --count 100k               one request at a time
  mesh bench request bench.echo --count 1M --window 256    256 at once
  mesh bench request bench.echo --count 60k --rate 1k      a fixed rate

At a fixed rate a latency counts from the moment at which the request was due, so that a stall is
not hidden by the requests that it held back. Counts and sizes take units: 10k, 2M, 64KiB.";

/// `mesh bench …`
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Publish messages as fast as the node takes them, or at a rate
    #[command(name = "pub")]
    Publish(Load),
    /// Receive messages, and tell how fast they came and how many were lost
    #[command(name = "sub")]
    Subscribe(subscribe::Options),
    /// Send requests: some at a time, or at a rate
    Request(Load),
    /// Answer requests with their own body
    Reply(reply::Options),
    /// Hold connections with one subscription each, until standard input ends
    Connections(connections::Options),
    /// Hold subscriptions on one connection, until standard input ends
    Subscriptions(subscriptions::Options),
}

impl Options {
    /// Whether it is publishing that is measured.
    pub(crate) fn is_publishing(&self) -> bool {
        matches!(self.what, What::Publish(_))
    }
}

/// Measures.
pub(crate) async fn run(options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    match &options.what {
        What::Publish(load) => publish::run(load, session).await,
        What::Subscribe(options) => subscribe::run(options, session).await,
        What::Request(load) => request::run(load, session).await,
        What::Reply(options) => reply::run(options, session).await,
        What::Connections(options) => connections::run(options, session).await,
        What::Subscriptions(options) => subscriptions::run(options, session).await,
    }
}
