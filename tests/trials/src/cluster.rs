//! Nodes of one cluster, the network between them, and who leads what.

use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use mesh_e2e::{Authority, CLUSTER, Certificates, Subject, Validity};
use serde_json::Value;
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

use crate::network::Network;
use crate::node::{LOOK, Node, Setup};

/// How long a cluster may take until every group has a leader.
const SETTLE: Duration = Duration::from_secs(30);

/// How long a command may take.
const COMMAND: Duration = Duration::from_secs(15);

/// What a cluster is made of.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Nodes that may be.
    pub(crate) nodes: usize,
    /// How many of them begin it.
    pub(crate) founders: usize,
    /// Shards.
    pub(crate) shards: u32,
    /// A node whose data is on a small file system, if any, and its size in bytes.
    pub(crate) small_disk: Option<(usize, u64)>,
    /// A bug to be brought back, by name.
    pub(crate) bug: Option<String>,
}

/// Where the programs are.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(crate) node: PathBuf,
    pub(crate) cli: PathBuf,
}

/// See the module.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
    pub(crate) network: Network,
    pub(crate) folder: PathBuf,
    cli: PathBuf,
    mounted: Vec<PathBuf>,
    _certificates: Certificates,
}

impl Cluster {
    /// Sets everything up and starts the founders.
    pub(crate) async fn start(
        programs: &Programs,
        folder: &Path,
        plan: &Plan,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let certificates = certificates(plan.nodes);
        let places = free_places(plan.nodes)?;
        let network = Network::new(&places, seed)?;
        let founders: Vec<String> = (0..plan.founders).map(name).collect();
        let mut cluster = Self {
            nodes: Vec::new(),
            network,
            folder: folder.to_owned(),
            cli: programs.cli.clone(),
            mounted: Vec::new(),
            _certificates: certificates,
        };
        for (nth, place) in places.iter().enumerate() {
            let data = folder.join(format!("{}.data", name(nth)));
            if let Some((_, bytes)) = plan.small_disk.filter(|(node, _)| *node == nth) {
                mount_tmpfs(&data, bytes)?;
                cluster.mounted.push(data.clone());
            }
            let mut arguments: Vec<String> = vec!["--cluster".into(), CLUSTER.into(), "--certs".into()];
            arguments.push(cluster._certificates.path().display().to_string());
            arguments.extend(["--peer-listen".into(), place.to_string()]);
            let others = cluster.network.addresses(nth);
            if !others.is_empty() {
                let others: Vec<String> = others.iter().map(ToString::to_string).collect();
                arguments.extend(["--discovery".into(), format!("static:{}", others.join(","))]);
            }
            if nth < plan.founders && plan.founders > 1 {
                arguments.extend(["--bootstrap".into(), founders.join(",")]);
            }
            let environment = [
                ("MESH_NODE_STORAGE__REGISTERS", "true".to_owned()),
                ("MESH_NODE_STORAGE__SHARDS", plan.shards.to_string()),
                ("MESH_NODE_STORAGE__FILE_BYTES", "4MiB".to_owned()),
            ];
            let setup = Setup {
                program: programs.node.clone(),
                name: name(nth),
                folder: folder.to_owned(),
                data,
                http: free_http()?,
                arguments,
                environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
            };
            let node = Node::new(setup, plan.bug.clone());
            node.faults("")?;
            cluster.nodes.push(node);
        }
        for node in cluster.nodes.iter_mut().take(plan.founders) {
            node.start()?;
        }
        for node in cluster.nodes.iter_mut().take(plan.founders) {
            node.ready().await?;
        }
        cluster.settled().await?;
        Ok(cluster)
    }

