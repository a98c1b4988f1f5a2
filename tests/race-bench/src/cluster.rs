//! Nodes of ours that keep what they are given: one, or several that replicate.

mod append;
mod appender;
mod gaps;
mod idle;
mod replicated;

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use self::replicated::Replicated;
use crate::measurement::Measurement;
use crate::mesh::Mesh;
use crate::process::{LOOK, Process, READY};
use crate::row::Work;

/// How often a cluster is asked whether it is as it has to be.
const ASK: Duration = Duration::from_millis(100);
/// Nodes of the rows in which one of them is missing now and then.
const NODES: u32 = 3;

/// Nodes that run.
struct Cluster<'a> {
    mesh: &'a Mesh,
    names: Vec<String>,
    nodes: Vec<Process>,
    /// Groups beside the one that knows the cluster.
    shards: u32,
    replicated: Option<Replicated>,
    scratch: &'a Path,
}

/// Does the work of a row once, with nodes in folders of `scratch`.
pub(crate) async fn measure(mesh: &Mesh, work: Work, scratch: &Path) -> anyhow::Result<Measurement> {
    let (nodes, shards) = match work {
        Work::Append { nodes, registers, .. } => (nodes, registers.max(1)),
        Work::AppendOne { nodes, .. } => (nodes, 1),
        Work::IdleGroups { nodes, groups, .. } => (nodes, groups),
        Work::Elections { .. } | Work::Transfers { .. } => (NODES, 1),
        _ => anyhow::bail!("no work of a cluster"),
    };
    let mut cluster = Cluster::start(mesh, nodes, shards, scratch).await?;
    let outcome = match work {
        Work::IdleGroups { looks, .. } => cluster.idle(looks).await,
        Work::Elections { kills } => cluster.elections(kills).await,
        Work::Transfers { count } => cluster.transfers(count).await,
        _ => cluster.append(work).await,
    };
    for node in &mut cluster.nodes {
        node.check_running()?;
    }
    for node in cluster.nodes {
        node.kill().await?;
    }
    outcome
}

impl<'a> Cluster<'a> {
    /// Starts nodes and waits until each group has a leader.
    async fn start(mesh: &'a Mesh, count: u32, shards: u32, scratch: &'a Path) -> anyhow::Result<Self> {
        let names: Vec<String> = (1..=count).map(|nth| format!("n{nth}")).collect();
        let replicated = if count > 1 { Some(Replicated::prepare(&names, scratch)?) } else { None };
        let mut cluster = Self { mesh, names, nodes: Vec::new(), shards, replicated, scratch };
        for nth in 0..cluster.names.len() {
            let node = cluster.launch(nth)?;
            cluster.nodes.push(node);
        }
        for nth in 0..cluster.names.len() {
            cluster.listens(nth).await?;
        }
        let end = Instant::now() + READY;
        loop {
            let groups = cluster.groups(0).await.unwrap_or_default();
            let led = groups.iter().filter(|group| group["leader"].is_string()).count();
            if led > shards as usize {
                return Ok(cluster);
            }
            ensure!(Instant::now() < end, "{led} of {} groups have a leader", shards + 1);
            sleep(ASK).await;
        }
    }

    /// Starts a node, for the first time or again.
    fn launch(&self, nth: usize) -> anyhow::Result<Process> {
        let name = &self.names[nth];
        let mut command = Command::new(&self.mesh.node);
        command.args(["--node", name]).arg("--data").arg(self.scratch.join(format!("{name}.data")));
        command.arg("--socket").arg(self.socket(nth)).args(["--http", &free_address()?]);
        command
            .env("MESH_NODE_STORAGE__REGISTERS", "on")
            .env("MESH_NODE_STORAGE__SHARDS", self.shards.to_string());
        if let Some(replicated) = &self.replicated {
            replicated.arguments(nth, &self.names, &mut command);
        }
        Process::start(&format!("mesh node {name}"), command, self.scratch)
    }

    /// Waits until a node takes connections.
    async fn listens(&mut self, nth: usize) -> anyhow::Result<()> {
        let (socket, end) = (self.socket(nth), Instant::now() + READY);
        while UnixStream::connect(&socket).await.is_err() {
            self.nodes[nth].check_running()?;
            ensure!(Instant::now() < end, "no socket within {READY:?}");
            sleep(LOOK).await;
        }
        Ok(())
    }

    fn socket(&self, nth: usize) -> std::path::PathBuf {
        self.scratch.join(format!("{}.sock", self.names[nth]))
    }

    fn url(&self, nth: usize) -> String {
        format!("unix://{}", self.socket(nth).display())
    }

    /// The groups as a node sees them.
    async fn groups(&self, nth: usize) -> anyhow::Result<Vec<Value>> {
        let lines = self.mesh(nth, &["group", "ls", "--json"]).await?;
        let values = serde_json::Deserializer::from_str(&lines).into_iter::<Value>();
        let values = values.collect::<Result<Vec<_>, _>>()?;
        // An object per group, or an array of them.
        Ok(values
            .into_iter()
            .flat_map(|value| value.as_array().cloned().unwrap_or_else(|| vec![value]))
            .collect())
    }

    /// A group as a node sees it.
    async fn group(&self, nth: usize, number: u32) -> anyhow::Result<Value> {
        let groups = self.groups(nth).await?;
        let found = groups.into_iter().find(|group| group["group"] == number);
        found.with_context(|| format!("{} has no replica of group {number}", self.names[nth]))
    }

    /// Runs `mesh` against a node.
    async fn mesh(&self, nth: usize, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.mesh.cli);
        let output = command.args(["--url", &self.url(nth)]).args(arguments).output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "mesh {}: {}", arguments.join(" "), said.trim());
        Ok(String::from_utf8(output.stdout)?)
    }

    fn cpu_seconds(&self) -> anyhow::Result<f64> {
        self.nodes.iter().map(Process::cpu_seconds).sum()
    }
}

/// A loopback address that was free a moment ago.
fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
