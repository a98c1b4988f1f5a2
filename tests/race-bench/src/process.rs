//! A started process: its JSON lines, its time and memory, and its end. It is killed when dropped.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use crate::procfs;

/// How long a process may take to set up what it was asked to.
pub(crate) const READY: Duration = Duration::from_secs(60);

/// How long one measurement may take.
pub(crate) const FINISH: Duration = Duration::from_secs(120);

/// How often something is looked at that can't be awaited.
pub(crate) const LOOK: Duration = Duration::from_millis(2);

/// How many of the last lines on stderr an error quotes.
const QUOTED: usize = 3;

/// A running process.
pub(crate) struct Process {
    what: String,
    pid: u32,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    stderr: PathBuf,
}

/// What a driver that ended by itself left.
pub(crate) struct Finished {
    /// Its last line.
    pub(crate) report: Value,
    /// The processor time that it used in all.
    pub(crate) cpu_seconds: f64,
}

impl Process {
    /// Starts `command`; its stderr goes to a file in `scratch`. `what` names it in errors.
    pub(crate) fn start(what: &str, mut command: Command, scratch: &Path) -> anyhow::Result<Self> {
        let stderr = scratch.join(format!("{}.stderr", what.replace(' ', "-")));
        // Stdin stays open and silent: drivers that hold something do so until it ends.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        command.stderr(std::fs::File::create(&stderr)?);
        let mut child = command.spawn().with_context(|| {
            format!("{what}: can't start {}", command.as_std().get_program().to_string_lossy())
        })?;
        let pid = child.id().context("a child without an id")?;
        let stdout = child.stdout.take().context("a child without stdout")?;
        Ok(Self { what: what.to_owned(), pid, child, lines: BufReader::new(stdout).lines(), stderr })
    }

    /// Waits for the line that says ready.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<Value> {
        let line = timeout(READY, async {
            while let Some(line) = self.next_line().await? {
                if line["ready"] == true {
                    return Ok(line);
                }
            }
            bail!("ended before it was ready")
        });
        let outcome = line.await.unwrap_or_else(|_| Err(anyhow!("not ready within {READY:?}")));
        outcome.map_err(|error| self.explain(&error))
    }

    /// Waits until the process ends by itself and takes its last line.
    pub(crate) async fn finish(mut self) -> anyhow::Result<Finished> {
        let ended = timeout(FINISH, self.read_to_end()).await;
        ended
            .unwrap_or_else(|_| Err(anyhow!("not done within {FINISH:?}")))
            .map_err(|error| self.explain(&error))
    }

    async fn read_to_end(&mut self) -> anyhow::Result<Finished> {
        let mut report = Value::Null;
        while let Some(line) = self.next_line().await? {
            report = line;
        }
        // Its times are final, and still to be had, between its end and its reaping.
        let cpu_seconds = loop {
            let stat = procfs::stat(self.pid)?;
            if stat.ended {
                break stat.cpu_seconds;
            }
            sleep(LOOK).await;
        };
        let status = self.child.wait().await?;
        if !status.success() {
            bail!("ended with {status}");
        }
        Ok(Finished { report, cpu_seconds })
    }

    /// The next line that is a JSON object; others are passed over.
    async fn next_line(&mut self) -> anyhow::Result<Option<Value>> {
        while let Some(line) = self.lines.next_line().await? {
            if let Ok(value @ Value::Object(_)) = serde_json::from_str(&line) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Whether it has ended, without waiting.
    pub(crate) fn check_running(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(self.explain(&anyhow!("ended with {status}"))),
        }
    }

    /// Processor time used so far.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let stat = procfs::stat(self.pid).map_err(|error| self.explain(&error))?;
        Ok(stat.cpu_seconds)
    }

    /// Resident memory in bytes, now.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        procfs::resident(self.pid).map_err(|error| self.explain(&error))
    }

    /// Bytes that it has had written to a disk so far.
    pub(crate) fn written(&self) -> anyhow::Result<u64> {
        procfs::written(self.pid).map_err(|error| self.explain(&error))
    }

    /// Kills it and waits for its end.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        self.end().await
    }

    /// The same, for one that another one takes the place of.
    pub(crate) async fn end(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.with_context(|| format!("{}: can't be killed", self.what))
    }

    fn explain(&self, error: &anyhow::Error) -> anyhow::Error {
        let said = std::fs::read_to_string(&self.stderr).unwrap_or_default();
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(QUOTED)..].join(" / ");
        match last.is_empty() {
            true => anyhow!("{}: {error:#}", self.what),
            false => anyhow!("{}: {error:#}; it said: {last}", self.what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shell, and the folder that it must not outlive.
    fn shell(script: &str) -> (Process, tempfile::TempDir) {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let scratch = tempfile::tempdir().unwrap();
        (Process::start("sh", command, scratch.path()).unwrap(), scratch)
    }

    #[tokio::test]
    async fn lines_then_the_last_one() {
        let (mut process, _scratch) =
            shell("echo noise; echo '{\"ready\":true,\"port\":7}'; echo '{\"rate\":3}'");
        assert_eq!(process.ready().await.unwrap()["port"], 7);
        assert_eq!(process.finish().await.unwrap().report["rate"], 3);
    }

    #[tokio::test]
    async fn a_failure_quotes_stderr() {
        let (process, _scratch) = shell("echo no such thing >&2; exit 3");
        let error = process.finish().await.map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.contains("no such thing"), "{error}");
    }

    #[tokio::test]
    async fn an_end_before_ready_is_an_error() {
        let (mut process, _scratch) = shell("echo '{\"rate\":3}'");
        assert!(process.ready().await.is_err());
    }

    #[tokio::test]
    async fn a_killed_one_is_gone() {
        let (mut process, _scratch) = shell("echo '{\"ready\":true}'; exec sleep 1000");
        process.ready().await.unwrap();
        process.check_running().unwrap();
        assert!(process.resident().unwrap() > 0);
        let pid = process.pid;
        process.kill().await.unwrap();
        assert!(procfs::stat(pid).is_err());
    }
}
