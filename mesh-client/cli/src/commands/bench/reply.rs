//! `mesh bench reply`

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use mesh_client::Code;
use mesh_client::serve::Request;
use tokio::sync::Notify;

use super::clients;
use super::load::Shared;
use super::report::{Form, Report};
use crate::failure::Failure;
use crate::output::Ready;
use crate::quantity;
use crate::session::Session;
use crate::subjects;

/// `mesh bench reply SUBJECT`
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// What to answer on
    #[arg(value_name = "SUBJECT")]
    subject: String,
    /// End after this many requests; otherwise with a signal
    #[arg(long, value_name = "N", value_parser = quantity::count)]
    count: Option<u64>,
    /// The group that shares the requests
    #[arg(long, value_name = "NAME", default_value = "bench")]
    group: String,
    /// Bytes of each body; taken so that both ends take the same options, the requests decide
    #[arg(long, value_name = "BYTES", value_parser = quantity::size, hide_short_help = true)]
    size: Option<usize>,
    /// Requests that are worked on at once on each connection
    #[arg(long, value_name = "W", default_value = "4096", value_parser = clap::value_parser!(u32).range(1..=65_535))]
    window: u32,
    #[command(flatten)]
    shared: Shared,
}

/// Answers until there were enough, or until a signal, and tells how many they were.
pub(super) async fn run(options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    let subject = subjects::to_subscribe(&options.subject)?;
    let clients = clients::connect(session, options.shared.clients).await?;
    let tally = Arc::new(Tally::new(options.count));
    let mut stop = session.stop.clone();
    let servers = stop
        .or(clients::each(&clients, |_, client| {
            let tally = Arc::clone(&tally);
            let handler = move |request: Request| {
                tally.count(request.message().as_bytes().len());
                std::future::ready(request.message().clone())
            };
            let service = client
                .serve("mesh-bench")
                .description("echoes for a measurement")
                .handle_subject(subject, handler)
                .group(&options.group)
                .concurrency(options.window);
            async { Ok(service.spawn().await?) }
        }))
        .await??;
    let form = options.shared.form(session.output);
    if form == Form::Json {
        session.output.ready(&Ready::default())?;
    }
    session.output.warn(format_args!("answering on {subject}"));

    let ended = tokio::select! {
        exit = stop.wait() => Err(Failure::Stopped(exit)),
        () = tally.enough.notified() => Ok(()),
        ((), _, _) = futures_util::future::select_all(servers.iter().map(|server| Box::pin(server.join()))) => {
            Err(Failure::new(Code::Disconnected, "the connection was closed"))
        }
    };
    for server in &servers {
        server.drain().await;
    }
    let report =
        Report { clients: options.shared.clients.into(), window: options.window.into(), ..tally.report() };
    report.write(form, session.output)?;
    drop(servers);
    clients::close(clients).await;
    ended
}

/// What was answered; times in nanoseconds from the start, so that they can be shared without a lock.
#[derive(Debug)]
struct Tally {
    started: Instant,
    limit: Option<u64>,
    count: AtomicU64,
    bytes: AtomicU64,
    first_ns: AtomicU64,
    last_ns: AtomicU64,
    enough: Notify,
}

impl Tally {
    fn new(limit: Option<u64>) -> Self {
        Self {
            started: Instant::now(),
            limit,
            count: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            first_ns: AtomicU64::new(0),
            last_ns: AtomicU64::new(0),
            enough: Notify::new(),
        }
    }

    /// Counts a request. The clock is read for one in 64: it costs as much as the rest.
    #[inline]
    fn count(&self, bytes: usize) {
        let before = self.count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let last = self.limit == Some(before + 1);
        if before.is_multiple_of(64) || last {
            let ns = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            if before == 0 {
                self.first_ns.store(ns, Ordering::Relaxed);
            }
            self.last_ns.store(ns, Ordering::Relaxed);
        }
        if last {
            self.enough.notify_one();
        }
    }

    fn report(&self) -> Report {
        let ns = self.last_ns.load(Ordering::Relaxed).saturating_sub(self.first_ns.load(Ordering::Relaxed));
        let (count, bytes) = (self.count.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        Report::new("reply", count, bytes, Duration::from_nanos(ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn enough_is_told_with_the_last() {
        let tally = Tally::new(Some(65));
        for _ in 0..64 {
            tally.count(2);
        }
        assert!(tally.enough.notified().now_or_never().is_none());
        tally.count(2);
        assert!(tally.enough.notified().now_or_never().is_some());
        let report = tally.report();
        assert_eq!((report.count, report.size), (65, 2));
        assert!(report.seconds > 0.0);
    }
}
