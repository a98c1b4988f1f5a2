//! What nodes need to find and trust each other.

use std::net::UdpSocket;
use std::path::Path;

use mesh_race::certificates::{CLUSTER, Certificates};
use tokio::process::Command;

/// What nodes need to find and trust each other.
pub(super) struct Replicated {
    certificates: Certificates,
    peers: Vec<String>,
}

impl Replicated {
    pub(super) fn prepare(names: &[String], scratch: &Path) -> anyhow::Result<Self> {
        let certificates = Certificates::make_for(&scratch.join("certs"), names)?;
        // All held until all are known, so that no two are the same.
        let sockets = names.iter().map(|_| UdpSocket::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>()?;
        let addresses = sockets.iter().map(UdpSocket::local_addr).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { certificates, peers: addresses.iter().map(ToString::to_string).collect() })
    }

    /// Adds what a node is told of the others.
    pub(super) fn arguments(&self, nth: usize, names: &[String], command: &mut Command) {
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
