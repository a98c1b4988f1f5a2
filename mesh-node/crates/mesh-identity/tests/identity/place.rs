//! A directory with a CA, and handshakes between what it issued.

use std::path::Path;

use mesh_identity::authority::{self, Init, Issue, Issued};
use mesh_identity::set::{Source, Who};
use mesh_identity::store::Store;
use mesh_identity::tls::{ALPN, client_config, server_config};
use mesh_identity::verify::Expect;
use mesh_wire::name::Name;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ServerConnection};
use tempfile::TempDir;

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) struct Place {
    pub(crate) cluster: Name,
    pub(crate) dir: TempDir,
}

impl Place {
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

    pub(crate) fn issue(&self, issue: &Issue) -> Issued {
        authority::issue(self.path(), issue).unwrap()
    }

    pub(crate) fn source(&self, who: Who) -> Source {
        Source::Directory { path: self.path().to_owned(), who }
    }

    pub(crate) fn node(&self, id: &str) -> Store {
        Store::open(self.source(Who::Node { cluster: self.cluster.clone(), id: name(id) })).unwrap()
    }

    pub(crate) fn service(&self, service: Option<&str>) -> Store {
        Store::open(self.source(Who::Service { name: service.map(name) })).unwrap()
    }
}

/// What the two sides end with: connections, or the errors of both.
pub(crate) type Met = Result<(ServerConnection, ClientConnection), (rustls::Error, rustls::Error)>;

pub(crate) fn handshake(
    server: Store,
    on_server: Expect,
    client: Store,
    on_client: Expect,
    dial: &str,
) -> Met {
    let server = server_config(server, on_server, ALPN).unwrap();
    let client = client_config(client, on_client, ALPN).unwrap();
    let mut server = ServerConnection::new(server).unwrap();
    let mut client = ClientConnection::new(client, ServerName::try_from(dial.to_owned()).unwrap()).unwrap();
    let (mut on_server, mut on_client) = (None, None);
    // Each round carries what one side wrote to the other, and alerts as well.
    for _ in 0..8 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut read = &bytes[..];
        while !read.is_empty() && on_server.is_none() {
            server.read_tls(&mut read).unwrap();
            on_server = server.process_new_packets().err();
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut read = &bytes[..];
        while !read.is_empty() && on_client.is_none() {
            client.read_tls(&mut read).unwrap();
            on_client = client.process_new_packets().err();
        }
    }
    match (on_server, on_client) {
        (None, None) => {
            assert!(!server.is_handshaking() && !client.is_handshaking());
            Ok((server, client))
        }
        (Some(server), Some(client)) => Err((server, client)),
        one_sided => panic!("only one side knows: {one_sided:?}"),
    }
}
