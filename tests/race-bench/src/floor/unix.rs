//! The floors of Unix sockets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::bail;
use tokio::process::Command;

use crate::measurement::{Measurement, latencies, number};
use crate::process::{Finished, Process};
use crate::row::{REQUEST_SIZE, Work};

/// Bytes of the stream copy.
const STREAM: u64 = 4 << 30;

/// Where its program is.
pub(crate) struct UnixFloor {
    pub(crate) program: PathBuf,
}

impl UnixFloor {
    /// The floor of `work`, in its unit.
    pub(crate) async fn measure(
        &self,
        work: Work,
        smoke: bool,
        scratch: &Path,
    ) -> anyhow::Result<Measurement> {
        match work {
            Work::Publish { size, .. } => self.copy(size, smoke, scratch).await,
            Work::Request { window: 1, requests, .. } => self.ping_pong(requests, scratch).await,
            Work::Request { window, requests, .. } => self.windowed(window, requests, scratch).await,
            _ => bail!("no floor is known"),
        }
    }

    /// Bodies of `size` per second if a stream copy in writes of 128 KiB were all there is to it.
    async fn copy(&self, size: u32, smoke: bool, scratch: &Path) -> anyhow::Result<Measurement> {
        let socket = scratch.join("stream.sock");
        let bytes = if smoke { STREAM >> 8 } else { STREAM };
        let mut sink = self.start("sink", &socket, &[], scratch)?;
        sink.ready().await?;
        self.start("source", &socket, &["--bytes", &bytes.to_string()], scratch)?.finish().await?;
        let rate = number(&sink.finish().await?.report, "bytes_per_second")?;
        let details = BTreeMap::from([("stream_copy_gb_per_second".into(), rate / 1e9)]);
        Ok(Measurement { value: rate / f64::from(size), cpu: None, details })
    }

    /// Two ping-pongs one after the other: the wake-ups and copies that a middle can't do without. Beside it, one
    /// ping-pong, and one through a middle that does nothing else.
    async fn ping_pong(&self, count: u32, scratch: &Path) -> anyhow::Result<Measurement> {
        let direct = self.ping(count, 1, false, scratch).await?;
        let relayed = self.ping(count, 1, true, scratch).await?;
        let two = number(&direct.report, "two_p50_us")?;
        let details = BTreeMap::from([
            ("ping_pong_p50_us".into(), number(&direct.report, "p50_us")?),
            ("two_ping_pongs_p50_us".into(), two),
            ("relay_p50_us".into(), number(&relayed.report, "p50_us")?),
        ]);
        Ok(Measurement { value: two, cpu: None, details })
    }

    /// As many messages under way through a middle that only copies bytes.
    async fn windowed(&self, window: u32, count: u32, scratch: &Path) -> anyhow::Result<Measurement> {
        let relayed = self.ping(count, window, true, scratch).await?;
        let value = number(&relayed.report, "rate")?;
        Ok(Measurement { value, cpu: None, details: latencies(&relayed.report) })
    }

    async fn ping(&self, count: u32, window: u32, relayed: bool, scratch: &Path) -> anyhow::Result<Finished> {
        let kind = if relayed { "relay" } else { "direct" };
        let far = scratch.join(format!("{kind}-pong.sock"));
        let near = scratch.join(format!("{kind}-middle.sock"));
        let mut pong = self.start("pong", &far, &[], scratch)?;
        pong.ready().await?;
        let mut middle = None;
        if relayed {
            let mut started = self.start("middle", &near, &["--to", &far.to_string_lossy()], scratch)?;
            started.ready().await?;
            middle = Some(started);
        }
        let to = if relayed { &near } else { &far };
        let (size, count, window) = (REQUEST_SIZE.to_string(), count.to_string(), window.to_string());
        let flags = ["--size", &size, "--count", &count, "--window", &window];
        let asked = self.start("ping", to, &flags, scratch)?.finish().await?;
        // Both end when the one before them has gone.
        if let Some(middle) = middle {
            middle.finish().await?;
        }
        pong.finish().await?;
        Ok(asked)
    }

    fn start(&self, part: &str, socket: &Path, flags: &[&str], scratch: &Path) -> anyhow::Result<Process> {
        let mut command = Command::new(&self.program);
        command.arg(part).arg(socket).args(flags);
        Process::start(&format!("floor {part}"), command, scratch)
    }
}
