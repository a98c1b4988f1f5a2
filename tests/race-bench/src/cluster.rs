//! Nodes of ours that keep what they are given: one, or several that replicate, driven by `mesh-race-log`.

use std::collections::BTreeMap;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use mesh_race::certificates::{CLUSTER, Certificates};
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::measurement::{Cpu, Measurement, latencies, number};
use crate::mesh::Mesh;
use crate::process::{LOOK, Process, READY};
use crate::row::Work;

/// How long an idle cluster is looked at.
const IDLE: Duration = Duration::from_secs(10);
/// How long it is left alone before, so that its groups rest.
const TO_REST: Duration = Duration::from_secs(10);

/// Nodes that run.
struct Cluster<'a> {
    mesh: &'a Mesh,
    nodes: Vec<Process>,
    urls: Vec<String>,
    scratch: &'a Path,
}

/// Does the work of a row once, with nodes in folders of `scratch`.
pub(crate) async fn measure(mesh: &Mesh, work: Work, scratch: &Path) -> anyhow::Result<Measurement> {
    let (nodes, shards) = match work {
        Work::Append { nodes, registers, .. } => (nodes, registers.max(1)),
        Work::AppendOne { nodes, .. } => (nodes, 1),
        Work::IdleGroups { nodes, groups } => (nodes, groups),
        _ => anyhow::bail!("no work of a cluster"),
    };
    let mut cluster = Cluster::start(mesh, nodes, shards, scratch).await?;
    let outcome = match work {
        Work::IdleGroups { .. } => cluster.idle().await,
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
    /// Starts nodes, all groups led by the first one.
    async fn start(mesh: &'a Mesh, count: u32, shards: u32, scratch: &'a Path) -> anyhow::Result<Self> {
        let names: Vec<String> = (1..=count).map(|nth| format!("n{nth}")).collect();
        let replicated = if count > 1 { Some(Replicated::prepare(&names, scratch)?) } else { None };
        let mut cluster = Self { mesh, nodes: Vec::new(), urls: Vec::new(), scratch };
        for (nth, name) in names.iter().enumerate() {
            let socket = scratch.join(format!("{name}.sock"));
            let mut command = Command::new(&mesh.node);
            command.args(["--node", name]).arg("--data").arg(scratch.join(format!("{name}.data")));
            command.arg("--socket").arg(&socket).args(["--http", &free_address()?]);
            command
                .env("MESH_NODE_STORAGE__REGISTERS", "on")
                .env("MESH_NODE_STORAGE__SHARDS", shards.to_string());
            if let Some(replicated) = &replicated {
                replicated.arguments(nth, &names, &mut command);
            }
            cluster.nodes.push(Process::start(&format!("mesh node {name}"), command, scratch)?);
            cluster.urls.push(format!("unix://{}", socket.display()));
        }
        let end = Instant::now() + READY;
        for (node, url) in cluster.nodes.iter_mut().zip(&cluster.urls) {
            while UnixStream::connect(url.trim_start_matches("unix://")).await.is_err() {
                node.check_running()?;
                ensure!(Instant::now() < end, "no socket within {READY:?}");
                sleep(LOOK).await;
            }
        }
        cluster.lead_by_first(&names, shards, end).await?;
        Ok(cluster)
    }

    async fn lead_by_first(&self, names: &[String], shards: u32, end: Instant) -> anyhow::Result<()> {
        loop {
            let groups = self.groups().await.unwrap_or_default();
            let elsewhere: Vec<&Value> =
                groups.iter().filter(|group| group["leader"] != names[0].as_str()).collect();
            if groups.len() > shards as usize && elsewhere.is_empty() {
                return Ok(());
            }
            ensure!(Instant::now() < end, "n1 does not lead {} of {} groups", elsewhere.len(), groups.len());
            for group in elsewhere.iter().filter(|group| group["leader"].is_string()) {
                let group = group["group"].to_string();
                // It may lead already, or nobody may; then it is asked again.
                self.mesh(&["group", "transfer", &group, &names[0]]).await.ok();
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn groups(&self) -> anyhow::Result<Vec<Value>> {
        let lines = self.mesh(&["group", "ls", "--json"]).await?;
        let values = serde_json::Deserializer::from_str(&lines).into_iter::<Value>();
        let values = values.collect::<Result<Vec<_>, _>>()?;
        // An object per group, or an array of them.
        Ok(values
            .into_iter()
            .flat_map(|value| value.as_array().cloned().unwrap_or_else(|| vec![value]))
            .collect())
    }

    /// Runs `mesh` against the first node that takes the command.
    async fn mesh(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut said = String::from("no node");
        for url in &self.urls {
            let output = Command::new(&self.mesh.cli).args(["--url", url]).args(arguments).output().await?;
            if output.status.success() {
                return Ok(String::from_utf8(output.stdout)?);
            }
            said = String::from_utf8_lossy(&output.stderr).into_owned();
        }
        anyhow::bail!("mesh {}: {said}", arguments.join(" "))
    }

    async fn append(&mut self, work: Work) -> anyhow::Result<Measurement> {
        let url = self.urls.first().context("no node")?;
        let mut command = Command::new(&self.mesh.log);
        let numbers = match work {
            Work::Append { registers, size, batch, outstanding, messages, .. } => {
                [registers, size, batch, outstanding, messages]
            }
            Work::AppendOne { appends, .. } => [1, 128, 1, 1, appends],
            _ => anyhow::bail!("nothing to append"),
        };
        command.args(["append", url]);
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

    /// Percent of a core that each node needs with nothing to do.
    async fn idle(&self) -> anyhow::Result<Measurement> {
        sleep(TO_REST).await;
        let (before, began) = (self.cpu_seconds()?, Instant::now());
        sleep(IDLE).await;
        let used = self.cpu_seconds()? - before;
        let value = 100.0 * used / began.elapsed().as_secs_f64() / self.nodes.len() as f64;
        let resident = self.nodes.iter().map(Process::resident).collect::<anyhow::Result<Vec<_>>>()?;
        let largest = resident.into_iter().max().unwrap_or(0) as f64 / (1024.0 * 1024.0);
        Ok(Measurement { value, cpu: None, details: BTreeMap::from([("resident_mib".into(), largest)]) })
    }

    fn cpu_seconds(&self) -> anyhow::Result<f64> {
        self.nodes.iter().map(Process::cpu_seconds).sum()
    }
}

/// What nodes need to find and trust each other.
struct Replicated {
    certificates: Certificates,
    peers: Vec<String>,
}

impl Replicated {
    fn prepare(names: &[String], scratch: &Path) -> anyhow::Result<Self> {
        let certificates = Certificates::make_for(&scratch.join("certs"), names)?;
        // All held until all are known, so that no two are the same.
        let sockets = names.iter().map(|_| UdpSocket::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>()?;
        let addresses = sockets.iter().map(UdpSocket::local_addr).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { certificates, peers: addresses.iter().map(ToString::to_string).collect() })
    }

    fn arguments(&self, nth: usize, names: &[String], command: &mut Command) {
        let others: Vec<&str> = self
            .peers
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != nth)
            .map(|(_, peer)| peer.as_str())
            .collect();
        command.args(["--cluster", CLUSTER, "--certs"]).arg(self.certificates.folder());
        command.args([
            "--peer-listen",
            &self.peers[nth],
            "--discovery",
            &format!("static:{}", others.join(",")),
        ]);
        command.args(["--bootstrap", &names.join(",")]);
    }
}

/// A loopback address that was free a moment ago.
fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
