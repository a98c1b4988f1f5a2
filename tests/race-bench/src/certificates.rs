//! Certificates for a race: an authority, a node's and a service's, in one folder under the names by which a node and
//! its clients look for them.

use std::path::{Path, PathBuf};

use mesh_identity::authority::{Init, Issue, init, issue};

/// The cluster that they are of.
pub const CLUSTER: &str = "race";

/// The node's id.
pub const NODE: &str = "n1";

/// The service's name.
pub const SERVICE: &str = "bench";

/// A folder of certificates.
#[derive(Debug, Clone)]
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// The certificates that are in `folder`.
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Makes all of them in `folder`, which is made too.
    ///
    /// # Errors
    /// When there are some already, or the folder can't be written.
    pub fn make(folder: &Path) -> anyhow::Result<Self> {
        Self::make_for(folder, &[NODE])
    }

    /// The same for several nodes.
    ///
    /// # Errors
    /// As [`Certificates::make`].
    pub fn make_for<S: AsRef<str>>(folder: &Path, nodes: &[S]) -> anyhow::Result<Self> {
        init(folder, &Init { cluster: CLUSTER.parse()?, validity: None, force: false })?;
        for node in nodes {
            issue(folder, &Issue::node(node.as_ref().parse()?))?;
        }
        issue(folder, &Issue::service(SERVICE.parse()?))?;
        Ok(Self::in_folder(folder))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The authority's certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The node's certificate and key.
    pub fn node(&self) -> (PathBuf, PathBuf) {
        self.pair(&format!("node-{NODE}"))
    }

    /// The service's certificate and key.
    pub fn service(&self) -> (PathBuf, PathBuf) {
        self.pair(&format!("service-{SERVICE}"))
    }

    fn pair(&self, name: &str) -> (PathBuf, PathBuf) {
        (self.folder.join(format!("{name}.pem")), self.folder.join(format!("{name}.key")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_where_it_is_said_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::make(&folder.path().join("certs")).unwrap();
        let ((node, node_key), (service, service_key)) = (certificates.node(), certificates.service());
        for file in [certificates.authority(), node, node_key, service, service_key] {
            assert!(file.is_file(), "{}", file.display());
        }
        assert!(Certificates::make(certificates.folder()).is_err(), "those in use are not replaced");
    }
}
