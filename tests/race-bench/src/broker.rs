//! The work of a row, done through a server that passes messages on. One code drives all such servers, so that they
//! do equal work in the same number of processes.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{bail, ensure};
use mesh_race::certificates::Certificates;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::measurement::{Cpu, Measurement, latencies, number};
use crate::process::{Finished, Process};
use crate::row::{REQUEST_SIZE, Row, Work};

/// A server to race, and how its drivers are called.
pub(crate) trait Broker {
    /// Starts a server on loopback, in a folder of its own, and waits until it serves.
    async fn start(&self, scratch: &Path, row: Row) -> anyhow::Result<Server>;

    /// The command that plays `part` against a server that is `at` there.
    fn driver(&self, at: &At, part: Part) -> Command;
}

/// A server that serves.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) at: At,
}

/// How a server is reached.
pub(crate) struct At {
    pub(crate) address: String,
    /// Those that both sides show, where they have to.
    pub(crate) certificates: Option<Certificates>,
}

/// What one driver process does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Publish { size: u32, count: u32 },
    Subscribe { size: u32, count: u32 },
    Reply,
    Request { size: u32, count: u32, window: u32 },
    Connections { count: u32 },
    Subscriptions { count: u32 },
}

impl Part {
    /// The word and the flags by which drivers know the part.
    pub(crate) fn words(self) -> (&'static str, Vec<(&'static str, u32)>) {
        match self {
            Self::Publish { size, count } => ("pub", vec![("--size", size), ("--count", count)]),
            Self::Subscribe { size, count } => ("sub", vec![("--size", size), ("--count", count)]),
            Self::Reply => ("reply", vec![]),
            Self::Request { size, count, window } => {
                ("request", vec![("--size", size), ("--count", count), ("--window", window)])
            }
            Self::Connections { count } => ("connections", vec![("--count", count)]),
            Self::Subscriptions { count } => ("subscriptions", vec![("--count", count)]),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Publish { .. } => "publisher",
            Self::Subscribe { .. } => "subscriber",
            Self::Reply => "responder",
            Self::Request { .. } => "requester",
            Self::Connections { .. } => "connections",
            Self::Subscriptions { .. } => "subscriptions",
        }
    }
}

/// A broker at work: its server and where its processes leave their files.
struct Race<'a, B> {
    broker: &'a B,
    name: &'a str,
    scratch: &'a Path,
    server: Server,
}

/// Starts `broker`, makes it do the work of `row` once, and ends it.
pub(crate) async fn measure<B: Broker>(
    broker: &B,
    name: &str,
    row: Row,
    scratch: &Path,
) -> anyhow::Result<Measurement> {
    let server = broker.start(scratch, row).await?;
    let mut race = Race { broker, name, scratch, server };
    let outcome = match row.work {
        Work::Publish { size, subscribers, messages } => race.publish(size, subscribers, messages).await,
        Work::Bulk { size, messages } => race.bulk(size, messages).await,
        Work::Request { window, requests, .. } => race.request(window, requests).await,
        Work::Idle => race.idle().await,
        Work::Connections { count } => race.connections(count).await,
        Work::Subscriptions { count } => race.subscriptions(count).await,
        Work::Append { .. }
        | Work::AppendOne { .. }
        | Work::IdleGroups { .. }
        | Work::Elections { .. }
        | Work::Transfers { .. } => {
            bail!("brokers of this kind keep nothing")
        }
    };
    // A server that fell over explains more than what its drivers then said.
    race.server.process.check_running()?;
    race.server.process.kill().await?;
    outcome
}

impl<B: Broker> Race<'_, B> {
    fn start(&self, part: Part, nth: u32) -> anyhow::Result<Process> {
        let what = format!("{} {} {nth}", self.name, part.name());
        Process::start(&what, self.broker.driver(&self.server.at, part), self.scratch)
    }

    async fn publish(&mut self, size: u32, subscribers: u32, count: u32) -> anyhow::Result<Measurement> {
        let mut receiving = Vec::new();
        for nth in 0..subscribers {
            let mut subscriber = self.start(Part::Subscribe { size, count }, nth)?;
            subscriber.ready().await?;
            receiving.push(subscriber);
        }
        let before = self.server.process.cpu_seconds()?;
        let published = self.start(Part::Publish { size, count }, 0)?.finish().await?;
        let mut received = Vec::new();
        for subscriber in receiving {
            received.push(subscriber.finish().await?);
        }
        let server = self.server.process.cpu_seconds()? - before;
        let clients = published.cpu_seconds + received.iter().map(|one| one.cpu_seconds).sum::<f64>();
        let seconds = span(&published, &received, count)?;
        let details = BTreeMap::from([("published_per_second".into(), number(&published.report, "rate")?)]);
        Ok(Measurement { value: f64::from(count) / seconds, cpu: Some(Cpu { server, clients }), details })
    }

    async fn bulk(&mut self, size: u32, count: u32) -> anyhow::Result<Measurement> {
        let messages = self.publish(size, 1, count).await?;
        Ok(Measurement { value: messages.value * f64::from(size) / MEGABYTE, ..messages })
    }

    async fn request(&mut self, window: u32, count: u32) -> anyhow::Result<Measurement> {
        let mut responder = self.start(Part::Reply, 0)?;
        responder.ready().await?;
        let before = self.server.process.cpu_seconds()?;
        let answering = responder.cpu_seconds()?;
        let asked = self.start(Part::Request { size: REQUEST_SIZE, count, window }, 0)?.finish().await?;
        let server = self.server.process.cpu_seconds()? - before;
        let clients = asked.cpu_seconds + responder.cpu_seconds()? - answering;
        responder.kill().await?;
        requested(&asked, window, count, Cpu { server, clients })
    }

    async fn idle(&mut self) -> anyhow::Result<Measurement> {
        let mebibytes = settled(&self.server.process).await? / MEBIBYTE;
        Ok(Measurement { value: mebibytes, cpu: None, details: BTreeMap::new() })
    }

    async fn connections(&mut self, count: u32) -> anyhow::Result<Measurement> {
        let (before, after) = self.grown(Part::Connections { count }).await?;
        let value = (after - before).max(0.0) / f64::from(count) / KIBIBYTE;
        Ok(Measurement { value, cpu: None, details: in_mebibytes(before, after) })
    }

    async fn subscriptions(&mut self, count: u32) -> anyhow::Result<Measurement> {
        let (before, after) = self.grown(Part::Subscriptions { count }).await?;
        Ok(Measurement { value: after / MEBIBYTE, cpu: None, details: in_mebibytes(before, after) })
    }

    async fn grown(&mut self, part: Part) -> anyhow::Result<(f64, f64)> {
        grown(&self.server.process, || self.start(part, 0)).await
    }
}

