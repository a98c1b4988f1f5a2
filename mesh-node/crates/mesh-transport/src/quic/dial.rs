//! The dialling side: a UDP socket of its own for each link.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use mesh_identity::tls::{ALPN, client_config};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Endpoint, EndpointConfig};

use super::refused::{any_port, refused};
use super::runtime::{Runtime, Tasks};
use super::{Role, end, settings};
use crate::dialled::Failure;
use crate::link::Link;
use crate::side::Side;
use crate::socket;

/// Dials `remote`, whose certificate is to be that of `host` where the side expects that. Not bounded in time.
pub(crate) async fn dial(remote: SocketAddr, host: &str, side: Arc<Side>) -> Result<Link, Failure> {
    let tls = client_config(side.store.clone(), side.expect.clone(), ALPN).map_err(io::Error::other)?;
    let tls = QuicClientConfig::try_from(tls).map_err(io::Error::other)?;
    let mut client = ClientConfig::new(Arc::new(tls));
    client.transport_config(settings::transport());
    let mut config = EndpointConfig::default();
    settings::endpoint(&mut config);
    let socket = socket::udp(any_port(remote), false, settings::SOCKET_BUFFER_BYTES)?;
    let endpoint = Endpoint::new(config, None, socket, Arc::new(Runtime(Tasks::Runtime)))?;
    let connecting = endpoint.connect_with(client, remote, host).map_err(io::Error::other)?;
    let handshake = async {
        let connection = connecting.await.map_err(|error| end::of_handshake(&error, &side))?;
        super::link(connection, Arc::clone(&side), Role::Dialled)
    };
    tokio::select! {
        link = handshake => link.map_err(Failure::Handshake),
        () = refused(remote) => Err(Failure::NothingListens),
    }
}
