//! The dialling side.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use mesh_identity::tls::{ALPN, client_config};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Tcp, end};
use crate::buffers::SocketBuffers;
use crate::dialled::Failure;
use crate::link::Link;
use crate::side::Side;
use crate::socket;

/// Dials `remote`, whose certificate is to be that of `host` where the side expects that. Not bounded in time.
pub(crate) async fn dial(
    remote: SocketAddr,
    host: &str,
    side: Arc<Side>,
    buffers: SocketBuffers,
) -> Result<Link, Failure> {
    let config = client_config(side.store.clone(), side.expect.clone(), ALPN).map_err(io::Error::other)?;
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let stream = TcpStream::connect(remote).await?;
    socket::tune_tcp(&stream)?;
    buffers.apply(&stream)?;
    let tcp = Tcp::new(stream);
    let stream = TlsConnector::from(config)
        .connect(name, tcp.clone())
        .await
        .map_err(|error| Failure::Handshake(end::of(&error, &side)))?;
    super::link(stream.into(), tcp, remote, side).map_err(Failure::Handshake)
}
