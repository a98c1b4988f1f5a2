//! The dialling side: a UDP socket of its own for each link.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use mesh_identity::tls::{ALPN, client_config};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Endpoint, EndpointConfig, TokioRuntime};
use tokio::time::sleep;

use super::{end, settings};
use crate::dialled::Failure;
use crate::link::Link;
use crate::side::Side;
use crate::socket;

/// An answer from the own machine or the next one is there by then.
const FIRST_LOOK: Duration = Duration::from_millis(2);
/// Bound of the pauses between looks for an answer, each four times the one before; then it is asked again.
const PROBE_AGAIN: Duration = Duration::from_secs(1);

/// Dials `remote`, whose certificate is to be that of `host` where the side expects that. Not bounded in time.
pub(crate) async fn dial(remote: SocketAddr, host: &str, side: Arc<Side>) -> Result<Link, Failure> {
    let tls = client_config(side.store.clone(), side.expect.clone(), ALPN).map_err(io::Error::other)?;
    let tls = QuicClientConfig::try_from(tls).map_err(io::Error::other)?;
    let mut client = ClientConfig::new(Arc::new(tls));
    client.transport_config(settings::transport());
    let mut config = EndpointConfig::default();
    settings::endpoint(&mut config);
    let socket = socket::udp(any_port(remote), false, settings::SOCKET_BUFFER_BYTES)?;
    let endpoint = Endpoint::new(config, None, socket, Arc::new(TokioRuntime))?;
    let connecting = endpoint.connect_with(client, remote, host).map_err(io::Error::other)?;
    let handshake = async {
        let connection = connecting.await.map_err(|error| end::of_handshake(&error, &side))?;
        super::link(connection, Arc::clone(&side))
    };
    tokio::select! {
        link = handshake => link.map_err(Failure::Handshake),
        () = refused(remote) => Err(Failure::NothingListens),
    }
}

fn any_port(remote: SocketAddr) -> SocketAddr {
    let ip: IpAddr =
        if remote.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    SocketAddr::new(ip, 0)
}

/// Completes when the machine at `remote` says that no process has the port.
///
/// The system tells that of a connected socket only, and one that quinn works on must not be: a forged word could end
/// its link. So a socket beside it sends a byte, which no QUIC listener answers.
async fn refused(remote: SocketAddr) {
    let probe = async {
        let socket = UdpSocket::bind(any_port(remote))?;
        socket.set_nonblocking(true)?;
        socket.connect(remote)?;
        let mut pause = FIRST_LOOK;
        loop {
            socket.send(&[0])?;
            // The answer is an error of the next thing that is done with the socket.
            while pause < PROBE_AGAIN {
                sleep(pause).await;
                if let Some(error) = socket.take_error()? {
                    return Err(error);
                }
                pause *= 4;
            }
            pause = FIRST_LOOK;
        }
    };
    let ended: io::Result<()> = probe.await;
    match ended {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
        // Anything else is for the handshake to find out.
        _ => std::future::pending().await,
    }
}
