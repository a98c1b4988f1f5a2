//! A directory with a CA.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mesh_identity::authority::{self, Init, Issue, Issued, Validity};
use mesh_identity::set::{Error, Source, Who};
use mesh_identity::store::Store;
use mesh_identity::verify::Expect;
use mesh_wire::name::Name;
use tempfile::TempDir;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// The port for clients of the cluster `demo`.
pub(crate) fn a_service() -> Expect {
    Expect::Service { cluster: name("demo"), optional: false }
}

/// The port for peers of the cluster `demo`.
pub(crate) fn a_node() -> Expect {
    Expect::Node { cluster: name("demo") }
}

/// A client that dials.
pub(crate) fn a_host() -> Expect {
    Expect::Host { cluster: None }
}

/// Over since an hour ago.
pub(crate) fn expired() -> Option<Validity> {
    let now = SystemTime::now();
    Some(Validity { not_before: now - 3 * HOUR, not_after: now - HOUR })
}

/// Begins in an hour.
pub(crate) fn not_yet_valid() -> Option<Validity> {
    let now = SystemTime::now();
    Some(Validity { not_before: now + HOUR, not_after: now + 3 * HOUR })
}

pub(crate) struct Place {
    cluster: Name,
    dir: TempDir,
}

impl Place {
    /// A CA for the cluster `demo`, with a node `a` and a service `mail`.
    pub(crate) fn demo() -> Self {
        let place = Self::new("demo");
        place.issue(&Issue::node(name("a")));
        place.issue(&Issue::service(name("mail")));
        place
    }

    pub(crate) fn new(cluster: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let cluster = name(cluster);
        authority::init(dir.path(), &Init { cluster: cluster.clone(), validity: None, force: false })
            .unwrap();
        Self { cluster, dir }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.file(name), text).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.file(name)).unwrap();
    }

    pub(crate) fn issue(&self, issue: &Issue) -> Issued {
        authority::issue(self.path(), issue).unwrap()
    }

    pub(crate) fn revoke(&self, file: &str) {
        authority::revoke(self.path(), &self.file(file), SystemTime::now()).unwrap();
    }

    pub(crate) fn of_node(&self, id: &str) -> Source {
        let who = Who::Node { cluster: self.cluster.clone(), id: name(id) };
        Source::Directory { path: self.path().to_owned(), who }
    }

    pub(crate) fn of_service(&self, service: Option<&str>) -> Source {
        let who = Who::Service { name: service.map(name) };
        Source::Directory { path: self.path().to_owned(), who }
    }

    /// The CA alone.
    pub(crate) fn of_ca(&self) -> Source {
        let who = Who::Service { name: None };
        Source::Files { ca: self.file("ca.pem"), cert: None, key: None, crl: None, who }
    }

    pub(crate) fn node(&self, id: &str) -> Store {
        Store::open(self.of_node(id)).unwrap()
    }

    pub(crate) fn service(&self, service: &str) -> Store {
        Store::open(self.of_service(Some(service))).unwrap()
    }

    pub(crate) fn ca(&self) -> Store {
        Store::open(self.of_ca()).unwrap()
    }

    pub(crate) fn error_of_node(&self, id: &str) -> Error {
        Store::open(self.of_node(id)).unwrap_err()
    }

    pub(crate) fn error_of_service(&self, service: Option<&str>) -> Error {
        Store::open(self.of_service(service)).unwrap_err()
    }
}
