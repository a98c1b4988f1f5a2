//! A node as a process.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{CLUSTER, Certificates, Finished, PATIENCE, Process, program, raw::RawLink};

/// How to start a node.
#[derive(Debug, Clone, Default)]
pub struct NodeBuilder {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    http: bool,
    listen: Option<SocketAddr>,
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

    /// Takes registers.
    #[must_use]
    pub fn with_registers(self) -> Self {
        self.env("MESH_NODE_STORAGE__REGISTERS", "on")
    }

    /// One of the nodes that a new cluster begins with.
    #[must_use]
    pub fn bootstrap(self, nodes: &[&str]) -> Self {
        self.arg("--bootstrap").arg(nodes.join(","))
    }

    /// With these faults, if the program was built to have any: as `MESH_FAULTS` takes them.
    #[must_use]
    pub fn faults(self, faults: impl Into<String>) -> Self {
        self.env("MESH_FAULTS", faults)
    }

    /// Under this name in [`CLUSTER`], with these certificates, on a port of loopback that the system chooses.
    #[must_use]
    pub fn with_certificates(self, name: &str, certificates: &Certificates) -> Self {
        let directory = certificates.path().display().to_string();
        let named = self.arg("--node").arg(name).arg("--cluster").arg(CLUSTER).arg("--certs").arg(directory);
        named.listen(LOOPBACK)
    }

    /// On this address of the network.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
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
        let process = self.process(directory.path(), &socket);
        let mut node = RunningNode { builder: self, process, http: None, network: None, socket, directory };
        node.greeted();
        node
    }

    fn process(&self, directory: &Path, socket: &Path) -> Process {
        let mut command = Command::new(program("mesh-node", "mesh-node"));
        command.arg("--data").arg(directory).arg("--socket").arg(socket);
        command.arg("--http").arg(if self.http { "127.0.0.1:0" } else { "off" });
        // Many nodes share a disk in tests.
        command.env("MESH_NODE_STORAGE__FILE_BYTES", "4MiB");
        if let Some(address) = self.listen {
            command.arg("--listen").arg(address.to_string());
        }
        Process::start(command.args(&self.arguments).envs(self.environment.iter().map(|(k, v)| (k, v))))
    }
}

/// A port that the system chooses.
const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A node that runs. It is killed when this is dropped, and its directory with it.
#[derive(Debug)]
pub struct RunningNode {
    builder: NodeBuilder,
    process: Process,
    http: Option<String>,
    network: Option<SocketAddr>,
    socket: PathBuf,
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

    /// Where it listens on the network.
    ///
    /// # Panics
    /// When it was started without.
    pub fn network(&self) -> SocketAddr {
        self.network.expect("started with an address to listen on")
    }

    /// Kills it; nobody is told.
    ///
    /// # Panics
    /// When it is gone already.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.process.wait();
    }

    /// Starts it again after [`RunningNode::kill`], at the same addresses and with what is in its directory now.
    ///
    /// # Panics
    /// When it does not come up, with what it printed.
    pub fn start_again(&mut self) {
        self.builder.listen = self.network.or(self.builder.listen);
        self.process = self.builder.process(self.directory.path(), &self.socket);
        self.greeted();
    }

    /// Starts it again after [`RunningNode::kill`] and waits for its end: it is not to come up.
    pub fn start_in_vain(&self) -> Finished {
        self.builder.process(self.directory.path(), &self.socket).finish()
    }

    /// Kills it and starts it again, at the same addresses and with the same data.
    ///
    /// # Panics
    /// When it does not come up, with what it printed.
    pub fn restart(&mut self) {
        // Nobody says goodbye: whoever was connected has to find out.
        self.kill();
        self.start_again();
    }

    /// Its process, to read what it prints.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Reads the greeting, which ends with the commands to try.
    fn greeted(&mut self) {
        self.process.stdout_line(" pub ");
        let greeting = self.process.stdout();
        let host = |scheme: &str| {
            let (_, rest) = greeting.split_once(scheme)?;
            rest.split(['/', ' ', ',', '\n']).next().map(str::to_owned)
        };
        self.http = host("http://").filter(|_| self.builder.http);
        self.network = host("quic://").and_then(|address| address.parse().ok());
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
