//! A node with certificates of its own, in the process of the test.

use std::{path::Path, time::Duration};

use mesh_identity::{
    authority::{self, Init, Issue, Validity},
    set::{Source, Who},
    store::Store,
};
use mesh_node::{
    Node,
    config::{Config, Flag, Layers},
};
use mesh_wire::name::Name;
use tempfile::TempDir;

pub(crate) const CLUSTER: &str = "test";

/// A running node and its directory.
pub(crate) struct Site {
    pub(crate) dir: TempDir,
    pub(crate) node: Node,
}

impl Site {
    /// A node with these settings besides its own.
    pub(crate) fn start(settings: &[(&'static str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path());
        Self::start_in(dir, settings)
    }

    /// The same in a directory that is there.
    pub(crate) fn start_in(dir: TempDir, settings: &[(&'static str, &str)]) -> Self {
        let node = Node::start(config(dir.path(), settings)).unwrap();
        Self { dir, node }
    }

    pub(crate) fn quic(&self) -> String {
        format!("quic://{}", self.node.listen_address().unwrap())
    }

    pub(crate) fn tls(&self) -> String {
        format!("tls://{}", self.node.listen_address().unwrap())
    }

    /// The directory of certificates.
    pub(crate) fn certs(&self) -> std::path::PathBuf {
        self.dir.path().join("certs")
    }

    /// The certificate of a service, issued when it is not there.
    pub(crate) fn service(&self, name: &str) -> Store {
        let certs = self.certs();
        if !certs.join(format!("service-{name}.pem")).exists() {
            authority::issue(&certs, &Issue::service(self::name(name))).unwrap();
        }
        Store::open(Source::Directory { path: certs, who: Who::Service { name: Some(self::name(name)) } })
            .unwrap()
    }

    /// As [`Site::service`], for so long.
    pub(crate) fn service_for(&self, name: &str, length: Duration) -> Store {
        let issue = Issue { validity: Some(Validity::from_now(length)), ..Issue::service(self::name(name)) };
        authority::issue(&self.certs(), &issue).unwrap();
        self.service(name)
    }

    /// The CA alone.
    pub(crate) fn ca(&self) -> Store {
        let (ca, who) = (self.certs().join("ca.pem"), Who::Service { name: None });
        Store::open(Source::Files { ca, cert: None, key: None, crl: None, who }).unwrap()
    }

    /// What the node answers to a question, over its socket.
    pub(crate) async fn ask(&self, subject: &str) -> serde_json::Value {
        let socket = self.dir.path().join("m.sock");
        let (mut client, _) = super::client::Client::welcomed(
            &format!("unix://{}", socket.display()),
            &Store::without_ca(),
            None,
        )
        .await;
        client.request(1, subject, b"").await;
        serde_json::from_slice(client.wait(mesh_wire::frame::Kind::Reply).await.frame().body()).unwrap()
    }
}

/// A CA and the certificate of node `n`.
pub(crate) fn prepare(dir: &Path) {
    let certs = dir.join("certs");
    authority::init(&certs, &Init { cluster: name(CLUSTER), validity: None, force: false }).unwrap();
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    authority::issue(&certs, &Issue { names, ..Issue::node(name("n")) }).unwrap();
}

/// Everything in `dir`, listening on loopback.
pub(crate) fn config(dir: &Path, settings: &[(&'static str, &str)]) -> Config {
    let flag = |(key, value): (&'static str, String)| Flag { key, flag: key, value };
    let inside = |path: &str| dir.join(path).to_str().unwrap().to_owned();
    let own = [
        ("data", inside("data")),
        ("socket.path", inside("m.sock")),
        ("http.address", "off".to_owned()),
        ("name", "n".to_owned()),
        ("cluster", CLUSTER.to_owned()),
        ("listen.address", "127.0.0.1:0".to_owned()),
        ("certs.dir", inside("certs")),
        ("drain.deadline", "2s".to_owned()),
    ];
    let more = settings.iter().map(|&(key, value)| (key, value.replace("DIR", dir.to_str().unwrap())));
    let flags = own.into_iter().chain(more).map(flag).collect();
    let mut layers = Layers::of_process(None, flags);
    layers.environment.clear();
    Config::load(layers).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}
