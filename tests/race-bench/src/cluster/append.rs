//! Records that are appended, by `mesh-race-log`.

use anyhow::ensure;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use super::{ASK, Cluster};
use crate::measurement::{Cpu, Measurement, latencies, number};
use crate::process::{Process, READY};
use crate::row::Work;

impl Cluster<'_> {
    /// Appends to the first node, which leads all groups.
    pub(super) async fn append(&mut self, work: Work) -> anyhow::Result<Measurement> {
        self.lead_by_first().await?;
        let mut command = Command::new(&self.mesh.log);
        let numbers = match work {
            Work::Append { registers, size, batch, outstanding, messages, .. } => {
                [registers, size, batch, outstanding, messages]
            }
            Work::AppendOne { appends, .. } => [1, 128, 1, 1, appends],
            _ => anyhow::bail!("nothing to append"),
        };
        command.args(["append", &self.url(0)]);
        for (flag, number) in
            ["--registers", "--size", "--batch", "--outstanding", "--count"].iter().zip(numbers)
        {
            command.args([*flag, &number.to_string()]);
        }
        let before = self.cpu_seconds()?;
        let done = Process::start("mesh appends", command, self.scratch)?.finish().await?;
        let cpu = Cpu { server: self.cpu_seconds()? - before, clients: done.cpu_seconds };
        let mut details = latencies(&done.report);
        let rate = number(&done.report, "rate")?;
        details.insert("appends_per_second".into(), rate);
        let value =
            if matches!(work, Work::AppendOne { .. }) { number(&done.report, "p50_us")? } else { rate };
        Ok(Measurement { value, cpu: Some(cpu), details })
    }

    /// The nodes spread the leads again, after a while: what is appended has to be through by then.
    async fn lead_by_first(&self) -> anyhow::Result<()> {
        let end = Instant::now() + READY;
        loop {
            let mut left = 0;
            for nth in 0..self.names.len() {
                for group in self.groups(nth).await.unwrap_or_default() {
                    if group["leader"] == self.names[nth].as_str() && nth > 0 {
                        left += 1;
                        // It may lead no more; then it is asked again.
                        self.transfer(nth, &group["group"].to_string(), 0).await.ok();
                    }
                    left += usize::from(group["leader"].is_null());
                }
            }
            if left == 0 {
                return Ok(());
            }
            ensure!(Instant::now() < end, "{} does not lead {left} groups", self.names[0]);
            sleep(ASK).await;
        }
    }

    /// Hands the lead of a group over, by the node that has it.
    pub(super) async fn transfer(&self, leader: usize, group: &str, to: usize) -> anyhow::Result<()> {
        self.mesh(leader, &["group", "transfer", group, &self.names[to]]).await.map(drop)
    }
}
