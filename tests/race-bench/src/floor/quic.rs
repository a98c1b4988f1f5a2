//! The floors of QUIC: bare quinn with certificates on both sides, and the settings of Mesh's links.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use mesh_race::certificates::Certificates;
use serde_json::Value;
use tokio::process::Command;

use crate::broker::{KIBIBYTE, MEGABYTE, grown};
use crate::measurement::{Measurement, number};
use crate::process::{Finished, Process};
use crate::row::{REQUEST_SIZE, Work};

/// Bytes of the stream.
const STREAM: u64 = 1 << 30;

/// Bytes of a write to it.
const WRITE: u32 = 64 << 10;

/// Where its program is.
pub(crate) struct QuicFloor {
    pub(crate) program: PathBuf,
}

/// Processes that trust each other.
struct Floors<'a> {
    program: &'a Path,
    certificates: Certificates,
    scratch: &'a Path,
}

impl QuicFloor {
    /// The floor of `work`, in its unit.
    pub(crate) async fn measure(
        &self,
        work: Work,
        smoke: bool,
        scratch: &Path,
    ) -> anyhow::Result<Measurement> {
        let certificates = Certificates::make(&scratch.join("certs"))?;
        let floors = Floors { program: &self.program, certificates, scratch };
        match work {
            Work::Publish { size, .. } => floors.stream(smoke, f64::from(size)).await,
            Work::Bulk { .. } => floors.stream(smoke, MEGABYTE).await,
            Work::Request { window: 1, requests, .. } => floors.ping_pong(requests).await,
            Work::Connections { count } => floors.connections(count).await,
            _ => bail!("no floor is known"),
        }
    }
}

impl Floors<'_> {
    /// Units of `unit` bytes per second if a stream in writes of 64 KiB were all there is to it. Beside it, one through a
    /// middle that does nothing else.
    async fn stream(&self, smoke: bool, unit: f64) -> anyhow::Result<Measurement> {
        let bytes = if smoke { STREAM >> 8 } else { STREAM };
        let (rate, sent) = self.copy(bytes, false).await?;
        let (relayed, _) = self.copy(bytes, true).await?;
        let details = BTreeMap::from([
            ("quic_stream_gb_per_second".into(), rate / 1e9),
            ("quic_relayed_stream_gb_per_second".into(), relayed / 1e9),
            ("quic_mtu".into(), number(&sent, "mtu")?),
            ("quic_lost_packets".into(), number(&sent, "lost_packets")?),
        ]);
        Ok(Measurement { value: rate / unit, cpu: None, details })
    }

    /// Bytes per second of one stream, and what its writer says.
    async fn copy(&self, bytes: u64, relayed: bool) -> anyhow::Result<(f64, Value)> {
        let (sink, far) = self.listen(&["sink"]).await?;
        let middle = if relayed { Some(self.listen(&["middle", &far]).await?) } else { None };
        let near = middle.as_ref().map_or(&far, |(_, near)| near);
        let (bytes, write) = (bytes.to_string(), WRITE.to_string());
        let source = self.start(&["source", near, "--bytes", &bytes, "--write", &write])?;
        let sent = source.finish().await?.report;
        let rate = number(&sink.finish().await?.report, "bytes_per_second")?;
        if let Some((middle, _)) = middle {
            middle.finish().await?;
        }
        Ok((rate, sent))
    }

    /// Two ping-pongs one after the other. Beside it, one ping-pong, and one through a middle that does nothing else.
    async fn ping_pong(&self, count: u32) -> anyhow::Result<Measurement> {
        let direct = self.ping(count, false).await?.report;
        let relayed = self.ping(count, true).await?.report;
        let two = number(&direct, "two_p50_us")?;
        let details = BTreeMap::from([
            ("quic_ping_pong_p50_us".into(), number(&direct, "p50_us")?),
            ("quic_two_ping_pongs_p50_us".into(), two),
            ("quic_relay_p50_us".into(), number(&relayed, "p50_us")?),
        ]);
        Ok(Measurement { value: two, cpu: None, details })
    }

    async fn ping(&self, count: u32, relayed: bool) -> anyhow::Result<Finished> {
        let (pong, far) = self.listen(&["pong"]).await?;
        let middle = if relayed { Some(self.listen(&["middle", &far]).await?) } else { None };
        let near = middle.as_ref().map_or(&far, |(_, near)| near);
        let (size, count) = (REQUEST_SIZE.to_string(), count.to_string());
        let asked = self.start(&["ping", near, "--size", &size, "--count", &count])?.finish().await?;
        // Both end when the one before them has gone.
        if let Some((middle, _)) = middle {
            middle.finish().await?;
        }
        pong.finish().await?;
        Ok(asked)
    }

    /// KiB that each of `count` idle connections adds to a process that does nothing but keep them.
    async fn connections(&self, count: u32) -> anyhow::Result<Measurement> {
        let (mut keep, address) = self.listen(&["keep"]).await?;
        let hold = || self.start(&["hold", &address, "--count", &count.to_string()]);
        let (before, after) = grown(&keep, hold).await?;
        keep.check_running()?;
        keep.kill().await?;
        let each = (after - before).max(0.0) / f64::from(count) / KIBIBYTE;
        Ok(Measurement { value: each, cpu: None, details: BTreeMap::new() })
    }

    /// A process that listens, and where.
    async fn listen(&self, part: &[&str]) -> anyhow::Result<(Process, String)> {
        let mut process = self.start(part)?;
        let line = process.ready().await?;
        let address = line["address"].as_str().context("no address")?.to_owned();
        Ok((process, address))
    }

    fn start(&self, part: &[&str]) -> anyhow::Result<Process> {
        let mut command = Command::new(self.program);
        command.arg("--certs").arg(self.certificates.folder()).args(part);
        Process::start(&format!("quic floor {}", part.first().unwrap_or(&"")), command, self.scratch)
    }
}
