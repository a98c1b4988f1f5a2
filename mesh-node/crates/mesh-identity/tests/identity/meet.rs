//! Handshakes in memory: real rustls on both sides, without a network.

use std::sync::Arc;
use std::time::SystemTime;

use mesh_identity::set::CertSet;
use mesh_identity::store::Store;
use mesh_identity::tls::{ALPN, client_config, server_config};
use mesh_identity::verify::{Expect, code_in, code_of, code_of_alert};
use mesh_wire::code::Code;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};

pub(crate) fn listening(store: &Store, expect: Expect) -> Arc<ServerConfig> {
    server_config(store.clone(), expect, ALPN).unwrap()
}

pub(crate) fn dialling(store: &Store, expect: Expect) -> Arc<ClientConfig> {
    client_config(store.clone(), expect, ALPN).unwrap()
}

/// Two sides after their handshake.
pub(crate) struct Met {
    pub(crate) server: ServerConnection,
    pub(crate) client: ClientConnection,
    pub(crate) on_server: Option<rustls::Error>,
    pub(crate) on_client: Option<rustls::Error>,
}

pub(crate) fn meet(server: Arc<ServerConfig>, client: Arc<ClientConfig>, host: &str) -> Met {
    let host = ServerName::try_from(host.to_owned()).unwrap();
    let mut met = Met {
        server: ServerConnection::new(server).unwrap(),
        client: ClientConnection::new(client, host).unwrap(),
        on_server: None,
        on_client: None,
    };
    // Each round carries what one side wrote to the other, alerts included; none takes more than four.
    for _ in 0..8 {
        let mut bytes = Vec::new();
        while met.client.wants_write() {
            met.client.write_tls(&mut bytes).unwrap();
        }
        let mut read = &bytes[..];
        while !read.is_empty() && met.on_server.is_none() {
            met.server.read_tls(&mut read).unwrap();
            met.on_server = met.server.process_new_packets().err();
        }
        let mut bytes = Vec::new();
        while met.server.wants_write() {
            met.server.write_tls(&mut bytes).unwrap();
        }
        let mut read = &bytes[..];
        while !read.is_empty() && met.on_client.is_none() {
            met.client.read_tls(&mut read).unwrap();
            met.on_client = met.client.process_new_packets().err();
        }
    }
    met
}

impl Met {
    pub(crate) fn is_open(&self) -> bool {
        let agreed = !self.server.is_handshaking() && !self.client.is_handshaking();
        agreed && self.on_server.is_none() && self.on_client.is_none()
    }

    /// Asserts that the server refused the client with this code, and that the client knows it by the alert.
    pub(crate) fn server_refused(&self, code: Code, client: &CertSet, dialling: &Expect) {
        refused(self.on_server.as_ref(), self.on_client.as_ref(), code, client, dialling);
    }

    /// Asserts that the client refused the server with this code, and that the server knows it by the alert.
    pub(crate) fn client_refused(&self, code: Code, server: &CertSet, listening: &Expect) {
        refused(self.on_client.as_ref(), self.on_server.as_ref(), code, server, listening);
    }
}

fn refused(
    by: Option<&rustls::Error>,
    told: Option<&rustls::Error>,
    code: Code,
    set: &CertSet,
    expect: &Expect,
) {
    let by = by.expect("nobody was refused");
    assert_eq!(code_of(by), Some(code), "{by}");
    assert_eq!(code_in(&by.to_string()), Some(code), "as quinn carries it: {by}");
    let Some(rustls::Error::AlertReceived(alert)) = told else {
        panic!("the other side was not told: {told:?}");
    };
    let told = code_of_alert(u8::from(*alert), set, expect, SystemTime::now());
    assert_eq!(told, Some(code), "by the alert {alert:?}");
}