    /// Where clients connect, all nodes that may be.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Node::url).collect()
    }

    /// Waits until every group has a leader that some running node knows.
    pub(crate) async fn settled(&mut self) -> anyhow::Result<()> {
        let end = Instant::now() + SETTLE;
        loop {
            let groups = self.groups().await;
            if groups.as_ref().is_ok_and(|all| !all.is_empty() && all.iter().all(|g| g["leader"].is_string()))
            {
                return Ok(());
            }
            ensure!(Instant::now() < end, "not every group has a leader after {SETTLE:?}: {groups:?}");
            sleep(LOOK).await;
        }
    }

    /// The groups as the nodes see them: of each, the view with the highest term.
    pub(crate) async fn groups(&mut self) -> anyhow::Result<Vec<Value>> {
        let mut newest: Vec<Value> = Vec::new();
        for node in &mut self.nodes {
            if !node.is_running() {
                continue;
            }
            // A node that is stopped or has just been killed says nothing, and others do.
            let Ok(answer) = node.api("groups").await else { continue };
            for group in answer["groups"].as_array().context("no groups")? {
                match newest.iter_mut().find(|known| known["group"] == group["group"]) {
                    Some(known) if rank(known) < rank(group) => *known = group.clone(),
                    Some(_) => {}
                    None => newest.push(group.clone()),
                }
            }
        }
        Ok(newest)
    }

    /// The node that leads most groups of shards.
    pub(crate) async fn leader(&mut self) -> anyhow::Result<usize> {
        let groups = self.groups().await?;
        let leads = |node: &Node| groups.iter().filter(|g| g["leader"] == *node.setup.name).count();
        let best = (0..self.nodes.len()).max_by_key(|nth| leads(&self.nodes[*nth]));
        best.filter(|nth| leads(&self.nodes[*nth]) > 0).context("nobody leads anything")
    }

    /// How many shards a node leads, as the others see it. (Nothing is written to the meta group as a rule.)
    pub(crate) async fn leads(&mut self, nth: usize) -> anyhow::Result<usize> {
        let name = self.nodes[nth].setup.name.clone();
        let leads = |group: &&Value| group["leader"] == name.as_str() && group["group"] != 0;
        Ok(self.groups().await?.iter().filter(leads).count())
    }

    /// Makes a node the leader of every group.
    pub(crate) async fn lead_all(&mut self, nth: usize) -> anyhow::Result<()> {
        self.lead(|_| nth).await
    }

    /// Gives each group the leader that the nodes would give it in time, so that they leave it where it is: the nodes in
    /// turn, by the group's number. For founders that all are voters of each group.
    pub(crate) async fn lead_in_turn(&mut self) -> anyhow::Result<()> {
        let nodes = self.nodes.len();
        self.lead(|group| usize::try_from(group).unwrap_or(0) % nodes).await
    }

    /// Makes the nodes lead that `by` says, by the group's number.
    async fn lead(&mut self, by: impl Fn(u64) -> usize) -> anyhow::Result<()> {
        let end = Instant::now() + SETTLE;
        loop {
            let groups = self.groups().await?;
            let wanted = groups.iter().filter_map(|group| {
                let number = group["group"].as_u64()?;
                let name = self.nodes[by(number)].setup.name.clone();
                (group["leader"] != name.as_str()).then(|| (number.to_string(), name))
            });
            let others: Vec<(String, String)> = wanted.collect();
            if others.is_empty() && !groups.is_empty() {
                return Ok(());
            }
            ensure!(Instant::now() < end, "these groups are not led so after {SETTLE:?}: {others:?}");
            for (group, name) in &others {
                // It may have moved meanwhile.
                self.mesh(&["group", "transfer", group, name]).await.ok();
            }
            sleep(10 * LOOK).await;
        }
    }

    /// Runs `mesh` against the first node that takes the command.
    pub(crate) async fn mesh(&mut self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut said = String::new();
        for node in &mut self.nodes {
            if !node.is_running() {
                continue;
            }
            let mut command = Command::new(&self.cli);
            command
                .env_remove("MESH_CONTEXT")
                .env("MESH_URL", node.url())
                .env("XDG_CONFIG_HOME", &self.folder);
            let done = command.args(arguments).kill_on_drop(true).output();
            let output = timeout(COMMAND, done).await.context("no answer")??;
            if output.status.success() {
                return Ok(String::from_utf8(output.stdout)?);
            }
            said = String::from_utf8_lossy(&output.stderr).into_owned();
        }
        bail!("mesh {}: {said}", arguments.join(" "))
    }

    /// Kills a node and starts it again.
    pub(crate) async fn restart(&mut self, nth: usize) -> anyhow::Result<()> {
        self.nodes[nth].kill().await?;
        self.nodes[nth].start()?;
        self.nodes[nth].ready().await
    }

    /// Waits until every replica is at work, and no more than so many entries behind: some always are while there is load.
    pub(crate) async fn caught_up(&mut self, lag_max: u64, within: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + within;
        loop {
            let groups = self.groups().await?;
            let mut behind: Vec<String> =
                groups.iter().filter_map(|group| what_lacks(group, lag_max)).collect();
            behind.extend(self.in_quarantine().await);
            if behind.is_empty() && !groups.is_empty() {
                return Ok(());
            }
            if Instant::now() >= end {
                bail!("after {within:?}: {}", behind.join("; "));
            }
            sleep(LOOK).await;
        }
    }

    /// The replicas that take no part.
    pub(crate) async fn in_quarantine(&mut self) -> Vec<String> {
        let mut found = Vec::new();
        for node in &self.nodes {
            let Ok(answer) = node.api("groups").await else { continue };
            let groups = answer["groups"].as_array().cloned().unwrap_or_default();
            let out = groups.iter().filter(|group| group["quarantined"] == true);
            found.extend(out.map(|group| format!("{}: {} is in quarantine", node.setup.name, group["name"])));
        }
        found
    }

    /// Pieces of records that were found damaged since the nodes started, and those that still are.
    pub(crate) async fn damaged_pieces(&self) -> anyhow::Result<(u64, u64)> {
        let (mut found, mut left) = (0, 0);
        for node in &self.nodes {
            found += node.metric("mesh_log_damaged_pieces_total").await?;
            let answer = node.api("groups").await?;
            let groups = answer["groups"].as_array().context("no groups")?;
            left += groups.iter().filter_map(|group| group["damaged"].as_u64()).sum::<u64>();
        }
        Ok((found, left))
    }

    /// Kills all that runs and takes everything away again.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        for node in &mut self.nodes {
            node.kill().await?;
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The nodes are killed when dropped; what they still have open does not keep a lazy unmount.
        self.nodes.clear();
        for path in &self.mounted {
            rustix::mount::unmount(path, rustix::mount::UnmountFlags::DETACH).ok();
        }
    }
}

