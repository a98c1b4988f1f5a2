//! The dialling end of a link.

mod error;
mod resolve;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mesh_identity::store::Store;
use mesh_identity::verify::Expect;
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout};

pub use self::error::Error;
use crate::buffers::SocketBuffers;
use crate::endpoint::{Authority, Endpoint};
use crate::link::Link;
use crate::quic;
use crate::side::Side;

/// Longest time to connect over a network when nothing else is said.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// How to connect.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Kernel buffers of a Unix or TCP socket.
    pub buffers: SocketBuffers,
    /// The own certificate and the CAs; asked at each handshake. Not used on a Unix socket.
    pub credentials: Store,
    /// Who has to be there.
    pub expect: Expect,
    /// Longest time to connect over a network, with resolving the name, trying its addresses, and the handshake.
    pub timeout: Duration,
}

impl ConnectOptions {
    /// As a client connects: to a node whose certificate is valid for the host that is dialled.
    #[must_use]
    pub fn new(credentials: Store) -> Self {
        Self {
            buffers: SocketBuffers::default(),
            credentials,
            expect: Expect::Host { cluster: None },
            timeout: TIMEOUT_DEFAULT,
        }
    }
}

/// Opens a link to `endpoint`, on the current runtime.
///
/// Over a network the name is resolved and its addresses are tried one after the other. Without a CA only a node on
/// this machine can be dialled, and its certificate proves nothing then.
///
/// When this side shows a certificate that the node refuses, the link opens all the same: in TLS 1.3 the one who dials
/// is done before the node has looked. The first thing that is read says why; see
/// [`Closed::of`](crate::link::Closed::of).
///
/// # Errors
/// See [`Error`].
///
/// # Cancel safety
/// Safe: a link that was not handed out is closed.
pub async fn open(endpoint: &Endpoint, options: &ConnectOptions) -> Result<Link, Error> {
    match endpoint {
        Endpoint::Unix(_) => {
            let stream = connect(endpoint, options.buffers).await?;
            let peer = stream.peer_cred().ok().map(Into::into);
            Ok(Link::unix(stream, peer))
        }
        Endpoint::Quic(authority) | Endpoint::Tls(authority) => {
            let within = options.timeout;
            let opening = open_network(endpoint, authority, options);
            timeout(within, opening)
                .await
                .unwrap_or_else(|_| Err(Error::Timeout { endpoint: endpoint.clone(), within }))
        }
    }
}

async fn open_network(
    endpoint: &Endpoint,
    authority: &Authority,
    options: &ConnectOptions,
) -> Result<Link, Error> {
    let has_ca = options.credentials.current().has_ca();
    if !has_ca && !authority.is_loopback() {
        return Err(Error::CaRequired { endpoint: endpoint.clone() });
    }
    let deadline = Instant::now() + options.timeout;
    let mut addresses = resolve::addresses(authority).await?;
    if !has_ca {
        // `localhost` is what the system says it is, and only this machine is as good as verified.
        addresses.retain(|address| address.ip().to_canonical().is_loopback());
    }
    let side = Arc::new(Side { store: options.credentials.clone(), expect: options.expect.clone() });
    let count = addresses.len() as u32;
    let mut last = None;
    for (address, left) in addresses.into_iter().zip((1..=count).rev()) {
        let within = deadline.saturating_duration_since(Instant::now()) / left;
        match timeout(within, dial(endpoint, authority, address, &side, options)).await {
            Ok(Ok(link)) => return Ok(link),
            Ok(Err(error)) => last = Some(error),
            Err(_) => last = Some(Error::Timeout { endpoint: endpoint.clone(), within }),
        }
    }
    Err(last.unwrap_or_else(|| Error::unresolved(authority, "it has no address that may be used")))
}

async fn dial(
    endpoint: &Endpoint,
    authority: &Authority,
    address: SocketAddr,
    side: &Arc<Side>,
    options: &ConnectOptions,
) -> Result<Link, Error> {
    let host = authority.host_text();
    let link = match endpoint {
        Endpoint::Tls(_) => crate::tls::dial(address, &host, Arc::clone(side), options.buffers).await,
        _ => quic::dial(address, &host, Arc::clone(side)).await,
    };
    link.map_err(|failure| Error::dialling(endpoint, address, failure))
}

/// Connects to the Unix socket of `endpoint` and sets the stream's kernel buffers.
///
/// A Unix socket answers at once, so there is no timeout: a node that is there but says nothing is found by the
/// handshake that follows.
///
/// # Errors
/// See [`Error`].
///
/// # Cancel safety
/// Safe: a connection that was not handed out is closed.
pub async fn connect(endpoint: &Endpoint, buffers: SocketBuffers) -> Result<UnixStream, Error> {
    let Endpoint::Unix(path) = endpoint else {
        return Err(Error::NotASocketEndpoint { endpoint: endpoint.clone() });
    };
    // Checks the length, which the system reports as an invalid argument.
    Endpoint::unix(path)?;
    let stream = UnixStream::connect(path).await.map_err(|source| Error::from_io(path, source))?;
    buffers.apply(&stream).map_err(|source| Error::from_io(path, source))?;
    Ok(stream)
}
