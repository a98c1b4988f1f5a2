//! Certificates of a cluster, made once for all tests.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use mesh_identity::authority::{Init, Issue, init, issue};
use mesh_identity::set::{Source, Who};
use mesh_identity::store::Store;
use mesh_identity::verify::Expect;
use mesh_wire::name::Name;

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A CA with the certificates of a node and of a service, in a directory of its own.
pub(crate) struct Certs {
    dir: tempfile::TempDir,
    cluster: Name,
}

impl Certs {
    pub(crate) fn new(cluster: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let cluster = name(cluster);
        init(dir.path(), &Init { cluster: cluster.clone(), validity: None, force: false }).unwrap();
        let certs = Self { dir, cluster };
        certs.issue(&Issue::node(name("a")));
        certs.issue(&Issue::node(name("b")));
        certs.issue(&Issue::service(name("app")));
        certs
    }

    /// Those that most tests use.
    pub(crate) fn shared() -> &'static Self {
        static CERTS: OnceLock<Certs> = OnceLock::new();
        CERTS.get_or_init(|| Self::new("test"))
    }

    pub(crate) fn issue(&self, issued: &Issue) -> PathBuf {
        issue(self.dir.path(), issued).unwrap().cert
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn node(&self, id: &str) -> Store {
        self.store(Who::Node { cluster: self.cluster.clone(), id: name(id) })
    }

    pub(crate) fn service(&self, service: &str) -> Store {
        self.store(Who::Service { name: Some(name(service)) })
    }

    fn store(&self, who: Who) -> Store {
        Store::open(Source::Directory { path: self.path().to_owned(), who }).unwrap()
    }

    pub(crate) fn expect_service(&self) -> Expect {
        Expect::Service { cluster: self.cluster.clone(), optional: false }
    }

    pub(crate) fn expect_node(&self) -> Expect {
        Expect::Node { cluster: self.cluster.clone() }
    }
}
