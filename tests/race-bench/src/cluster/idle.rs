//! Nodes that have nothing to do.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::ensure;
use tokio::time::{Instant, sleep};

use super::Cluster;
use crate::measurement::Measurement;
use crate::process::Process;

/// How long idle nodes are looked at.
const IDLE: Duration = Duration::from_secs(10);
/// So long the leads of some groups may take until they are where they stay, and all groups rest. A new cluster begins
/// with them where its first elections left them, and moves them one after the other.
const TO_REST: Duration = Duration::from_secs(300);
/// How often it is looked whether they do.
const LOOK_AT_REST: Duration = Duration::from_secs(5);

impl Cluster<'_> {
    /// Percent of a core that each node needs with nothing to do, after its groups rested at so many looks in a row.
    pub(super) async fn idle(&self, looks: u32) -> anyhow::Result<Measurement> {
        let began = Instant::now();
        self.until_at_rest(looks).await?;
        let to_rest = began.elapsed();
        let written = || self.nodes.iter().map(Process::written).sum::<anyhow::Result<u64>>();
        let (before, written_before, began) = (self.cpu_seconds()?, written()?, Instant::now());
        sleep(IDLE).await;
        let (used, seconds) = (self.cpu_seconds()? - before, began.elapsed().as_secs_f64());
        let written = (written()? - written_before) as f64;
        let value = 100.0 * used / seconds / self.nodes.len() as f64;
        let resident = self.nodes.iter().map(Process::resident).collect::<anyhow::Result<Vec<_>>>()?;
        let largest = resident.into_iter().max().unwrap_or(0) as f64 / (1024.0 * 1024.0);
        let details = [
            ("resident_mib", largest),
            ("written_bytes_per_second", written / seconds),
            ("seconds_to_rest", to_rest.as_secs_f64()),
        ];
        let details: BTreeMap<_, _> =
            details.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Measurement { value, cpu: None, details })
    }

    /// Waits until all groups rest on all nodes, and go on resting.
    async fn until_at_rest(&self, looks: u32) -> anyhow::Result<()> {
        let (end, mut at_rest) = (Instant::now() + TO_REST, 0);
        while at_rest < looks {
            let mut awake = 0;
            for nth in 0..self.names.len() {
                awake += self.groups(nth).await?.iter().filter(|group| group["rests"] != true).count();
            }
            at_rest = if awake == 0 { at_rest + 1 } else { 0 };
            ensure!(Instant::now() < end, "{awake} replicas do not rest after {TO_REST:?}");
            sleep(LOOK_AT_REST).await;
        }
        Ok(())
    }
}
