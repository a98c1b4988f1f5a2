//! A node as a process.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{Finished, PATIENCE, Process, program, raw::RawLink};

/// How to start a node.
#[derive(Debug, Default)]
pub struct NodeBuilder {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    http: bool,
}

impl NodeBuilder {
    /// With the admin HTTP server on a port that the system chooses.
    #[must_use]
    pub fn with_http(mut self) -> Self {
        self.http = true;
        self
    }

    /// With a further argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With a configuration key, by its environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// When it does not come up, with what it printed.
    pub fn start(self) -> RunningNode {
        let directory =
            tempfile::Builder::new().prefix("mesh-e2e-").tempdir().expect("a temporary directory");
        let socket = directory.path().join("m.sock");
        let mut command = Command::new(program("mesh-node", "mesh-node"));
        command.arg("--data").arg(directory.path()).arg("--socket").arg(&socket);
        command.arg("--http").arg(if self.http { "127.0.0.1:0" } else { "off" });
        command.args(&self.arguments).envs(self.environment);
        let mut process = Process::start(&mut command);
        let http = self.http.then(|| {
            let line = process.stdout_line("http://");
            let host = line.split_once("http://").and_then(|(_, rest)| rest.split('/').next());
            host.expect("an address").to_owned()
        });
        // The greeting ends with the commands to try.
        process.stdout_line(" pub ");
        RunningNode { process, socket, http, directory }
    }
}

/// A node that runs. It is killed when this is dropped, and its directory with it.
#[derive(Debug)]
pub struct RunningNode {
    process: Process,
    socket: PathBuf,
    http: Option<String>,
    directory: TempDir,
}

impl RunningNode {
    /// A node with default settings.
    pub fn start() -> Self {
        NodeBuilder::default().start()
    }

    /// Where a client connects.
    pub fn url(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Its socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// A directory of its own.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The admin HTTP server's `host:port`.
    ///
    /// # Panics
    /// When it was started without.
    pub fn http(&self) -> &str {
        self.http.as_deref().expect("started with HTTP")
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A greeted link.
    pub fn link(&self, name: &str) -> RawLink {
        RawLink::greeted(&self.socket, name)
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the process is gone.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn finish(self) -> Finished {
        self.process.finish()
    }

    /// Asserts that the node still serves: a publish goes from one fresh link to another.
    ///
    /// # Panics
    /// When it does not.
    pub fn assert_serves(&self) {
        let mut subscriber = self.link("check-sub");
        subscriber.subscribe(1, "check.it", 10);
        let mut publisher = self.link("check-pub");
        publisher.publish("check.it", b"still here");
        assert_eq!(subscriber.receive().body, b"still here");
    }
}

/// Polls for something that can't be awaited, in small steps and for a bounded time.
///
/// # Panics
/// When it does not come true.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
