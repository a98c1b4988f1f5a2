//! tonic without a broker: the responder is the server, and one process asks it.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tokio::process::Command;

use crate::broker::requested;
use crate::measurement::{Cpu, Measurement};
use crate::process::Process;
use crate::row::{REQUEST_SIZE, Work};

/// Where its program is.
pub(crate) struct Tonic {
    pub(crate) program: PathBuf,
}

impl Tonic {
    /// tonic's version.
    pub(crate) async fn version(&self) -> anyhow::Result<String> {
        let output = Command::new(&self.program).arg("version").output().await?;
        let line: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        Ok(format!("tonic {}", line["tonic"].as_str().unwrap_or("unknown")))
    }

    /// Does `work` once.
    pub(crate) async fn measure(&self, work: Work, scratch: &Path) -> anyhow::Result<Measurement> {
        let Work::Request { window, requests, .. } = work else { bail!("tonic only answers requests") };
        let mut command = Command::new(&self.program);
        command.arg("server");
        let mut server = Process::start("tonic server", command, scratch)?;
        let line = server.ready().await?;
        let address = line["address"].as_str().context("tonic server: no address")?;
        let before = server.cpu_seconds()?;
        let mut command = Command::new(&self.program);
        command.args(["client", address, "--size", &REQUEST_SIZE.to_string()]);
        command.args(["--count", &requests.to_string(), "--window", &window.to_string()]);
        let asked = Process::start("tonic client", command, scratch)?.finish().await?;
        let cpu = Cpu { server: server.cpu_seconds()? - before, clients: asked.cpu_seconds };
        server.kill().await?;
        requested(&asked, window, requests, cpu)
    }
}
