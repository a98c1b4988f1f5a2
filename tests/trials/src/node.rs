//! One node as a process.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// How long a node may take until it serves.
const READY: Duration = Duration::from_secs(20);
/// How long an answer of its admin server may take.
const ANSWER: Duration = Duration::from_secs(2);
/// How often something is looked at that can't be awaited.
pub(crate) const LOOK: Duration = Duration::from_millis(20);

/// How a node is started, again and again.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) program: PathBuf,
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) data: PathBuf,
    pub(crate) http: SocketAddr,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
}

/// A node: running or not.
pub(crate) struct Node {
    pub(crate) setup: Setup,
    child: Option<Child>,
    bug: Option<String>,
}

impl Node {
    /// One that does not run yet.
    pub(crate) fn new(setup: Setup, bug: Option<String>) -> Self {
        Self { setup, child: None, bug }
    }

    /// Where clients connect.
    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The socket of it that clients connect to.
    pub(crate) fn socket(&self) -> PathBuf {
        self.setup.folder.join(format!("{}.sock", self.setup.name))
    }

    /// Where what it prints goes.
    pub(crate) fn log(&self) -> PathBuf {
        self.setup.folder.join(format!("{}.log", self.setup.name))
    }

    fn faults_file(&self) -> PathBuf {
        self.setup.folder.join(format!("{}.faults", self.setup.name))
    }

    /// Gives it other faults: `key=value`, one a line; it looks for them a few times a second.
    pub(crate) fn faults(&self, faults: &str) -> anyhow::Result<()> {
        let bug = self.bug.as_ref().map(|bug| format!("bug={bug}\n")).unwrap_or_default();
        // At once, so that it never reads half of them.
        let new = self.faults_file().with_extension("new");
        std::fs::write(&new, format!("{bug}{faults}\n"))?;
        Ok(std::fs::rename(new, self.faults_file())?)
    }

    /// Starts it; returns at once.
    pub(crate) fn start(&mut self) -> anyhow::Result<()> {
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = Command::new(&self.setup.program);
        command.arg("--node").arg(&self.setup.name).arg("--data").arg(&self.setup.data);
        command.arg("--socket").arg(self.socket()).arg("--http").arg(self.setup.http.to_string());
        command.args(&self.setup.arguments);
        command.envs(self.setup.environment.iter().map(|(name, value)| (name, value)));
        command.env("MESH_FAULTS", format!("file={}", self.faults_file().display()));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        self.child = Some(command.spawn().with_context(|| format!("{}", self.setup.program.display()))?);
        Ok(())
    }

    /// Waits until its admin server says that it is ready.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<()> {
        let end = Instant::now() + READY;
        while !matches!(self.get("/readyz").await, Ok((200, _))) {
            if let Some(status) = self.ended()? {
                bail!("{} ended with {status}: {}", self.setup.name, self.last_words());
            }
            anyhow::ensure!(Instant::now() < end, "{} is not ready after {READY:?}", self.setup.name);
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Whether it runs.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.ended(), Ok(None)) && self.child.is_some()
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<std::process::ExitStatus>> {
        Ok(match &mut self.child {
            Some(child) => child.try_wait()?,
            None => None,
        })
    }

    /// Kills it with SIGKILL and waits for its end.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            // It may be stopped, and then is killed all the same.
            child.start_kill().ok();
            child.wait().await?;
        }
        Ok(())
    }

    /// Sends a signal to it.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = self.child.as_ref().and_then(Child::id).context("it does not run")?;
        let pid = Pid::from_raw(i32::try_from(pid)?).context("no process id")?;
        Ok(kill_process(pid, signal)?)
    }

    /// What the admin API has under a name.
    pub(crate) async fn api(&self, name: &str) -> anyhow::Result<Value> {
        let (status, body) = self.get(&format!("/api/v1/{name}")).await?;
        anyhow::ensure!(status == 200, "{name}: {status}: {body}");
        Ok(serde_json::from_str(&body)?)
    }

    /// The value of a metric that has no labels.
    pub(crate) async fn metric(&self, name: &str) -> anyhow::Result<u64> {
        let (_, body) = self.get("/metrics").await?;
        let value = body.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.with_context(|| format!("no metric {name}"))
    }

    async fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let http = self.setup.http;
        let asked = async {
            let mut stream = TcpStream::connect(http).await?;
            let request = format!("GET {path} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
            let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned();
            anyhow::Ok((status.context("no status")?, body))
        };
        timeout(ANSWER, asked).await?
    }

    /// The last lines that it printed.
    pub(crate) fn last_words(&self) -> String {
        last_lines(&self.log(), 4)
    }
}

fn last_lines(path: &Path, count: usize) -> String {
    let said = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join(" / ")
}
