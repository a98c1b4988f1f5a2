//! Ours: a node with its defaults on a Unix socket, and on QUIC where that is asked for, driven by `mesh bench`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use mesh_race::certificates::{CLUSTER, Certificates, NODE};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::broker::{At, Broker, Part, Server};
use crate::process::{LOOK, Process, READY};
use crate::row::{Carrier, Row, Work};

/// How long a busy-polling node polls before it sleeps.
const BUSY_POLL: &str = "50us";

/// The subject of every message and request.
const SUBJECT: &str = "bench.race";

/// Where its programs are.
pub(crate) struct Mesh {
    pub(crate) node: PathBuf,
    pub(crate) cli: PathBuf,
    /// The driver of what is kept.
    pub(crate) log: PathBuf,
}

impl Mesh {
    /// The node's version.
    pub(crate) async fn version(&self) -> anyhow::Result<String> {
        let output = Command::new(&self.node).arg("--version").output().await?;
        ensure!(output.status.success(), "mesh-node --version: {}", output.status);
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

impl Broker for Mesh {
    async fn start(&self, scratch: &Path, row: Row) -> anyhow::Result<Server> {
        let socket = scratch.join("mesh.sock");
        let mut command = Command::new(&self.node);
        command.arg("--data").arg(scratch.join("data")).arg("--socket").arg(&socket);
        command.args(["--http", &free_address()?]);
        if matches!(row.work, Work::Request { busy_poll: true, .. }) {
            command.args(["--busy-poll", BUSY_POLL]);
        }
        let over_quic = (row.carrier == Carrier::Quic).then(|| OverQuic::prepare(scratch)).transpose()?;
        if let Some(OverQuic { listen, certificates }) = &over_quic {
            command.args(["--node", NODE, "--cluster", CLUSTER, "--listen", listen, "--certs"]);
            command.arg(certificates.folder());
        }
        let mut process = Process::start("mesh node", command, scratch)?;
        let end = Instant::now() + READY;
        while UnixStream::connect(&socket).await.is_err() {
            process.check_running()?;
            ensure!(Instant::now() < end, "mesh node: no socket within {READY:?}");
            sleep(LOOK).await;
        }
        let Some(OverQuic { listen, certificates }) = over_quic else {
            let at = At { address: format!("unix://{}", socket.display()), certificates: None };
            return Ok(Server { process, at });
        };
        // Where it listens for QUIC it listens for TLS, and that can be seen.
        while TcpStream::connect(&listen).await.is_err() {
            process.check_running()?;
            ensure!(Instant::now() < end, "mesh node: no port within {READY:?}");
            sleep(LOOK).await;
        }
        let at = At { address: format!("quic://{listen}"), certificates: Some(certificates) };
        Ok(Server { process, at })
    }

    fn driver(&self, at: &At, part: Part) -> Command {
        let (word, flags) = part.words();
        let mut command = Command::new(&self.cli);
        command.args(["--url", &at.address]);
        if let Some(certificates) = &at.certificates {
            command.arg("--certs").arg(certificates.folder());
        }
        command.args(["bench", word]);
        if !matches!(part, Part::Connections { .. } | Part::Subscriptions { .. }) {
            command.arg(SUBJECT);
        }
        for (flag, value) in flags {
            command.args([flag, &value.to_string()]);
        }
        command.arg("--json");
        command
    }
}

/// What a node needs to listen for QUIC.
struct OverQuic {
    listen: String,
    certificates: Certificates,
}

impl OverQuic {
    fn prepare(scratch: &Path) -> anyhow::Result<Self> {
        Ok(Self { listen: free_address()?, certificates: Certificates::make(&scratch.join("certs"))? })
    }
}

/// A loopback address that was free a moment ago.
fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
