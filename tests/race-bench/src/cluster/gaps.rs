//! Time without service: when the node is gone that leads, and when another one takes over in good order.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::ensure;
use mesh_race::latency::Latencies;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{ASK, Cluster, appender::Appender};
use crate::measurement::Measurement;
use crate::process::{LOOK, READY};

/// A replica that lacks so many records at most has caught up with a log that grows.
const LAG_MAX: u64 = 64;
/// After so long a transfer that came to nothing is asked for again.
const AGAIN: Duration = Duration::from_secs(2);
/// How long it is looked at appends after the lead has moved.
const AFTER: Duration = Duration::from_millis(300);

impl Cluster<'_> {
    /// Kills the leader's node again and again: from its end to the next acknowledgement.
    pub(super) async fn elections(&mut self, kills: u32) -> anyhow::Result<Measurement> {
        let mut gaps = Latencies::with_capacity(kills as usize);
        let group = Appender::start(&self.url(0)).await?.group();
        for nth in 0..kills as usize {
            let leader = self.in_sync(group).await?;
            // Each of the others in turn.
            let via = (leader + 1 + nth % (self.names.len() - 1)) % self.names.len();
            let appender = Appender::start(&self.url(via)).await?;
            let killed = Instant::now();
            self.nodes[leader].end().await?;
            let acknowledged = appender.first_since(Instant::now()).await?;
            gaps.record(acknowledged - killed);
            self.nodes[leader] = self.launch(leader)?;
            self.listens(leader).await?;
        }
        Ok(measurement(gaps))
    }

    /// Hands the lead from node to node: the longest time without an acknowledgement around each.
    pub(super) async fn transfers(&self, count: u32) -> anyhow::Result<Measurement> {
        let mut gaps = Latencies::with_capacity(count as usize);
        // Its node is the one that led, the one that will, and the third, in turn.
        let appender = Appender::start(&self.url(0)).await?;
        let group = appender.group();
        for _ in 0..count {
            let leader = self.in_sync(group).await?;
            let to = (leader + 1) % self.names.len();
            appender.forget();
            let begin = Instant::now();
            let mut asked: Option<Instant> = None;
            while self.group(to, group).await?["role"] != "leader" {
                ensure!(begin.elapsed() < READY, "{} does not lead group {group}", self.names[to]);
                if asked.is_none_or(|asked| asked.elapsed() > AGAIN) {
                    asked = Some(Instant::now());
                    // A lead may have moved meanwhile, and a transfer may come to nothing: both are seen by who leads.
                    self.transfer(leader, &group.to_string(), to).await.ok();
                }
                sleep(LOOK).await;
            }
            sleep(AFTER).await;
            gaps.record(appender.longest_gap_since(begin));
        }
        Ok(measurement(gaps))
    }

    /// Waits until all replicas of a group have what its leader has. Gives the leader.
    async fn in_sync(&self, group: u32) -> anyhow::Result<usize> {
        let end = Instant::now() + READY;
        loop {
            let mut known = Vec::new();
            for nth in 0..self.names.len() {
                known.extend(self.group(nth, group).await.ok());
            }
            let leaders: Vec<&Value> = known.iter().filter(|seen| seen["role"] == "leader").collect();
            if let [leader] = leaders[..]
                && known.len() == self.names.len()
                && known
                    .iter()
                    .all(|seen| seen["leader"] == leader["leader"] && seen["term"] == leader["term"])
                && leader["lag"].as_u64().is_some_and(|lag| lag <= LAG_MAX)
                && let Some(nth) = self.names.iter().position(|name| leader["leader"] == name.as_str())
            {
                return Ok(nth);
            }
            ensure!(Instant::now() < end, "the replicas of group {group} are not in sync: {known:?}");
            sleep(ASK).await;
        }
    }
}

fn measurement(mut gaps: Latencies) -> Measurement {
    let quantiles = [("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999), ("max_us", 1.0)];
    let details: BTreeMap<_, _> =
        quantiles.into_iter().map(|(name, at)| (name.to_owned(), gaps.micros_at(at))).collect();
    Measurement { value: gaps.micros_at(0.99) / 1e3, cpu: None, details }
}
