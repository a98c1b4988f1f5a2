//! A directory of certificates for one cluster, and nodes that use it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mesh_client::{Client, ClientBuilder};
use mesh_identity::authority::{self, Init, Issue, Validity};
use mesh_identity::set::{Source, Who};
use mesh_identity::store::Store;
use mesh_identity::verify::Expect;
use mesh_transport::quic::{ListenerOptions, ResetKey};
use mesh_transport::tls;
use mesh_wire::name::Name;

use crate::fake_node::FakeNode;

const CLUSTER: &str = "c";
const NODE: &str = "n1";
const SERVICE: &str = "tester";

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A CA with a node's and a service's certificate.
pub(crate) struct Trust {
    dir: tempfile::TempDir,
}

impl Trust {
    pub(crate) fn new() -> Self {
        let trust = Self { dir: tempfile::tempdir().unwrap() };
        authority::init(trust.path(), &Init { cluster: name(CLUSTER), validity: None, force: false })
            .unwrap();
        trust.issue(Issue::node(name(NODE)));
        trust.issue(Issue::service(name(SERVICE)));
        trust
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Makes a certificate, in the place of one that is there.
    pub(crate) fn issue(&self, issue: Issue) {
        authority::issue(self.path(), &Issue { force: true, ..issue }).unwrap();
    }

    /// The certificates of the node.
    pub(crate) fn node_store(&self) -> Store {
        self.node_store_at(SystemTime::now())
    }

    /// The same, as they were found at another time.
    pub(crate) fn node_store_at(&self, now: SystemTime) -> Store {
        let who = Who::Node { cluster: name(CLUSTER), id: name(NODE) };
        Store::open_at(Source::Directory { path: self.path().to_owned(), who }, now).unwrap()
    }

    /// A node on UDP that wants certificates.
    pub(crate) fn node(&self) -> FakeNode {
        FakeNode::on_quic(self.node_options())
    }

    pub(crate) fn node_options(&self) -> ListenerOptions {
        options(self.node_store(), service())
    }

    /// One on UDP and one on TCP.
    pub(crate) fn nodes(&self) -> [FakeNode; 2] {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let options = tls::ListenerOptions::new(address, self.node_store(), service());
        [self.node(), FakeNode::on_tls(options)]
    }

    /// A client with the certificate of the service.
    pub(crate) fn builder(&self, node: &FakeNode) -> ClientBuilder {
        Client::builder().name("tester").endpoint(node.endpoint()).certs(self.path())
    }
}

/// Whom the client port of a node takes.
pub(crate) fn service() -> Expect {
    Expect::Service { cluster: name(CLUSTER), optional: false }
}

pub(crate) fn options(store: Store, expect: Expect) -> ListenerOptions {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    ListenerOptions::new(address, store, expect, ResetKey::random().unwrap())
}

/// A validity that is over, by some hours.
pub(crate) fn over() -> Validity {
    let hour = Duration::from_secs(3_600);
    let now = SystemTime::now();
    Validity { not_before: now - 2 * hour, not_after: now - hour }
}
