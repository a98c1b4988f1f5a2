//! Ours: a node with its defaults on a Unix socket, driven by `mesh bench`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::broker::{Broker, Part, Server};
use crate::process::{LOOK, Process, READY};

/// How long a busy-polling node polls before it sleeps.
const BUSY_POLL: &str = "50us";

/// The subject of every message and request.
const SUBJECT: &str = "bench.race";

/// Where its programs are.
pub(crate) struct Mesh {
    pub(crate) node: PathBuf,
    pub(crate) cli: PathBuf,
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
    async fn start(&self, scratch: &Path, busy_poll: bool) -> anyhow::Result<Server> {
        let socket = scratch.join("mesh.sock");
        let mut command = Command::new(&self.node);
        command.arg("--data").arg(scratch.join("data")).arg("--socket").arg(&socket);
        command.args(["--http", &free_address()?]);
        if busy_poll {
            command.args(["--busy-poll", BUSY_POLL]);
        }
        let mut process = Process::start("mesh node", command, scratch)?;
        let end = Instant::now() + READY;
        while UnixStream::connect(&socket).await.is_err() {
            process.check_running()?;
            ensure!(Instant::now() < end, "mesh node: no socket within {READY:?}");
            sleep(LOOK).await;
        }
        Ok(Server { process, address: format!("unix://{}", socket.display()) })
    }

    fn driver(&self, address: &str, part: Part) -> Command {
        let (word, flags) = part.words();
        let mut command = Command::new(&self.cli);
        command.args(["--url", address, "bench", word]);
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

/// A loopback address that was free a moment ago.
fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
