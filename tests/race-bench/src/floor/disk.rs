//! The floors of what is kept: the disk, and a ping-pong for each hop on the way to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use tokio::process::Command;

use super::{QuicFloor, UnixFloor};
use crate::measurement::{Measurement, number};
use crate::process::Process;
use crate::row::Work;

/// Bytes that are written one after the other.
const SEQUENTIAL: u64 = 1 << 30;
/// Bytes of each write: what a sync of the log has, and what may be outstanding at 1 KiB.
const WRITES: [(u64, &str); 2] = [(1 << 20, "disk_1mib_mb_per_second"), (4 << 20, "disk_4mib_mb_per_second")];

/// Where its program is.
pub(crate) struct DiskFloor {
    pub(crate) program: PathBuf,
}

impl DiskFloor {
    /// The floor of `work`, in its unit.
    pub(crate) async fn measure(
        &self,
        work: Work,
        smoke: bool,
        scratch: &Path,
        unix: &UnixFloor,
        quic: &QuicFloor,
    ) -> anyhow::Result<Measurement> {
        match work {
            Work::Append { size, .. } => self.sequential(size, smoke, scratch).await,
            Work::AppendOne { nodes, appends } => {
                self.one_by_one(nodes, appends, smoke, scratch, unix, quic).await
            }
            _ => bail!("no floor is known"),
        }
    }

    /// Records of `size` per second if writing them to one file were all there is to it: the better of two sizes of
    /// writes, each synced.
    async fn sequential(&self, size: u32, smoke: bool, scratch: &Path) -> anyhow::Result<Measurement> {
        let bytes = if smoke { SEQUENTIAL >> 6 } else { SEQUENTIAL };
        let (mut best, mut details) = (0.0_f64, BTreeMap::new());
        for (write, name) in WRITES {
            let file = scratch.join(name);
            let flags = ["--bytes", &bytes.to_string(), "--write", &write.to_string()];
            let rate = number(&self.run("sequential", &file, &flags, scratch).await?, "bytes_per_second")?;
            std::fs::remove_file(file)?;
            details.insert(name.to_owned(), rate / 1e6);
            best = best.max(rate);
        }
        Ok(Measurement { value: best / f64::from(size), cpu: None, details })
    }

    /// One append with its sync, and one ping-pong over a Unix socket; with several nodes one over QUIC, too.
    async fn one_by_one(
        &self,
        nodes: u32,
        count: u32,
        smoke: bool,
        scratch: &Path,
        unix: &UnixFloor,
        quic: &QuicFloor,
    ) -> anyhow::Result<Measurement> {
        let file = scratch.join("one-by-one");
        let report = self.run("one-by-one", &file, &["--count", &count.to_string()], scratch).await?;
        let sync = number(&report, "p50_us")?;
        let ping = Work::Request { window: 1, requests: count, busy_poll: false };
        let mut details = unix.measure(ping, smoke, scratch).await?.details;
        let mut value = sync + details.get("ping_pong_p50_us").copied().unwrap_or_default();
        if nodes > 1 {
            let over_quic = quic.measure(ping, smoke, scratch).await?.details;
            value += over_quic.get("quic_ping_pong_p50_us").copied().unwrap_or_default();
            details.extend(over_quic);
        }
        details.insert("append_sync_p50_us".into(), sync);
        details.insert("append_sync_p99_us".into(), number(&report, "p99_us")?);
        Ok(Measurement { value, cpu: None, details })
    }

    async fn run(
        &self,
        part: &str,
        file: &Path,
        flags: &[&str],
        scratch: &Path,
    ) -> anyhow::Result<serde_json::Value> {
        let mut command = Command::new(&self.program);
        command.arg(part).arg(file).args(flags);
        Ok(Process::start(&format!("floor {part}"), command, scratch)?.finish().await?.report)
    }
}