/// Resident bytes of `server` before and after what `hold` starts holds what it holds.
pub(crate) async fn grown(
    server: &Process,
    hold: impl FnOnce() -> anyhow::Result<Process>,
) -> anyhow::Result<(f64, f64)> {
    let before = settled(server).await?;
    let mut holding = hold()?;
    holding.ready().await?;
    let after = settled(server).await?;
    holding.check_running()?;
    holding.kill().await?;
    Ok((before, after))
}

/// The outcome of a requester, whoever it asked.
pub(crate) fn requested(asked: &Finished, window: u32, count: u32, cpu: Cpu) -> anyhow::Result<Measurement> {
    let answered = number(&asked.report, "count")?;
    ensure!(answered == f64::from(count), "{answered} of {count} requests were answered");
    let mut details = latencies(&asked.report);
    let rate = number(&asked.report, "rate")?;
    details.insert("requests_per_second".into(), rate);
    let value = if window == 1 { number(&asked.report, "p50_us")? } else { rate };
    Ok(Measurement { value, cpu: Some(cpu), details })
}

/// Seconds from the first publish to the last receipt by the slowest subscriber.
fn span(published: &Finished, received: &[Finished], count: u32) -> anyhow::Result<f64> {
    let first = number(&published.report, "first_unix_ns")?;
    let mut last = first;
    for one in received {
        let messages = number(&one.report, "count")?;
        ensure!(messages == f64::from(count), "{messages} of {count} messages were received");
        last = last.max(number(&one.report, "last_unix_ns")?);
    }
    ensure!(last > first, "the last message came before the first was published");
    Ok((last - first) / 1e9)
}

/// Bytes of units.
pub(crate) const MEGABYTE: f64 = 1e6;
pub(crate) const KIBIBYTE: f64 = 1024.0;
const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// How often memory is looked at, how often in a row it must have stayed, and how long that may take.
const SAMPLE: Duration = Duration::from_millis(100);
const STEADY: u32 = 10;
const SETTLE: Duration = Duration::from_secs(15);

/// Resident bytes once they have stayed within 1 % for a second, or after a while anyhow.
async fn settled(process: &Process) -> anyhow::Result<f64> {
    let end = Instant::now() + SETTLE;
    let mut reference = process.resident()? as f64;
    let mut steady = 0;
    while steady < STEADY && Instant::now() < end {
        sleep(SAMPLE).await;
        let now = process.resident()? as f64;
        if (now - reference).abs() <= reference / 100.0 {
            steady += 1;
        } else {
            (reference, steady) = (now, 0);
        }
    }
    Ok(process.resident()? as f64)
}

fn in_mebibytes(before: f64, after: f64) -> BTreeMap<String, f64> {
    BTreeMap::from([("before_mib".into(), before / MEBIBYTE), ("after_mib".into(), after / MEBIBYTE)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn driver(report: serde_json::Value) -> Finished {
        Finished { report, cpu_seconds: 0.0 }
    }

    #[test]
    fn the_span_ends_with_the_slowest_subscriber() {
        let published = driver(json!({ "first_unix_ns": 1_000_000_000_u64 }));
        let one = |last: u64| driver(json!({ "count": 10, "last_unix_ns": last }));
        let received = [one(2_000_000_000), one(4_000_000_000), one(3_000_000_000)];
        assert_eq!(span(&published, &received, 10).unwrap(), 3.0);
    }

    #[test]
    fn a_lost_message_is_no_result() {
        let published = driver(json!({ "first_unix_ns": 1 }));
        let received = [driver(json!({ "count": 9, "last_unix_ns": 5 }))];
        assert!(span(&published, &received, 10).is_err());
    }

    #[test]
    fn one_outstanding_is_judged_by_latency_and_more_by_rate() {
        let asked = driver(json!({ "count": 5, "rate": 70.0, "p50_us": 12.0, "p99_us": 20.0 }));
        let cpu = Cpu { server: 1.0, clients: 2.0 };
        assert_eq!(requested(&asked, 1, 5, cpu).unwrap().value, 12.0);
        assert_eq!(requested(&asked, 64, 5, cpu).unwrap().value, 70.0);
        assert!(requested(&asked, 64, 6, cpu).is_err());
    }
}