/// Why a group is not as it should be, if it is not.
fn what_lacks(group: &Value, lag_max: u64) -> Option<String> {
    let lags = |lag: &Value| lag.as_u64().is_none_or(|lag| lag > lag_max);
    let replicas = group["replicas"].as_array().map(Vec::as_slice).unwrap_or_default();
    let behind = replicas.iter().find(|replica| lags(&replica["lag"]));
    let name = &group["name"];
    match behind {
        _ if !group["leader"].is_string() => Some(format!("{name} has no leader")),
        Some(replica) => Some(format!("{name}: {} lags by {}", replica["node"], replica["lag"])),
        None => None,
    }
}

/// What a later view has more of.
fn rank(group: &Value) -> (u64, bool, u64) {
    // Only the leader knows how far the others are.
    (group["term"].as_u64().unwrap_or(0), group["role"] == "leader", group["commit"].as_u64().unwrap_or(0))
}

/// The name of a node.
pub(crate) fn name(nth: usize) -> String {
    format!("n{}", nth + 1)
}

fn certificates(nodes: usize) -> Certificates {
    let authority = Authority::new("authority");
    let certificates = Certificates::trusting(&[&authority]);
    for nth in 0..nodes {
        let name = name(nth);
        certificates.put_node(&name, &authority.issue(Subject::Node(&name), Validity::Now));
    }
    certificates
}

/// Ports of loopback that were free a moment ago, all different.
fn free_places(count: usize) -> anyhow::Result<Vec<SocketAddr>> {
    let sockets: Vec<UdpSocket> =
        (0..count).map(|_| UdpSocket::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    Ok(sockets.iter().map(UdpSocket::local_addr).collect::<Result<_, _>>()?)
}

fn free_http() -> anyhow::Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn mount_tmpfs(at: &Path, bytes: u64) -> anyhow::Result<()> {
    std::fs::create_dir_all(at)?;
    let options = std::ffi::CString::new(format!("size={bytes},mode=0700"))?;
    rustix::mount::mount("tmpfs", at, "tmpfs", rustix::mount::MountFlags::empty(), options.as_c_str())
        .with_context(|| format!("a file system of {bytes} bytes at {} (needs root)", at.display()))
}
