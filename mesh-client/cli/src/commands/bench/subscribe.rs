//! `mesh bench sub`

use std::cell::Cell;
use std::time::{Duration, Instant};

use clap::Args;
use mesh_client::Subscription;
use mesh_wire::code::Code;
use mesh_wire::limits::CREDIT_MAX;
use tokio::time::timeout;

use super::clients;
use super::load::Shared;
use super::report::{Form, Report};
use crate::failure::Failure;
use crate::output::Ready;
use crate::quantity;
use crate::session::Session;
use crate::subjects;

/// `mesh bench sub SUBJECT`
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Which subjects
    #[arg(value_name = "PATTERN")]
    pattern: String,
    /// How many are expected: by each connection, or by all of a group together
    #[arg(long, value_name = "N", default_value = "100k", value_parser = quantity::count)]
    count: u64,
    /// End when nothing came for this long after the last one
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = quantity::timeout)]
    idle: Duration,
    /// Share the messages with the other members of this group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Bytes of each body; taken so that both ends take the same options, the messages decide
    #[arg(long, value_name = "BYTES", value_parser = quantity::size, hide_short_help = true)]
    size: Option<usize>,
    /// Messages that wait in this process at most
    #[arg(long, value_name = "W", default_value_t = CREDIT_MAX, value_parser = clap::value_parser!(u32).range(1..=CREDIT_MAX as i64))]
    window: u32,
    #[command(flatten)]
    shared: Shared,
}

/// Receives until all came or no more do, and tells how fast they came.
pub(super) async fn run(options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    let pattern = subjects::to_subscribe(&options.pattern)?;
    let clients = clients::connect(session, options.shared.clients).await?;
    let mut stop = session.stop.clone();
    let subscriptions = stop
        .or(clients::each(&clients, |_, client| async move {
            let mut subscribing = client.subscribe(pattern).capacity(options.window);
            if let Some(group) = &options.group {
                subscribing = subscribing.group(group);
            }
            Ok(subscribing.await?)
        }))
        .await??;
    let form = options.shared.form(session.output);
    if form == Form::Json {
        session.output.ready(&Ready::default())?;
    }
    session.output.warn(format_args!("subscribed to {pattern}"));

    let total = match options.group {
        Some(_) => options.count,
        None => options.count * u64::from(options.shared.clients),
    };
    let shared_count = options.group.is_some().then_some(options.count);
    let tally = Tally::default();
    let mut receivers: Vec<_> = subscriptions
        .into_iter()
        .map(|subscription| Receiver {
            subscription,
            left: options.count,
            idle: options.idle,
            tally: &tally,
            shared_count,
        })
        .collect();
    let done = stop.or(futures_util::future::try_join_all(receivers.iter_mut().map(Receiver::receive))).await;

    let span = tally.first.get().zip(tally.last.get());
    let took = span.map_or(Duration::ZERO, |(first, last)| last - first);
    let mut report = Report {
        lost: total.saturating_sub(tally.count.get()),
        dropped: receivers.iter().map(|receiver| receiver.subscription.dropped()).sum(),
        clients: options.shared.clients.into(),
        window: options.window.into(),
        ..Report::new("sub", tally.count.get(), tally.bytes.get(), took)
    };
    if let Some((first, last)) = span {
        report = report.between(first, last);
    }
    report.write(form, session.output)?;
    done??;
    drop(receivers);
    clients::close(clients).await;
    match report.lost {
        0 => Ok(()),
        lost => Err(Failure::new(Code::BenchIncomplete, format!("{lost} of {total} messages did not come"))),
    }
}

/// What came on all connections.
#[derive(Debug, Default)]
struct Tally {
    count: Cell<u64>,
    bytes: Cell<u64>,
    first: Cell<Option<Instant>>,
    last: Cell<Option<Instant>>,
}

struct Receiver<'a> {
    subscription: Subscription,
    left: u64,
    idle: Duration,
    tally: &'a Tally,
    /// Where the members of a group share the count.
    shared_count: Option<u64>,
}

impl Receiver<'_> {
    async fn receive(&mut self) -> Result<(), Failure> {
        while self.left > 0 && self.shared_count.is_none_or(|count| self.tally.count.get() < count) {
            let Ok(batch) = timeout(self.idle, self.subscription.next_batch()).await else {
                // The first one may take its time: the publisher is started later.
                if self.tally.last.get().is_some_and(|last| last.elapsed() >= self.idle) {
                    return Ok(());
                }
                continue;
            };
            let Some(batch) = batch else {
                return Err(match self.subscription.error() {
                    Some(error) => Failure::new(error.code(), error.message()).cause(error.cause()),
                    None => Failure::new(Code::Disconnected, "the connection was closed"),
                });
            };
            if self.tally.first.get().is_none() {
                self.tally.first.set(Some(Instant::now()));
            }
            let (mut count, mut bytes) = (0, 0);
            for message in batch {
                count += 1;
                bytes += message.as_bytes().len() as u64;
            }
            self.left = self.left.saturating_sub(count);
            self.tally.count.set(self.tally.count.get() + count);
            self.tally.bytes.set(self.tally.bytes.get() + bytes);
            self.tally.last.set(Some(Instant::now()));
        }
        Ok(())
    }
}
