//! `mesh bench request`

use std::sync::Arc;
use std::time::{Duration, Instant};

use mesh_client::{Client, Code, Error};
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::latency::Latencies;
use super::load::{Load, shares};
use super::report::Report;
use super::{clients, closed, open};
use crate::failure::Failure;
use crate::session::Session;
use crate::subjects;

/// Requests under way at once with a fixed rate, when nothing else was said.
const OPEN_WINDOW: u32 = 4_096;

/// Sends requests, waits for the answers, and tells how long they took.
pub(super) async fn run(load: &Load, session: &mut Session<'_>) -> Result<(), Failure> {
    let subject = subjects::to_request(&load.subject)?;
    let clients = clients::connect(session, load.shared.clients).await?;
    let work = Arc::new(Work {
        subject: subject.to_owned(),
        body: vec![b'r'; load.size],
        window: load.window.unwrap_or(if load.rate.is_some() { OPEN_WINDOW } else { 1 }),
        timeout: session.global.timeout,
        tally: Mutex::new(Tally::new()),
    });
    let shares = shares(load.count, load.shared.clients);
    let mut stop = session.stop.clone();
    let started = Instant::now();
    let rate = load.rate.map(|rate| (rate / u64::from(load.shared.clients)).max(1));
    // Each in a task beside that of its connection: to be woken by a task, the future that the runtime blocks on costs
    // a system call per answer.
    let mut running = JoinSet::new();
    for (client, count) in clients.iter().zip(shares) {
        running.spawn(ask(client.clone(), Arc::clone(&work), count, rate));
    }
    let done = stop.or(all(running)).await;
    let took = started.elapsed();
    let tally = std::mem::replace(&mut *work.tally.lock(), Tally::new());
    // A wrong subject is an error, not a measurement of nothing.
    if let (0, Some(error)) = (tally.answered, tally.error) {
        return Err(error.into());
    }
    let report = Report {
        size: load.size as u64,
        errors: tally.errors,
        clients: load.shared.clients.into(),
        window: work.window.into(),
        ..Report::new("request", tally.answered, tally.answered * load.size as u64, took)
    }
    .between(started, started + took);
    report.latencies(&tally.latencies).write(load.shared.form(session.output), session.output)?;
    done??;
    clients::close(clients).await;
    match tally.errors {
        0 => Ok(()),
        errors => Err(Failure::new(
            Code::BenchIncomplete,
            format!("{errors} of {} requests were not answered", load.count),
        )),
    }
}

/// Sends the requests of one connection.
async fn ask(client: Client, work: Arc<Work>, count: u64, rate: Option<u64>) -> Result<(), Failure> {
    match rate {
        None => closed::run(&client, &work, count).await,
        Some(rate) => open::run(&client, &work, count, rate).await,
    }
}

/// Completes when all have, or one fails: the others are given up then.
async fn all(mut running: JoinSet<Result<(), Failure>>) -> Result<(), Failure> {
    while let Some(ended) = running.join_next().await {
        ended
            .map_err(|error| Failure::new(Code::InternalError, "the measurement broke off").cause(error))??;
    }
    Ok(())
}

/// What is asked, and what came of it.
pub(super) struct Work {
    /// Whom.
    pub(super) subject: String,
    /// What.
    pub(super) body: Vec<u8>,
    /// At once, on each connection.
    pub(super) window: u32,
    /// How long each may take.
    pub(super) timeout: Duration,
    /// What came of it, on all connections.
    pub(super) tally: Mutex<Tally>,
}

/// What came of the requests.
pub(super) struct Tally {
    latencies: Latencies,
    answered: u64,
    errors: u64,
    error: Option<Error>,
}

impl Tally {
    fn new() -> Self {
        Self { latencies: Latencies::new(), answered: 0, errors: 0, error: None }
    }

    /// Counts one; whether it is worth going on: without an answer so far, it is not.
    #[inline]
    pub(super) fn count<T>(&mut self, result: Result<T, Error>, since: Instant) -> bool {
        match result {
            Ok(_) => {
                self.answered += 1;
                self.latencies.record(since.elapsed());
                true
            }
            Err(error) => {
                self.errors += 1;
                self.error.get_or_insert(error);
                self.answered > 0
            }
        }
    }
}
