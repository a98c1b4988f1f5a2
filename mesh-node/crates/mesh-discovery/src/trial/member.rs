//! One process of etcd.

use std::{
    fs::{self, File},
    io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{certs::Certs, text};

/// See the module.
#[derive(Debug)]
pub(super) struct Member {
    program: PathBuf,
    arguments: Vec<String>,
    url: String,
    data: PathBuf,
    log: PathBuf,
    child: Option<Child>,
}

/// Finds ports for members, and says how each is started.
pub(super) fn prepare(
    program: &Path,
    dir: &Path,
    count: usize,
    certs: Option<&Certs>,
) -> io::Result<Vec<Member>> {
    // All are held at the same time, so that they differ.
    let held = (0..count * 2).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<io::Result<Vec<_>>>()?;
    let ports = held.iter().map(|port| Ok(port.local_addr()?.port())).collect::<io::Result<Vec<_>>>()?;
    let (clients, peers) = ports.split_at(count);
    let peer_url = |port: &u16| format!("http://127.0.0.1:{port}");
    let all: Vec<String> =
        peers.iter().enumerate().map(|(index, port)| format!("etcd{index}={}", peer_url(port))).collect();
    let scheme = if certs.is_some() { "https" } else { "http" };
    let members = clients.iter().zip(peers).enumerate().map(|(index, (client, peer))| {
        let url = format!("{scheme}://127.0.0.1:{client}");
        let data = dir.join(format!("etcd{index}"));
        let mut arguments = Vec::new();
        let mut say = |name: &str, value: &str| arguments.extend([name.to_owned(), value.to_owned()]);
        say("--name", &format!("etcd{index}"));
        say("--data-dir", &text(&data));
        say("--listen-client-urls", &url);
        say("--advertise-client-urls", &url);
        say("--listen-peer-urls", &peer_url(peer));
        say("--initial-advertise-peer-urls", &peer_url(peer));
        say("--initial-cluster", &all.join(","));
        say("--initial-cluster-state", "new");
        // Elections and leases in less time than people would want to wait.
        say("--heartbeat-interval", "50");
        say("--election-timeout", "500");
        say("--log-level", "error");
        if let Some(certs) = certs {
            say("--cert-file", &text(&certs.cert));
            say("--key-file", &text(&certs.key));
            say("--trusted-ca-file", &text(&certs.ca));
            arguments.push("--client-cert-auth".to_owned());
        }
        let log = dir.join(format!("etcd{index}.log"));
        Member { program: program.to_owned(), arguments, url, data, log, child: None }
    });
    Ok(members.collect())
}

impl Member {
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn start(&mut self) -> io::Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.child = Some(command.spawn()?);
        Ok(())
    }

    pub(super) fn is_meant_to_run(&self) -> bool {
        self.child.is_some()
    }

    pub(super) fn is_running(&mut self) -> io::Result<bool> {
        match &mut self.child {
            Some(child) => Ok(child.try_wait()?.is_none()),
            None => Ok(false),
        }
    }

    pub(super) fn signal(&self, signal: Signal) -> io::Result<()> {
        let child = self.child.as_ref().ok_or_else(|| io::Error::other("it does not run"))?;
        Ok(kill_process(Pid::from_child(child), signal)?)
    }

    pub(super) fn kill(&mut self) -> io::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    pub(super) fn empty(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.data)
    }

    /// The end of what it has written.
    pub(super) fn log(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(500)..]).into_owned()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // There is nobody left to tell.
        self.kill().ok();
    }
}
