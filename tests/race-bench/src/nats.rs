//! NATS: the server with its defaults on a free loopback port, over plain TCP or with TLS and certificates on both
//! sides, driven by the Go program in `nats/`.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use mesh_race::certificates::Certificates;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use crate::broker::{At, Broker, Part, Server};
use crate::process::{LOOK, Process, READY};
use crate::row::Row;

/// Where its programs are.
pub(crate) struct Nats {
    pub(crate) server: PathBuf,
    pub(crate) driver: PathBuf,
    /// Whether it is TLS.
    pub(crate) tls: bool,
}

impl Nats {
    /// The server's and the client library's version.
    pub(crate) async fn version(&self) -> anyhow::Result<String> {
        let server = Command::new(&self.server).arg("--version").output().await?;
        let client = Command::new(&self.driver).arg("version").output().await?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().replace("nats-server: ", "");
        Ok(format!("nats-server {}, {}", text(server.stdout), text(client.stdout)))
    }
}

impl Broker for Nats {
    async fn start(&self, scratch: &Path, _row: Row) -> anyhow::Result<Server> {
        let mut command = Command::new(&self.server);
        command.args(["--addr", "127.0.0.1", "--port", "-1", "--ports_file_dir"]).arg(scratch);
        let certificates = self.tls.then(|| Certificates::make(&scratch.join("certs"))).transpose()?;
        if let Some(certificates) = &certificates {
            let (certificate, key) = certificates.node();
            command.arg("--tlsverify").arg("--tlscacert").arg(certificates.authority());
            command.arg("--tlscert").arg(certificate).arg("--tlskey").arg(key);
        }
        let mut process = Process::start("nats server", command, scratch)?;
        // It takes a free port and then leaves a file with its addresses.
        let end = Instant::now() + READY;
        loop {
            process.check_running()?;
            if let Some(address) = written_address(scratch)? {
                return Ok(Server { process, at: At { address, certificates } });
            }
            ensure!(Instant::now() < end, "nats server: no port within {READY:?}");
            sleep(LOOK).await;
        }
    }

    fn driver(&self, at: &At, part: Part) -> Command {
        let (word, flags) = part.words();
        let mut command = Command::new(&self.driver);
        command.args([word, "--url", &at.address]);
        if let Some(certificates) = &at.certificates {
            let (certificate, key) = certificates.service();
            command.arg("--ca").arg(certificates.authority());
            command.arg("--cert").arg(certificate).arg("--key").arg(key);
        }
        for (flag, value) in flags {
            command.args([flag, &value.to_string()]);
        }
        command
    }
}

/// The client address from the ports file, once it is there and whole.
fn written_address(scratch: &Path) -> anyhow::Result<Option<String>> {
    for entry in std::fs::read_dir(scratch)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "ports") {
            let text = std::fs::read_to_string(&path)?;
            let Ok(ports) = serde_json::from_str::<serde_json::Value>(&text) else { return Ok(None) };
            let address = ports["nats"][0].as_str().context("no address in the ports file")?;
            return Ok(Some(address.to_owned()));
        }
    }
    Ok(None)
}
