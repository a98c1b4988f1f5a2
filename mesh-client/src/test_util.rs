//! A node in this process, for tests of applications.
//!
//! ```
//! # fn main() -> Result<(), mesh_client::Error> {
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(async {
//! use mesh_client::test_util::TestNode;
//!
//! let node = TestNode::start().await?;
//! let mesh = node.client().await?;
//! let mut greetings = mesh.subscribe("greetings.>").await?;
//! mesh.publish("greetings.first", "hello").await?;
//! let message = greetings.next().await.expect("the subscription is open");
//! assert_eq!(message.text()?, "hello");
//! node.stop().await;
//! # Ok(()) })
//! # }
//! ```

use std::path::{Path, PathBuf};

use mesh_identity::authority::{self, Init, Issue};
use mesh_node::Node;
use mesh_node::config::{Config, Flag, Layers};
use mesh_transport::link::Carrier;
use mesh_transport::socket_path::Places;
use mesh_wire::code::Code;
use mesh_wire::name::Name;
use tempfile::TempDir;

use crate::builder::ClientBuilder;
use crate::client::Client;
use crate::error::Error;

/// How long the node may take to drain; tests have nothing to lose.
const DRAIN: &str = "1s";

/// What nodes and their cluster are called here.
const NAME: &str = "test";

/// A node of its own: a socket in a temporary directory, no admin HTTP. Dropped, it is stopped in the background.
///
/// Any number of them run beside each other.
#[derive(Debug)]
pub struct TestNode {
    running: Option<(Node, TempDir)>,
    endpoint: String,
    /// The certificates of a node on the network.
    certs: Option<PathBuf>,
}

impl TestNode {
    /// Starts a node; ready when clients can connect.
    ///
    /// # Errors
    /// What keeps a node from starting: no temporary directory, no socket, no threads.
    ///
    /// # Cancel safety
    /// A node that was not handed out is stopped.
    pub async fn start() -> Result<Self, Error> {
        Self::start_with(&[]).await
    }

    /// Starts a node with some keys of its configuration, as the file has them: `("limits.max_body", "1KiB")`.
    ///
    /// # Errors
    /// As [`TestNode::start`], and what is wrong with the configuration.
    ///
    /// # Cancel safety
    /// As [`TestNode::start`].
    pub async fn start_with(keys: &[(&'static str, &str)]) -> Result<Self, Error> {
        Self::start_in_background(keys, false).await
    }

    /// Starts a node that listens on this machine's loopback address as well, over QUIC and TLS, with certificates of a
    /// CA of its own; some keys as [`TestNode::start_with`]. See [`TestNode::builder_over`].
    ///
    /// # Errors
    /// As [`TestNode::start_with`].
    ///
    /// # Cancel safety
    /// As [`TestNode::start`].
    pub async fn start_on_network(keys: &[(&'static str, &str)]) -> Result<Self, Error> {
        Self::start_in_background(keys, true).await
    }

    async fn start_in_background(keys: &[(&'static str, &str)], network: bool) -> Result<Self, Error> {
        let keys: Vec<_> = keys.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        let started = tokio::task::spawn_blocking(move || start(keys, network)).await;
        started.map_err(|error| Error::of(Code::InternalError).with_cause(error.to_string()))?
    }

    /// What a client connects to.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A client that is to connect to this node.
    pub fn builder(&self) -> ClientBuilder {
        Client::builder().endpoint(&self.endpoint)
    }

    /// The directory with the certificates of a node that is on the network.
    #[must_use]
    pub fn certs(&self) -> Option<&Path> {
        self.certs.as_deref()
    }

    /// A client that is to connect over `carrier` as the service of this name, whose certificate is made.
    ///
    /// # Errors
    /// [`Code::ListenUnusable`] when the node is not on the network; a malformed name.
    pub fn builder_over(&self, carrier: Carrier, service: &str) -> Result<ClientBuilder, Error> {
        let address = self.running.as_ref().and_then(|(node, _)| node.listen_address());
        let (Some(address), Some(certs)) = (address, &self.certs) else {
            return Err(Error::of(Code::ListenUnusable).with_cause("the node is not on the network"));
        };
        let endpoint = match carrier {
            Carrier::Unix => self.endpoint.clone(),
            Carrier::Quic | Carrier::Tls => format!("{}://{address}", carrier.as_str()),
        };
        let issue = Issue { force: true, ..Issue::service(name(service)?) };
        authority::issue(certs, &issue).map_err(unmade)?;
        Ok(Client::builder().endpoint(endpoint).certs(certs).identity(service))
    }

    /// A client of this node.
    ///
    /// # Errors
    /// As [`ClientBuilder::connect`].
    ///
    /// # Cancel safety
    /// As [`ClientBuilder::connect`].
    pub async fn client(&self) -> Result<Client, Error> {
        self.builder().connect().await
    }

    /// Asks the node to drain; its clients are told.
    pub fn begin_drain(&self) {
        if let Some((node, _)) = &self.running {
            node.begin_drain();
        }
    }

    /// Stops the node and waits until it is gone.
    ///
    /// # Cancel safety
    /// It goes on stopping.
    pub async fn stop(mut self) {
        if let Some((node, directory)) = self.running.take() {
            // A panic of the node was printed by its thread.
            drop(tokio::task::spawn_blocking(move || drop((node, directory))).await);
        }
    }
}

impl Drop for TestNode {
    /// Not here: a drop may stand in the way of the very tasks that the node waits for.
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            drop(std::thread::spawn(move || drop(running)));
        }
    }
}

fn start(keys: Vec<(&'static str, String)>, network: bool) -> Result<TestNode, Error> {
    let directory = tempfile::Builder::new()
        .prefix("mesh-")
        .tempdir()
        .map_err(|error| Error::of(Code::DataDirUnusable).with_cause(error.to_string()).with_source(error))?;
    let socket = directory.path().join("m.sock");
    let flag = |key: &'static str, value: String| Flag { key, flag: "TestNode", value };
    let mut flags = vec![
        flag("data", directory.path().display().to_string()),
        flag("socket.path", socket.display().to_string()),
        flag("http.address", "off".to_owned()),
        flag("drain.deadline", DRAIN.to_owned()),
    ];
    let certs = network.then(|| directory.path().join("certs"));
    if let Some(certs) = &certs {
        authority::init(certs, &Init { cluster: name(NAME)?, validity: None, force: false })
            .map_err(unmade)?;
        authority::issue(certs, &Issue::node(name(NAME)?)).map_err(unmade)?;
        flags.push(flag("cluster", NAME.to_owned()));
        flags.push(flag("certs.dir", certs.display().to_string()));
        flags.push(flag("listen.address", "127.0.0.1:0".to_owned()));
    }
    flags.extend(keys.into_iter().map(|(key, value)| flag(key, value)));
    let layers = Layers {
        file: None,
        environment: Vec::new(),
        flags,
        places: Places::from_env(),
        host_name: NAME.to_owned(),
    };
    let config = Config::load(layers)
        .map_err(|error| Error::new(error.code(), error.to_string()).with_hint(error.hint().to_string()))?;
    let node = Node::start(config)
        .map_err(|error| Error::new(error.code(), error.to_string()).with_hint(error.hint()))?;
    let endpoint = node.endpoint().to_string();
    Ok(TestNode { running: Some((node, directory)), endpoint, certs })
}

fn name(text: &str) -> Result<Name, Error> {
    Name::new(text).map_err(|error| {
        Error::new(error.code(), format!("{text:?} is no name")).with_cause(error.to_string())
    })
}

fn unmade(error: authority::Error) -> Error {
    Error::new(error.code(), error.to_string()).with_hint(error.hint())
}
