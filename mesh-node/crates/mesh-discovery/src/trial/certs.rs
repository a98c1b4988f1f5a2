//! Certificates of an etcd and of its clients.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mesh_identity::authority::{self, Init, Issue};
use mesh_wire::name::Name;

use crate::etcd::Tls;

/// See the module.
#[derive(Debug)]
pub(super) struct Certs {
    pub(super) ca: PathBuf,
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
    pub(super) tls: Tls,
}

impl Certs {
    pub(super) fn make(dir: &Path) -> io::Result<Self> {
        let dir = dir.join("certs");
        let name = |name: &str| Name::new(name).map_err(io::Error::other);
        authority::init(&dir, &Init { cluster: name("trial")?, validity: None, force: false })
            .map_err(io::Error::other)?;
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let etcd = Issue { names, ..Issue::node(name("etcd")?) };
        let etcd = authority::issue(&dir, &etcd).map_err(io::Error::other)?;
        let client = authority::issue(&dir, &Issue::node(name("client")?)).map_err(io::Error::other)?;
        let ca = dir.join("ca.pem");
        let identity = Some((fs::read(client.cert)?, fs::read(client.key)?));
        let tls = Tls { ca: fs::read(&ca)?, identity, server_name: None };
        Ok(Self { ca, cert: etcd.cert, key: etcd.key, tls })
    }
}
