//! The listening side: a TCP socket, its handshakes, and how many of them there may be.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mesh_identity::store::Store;
use mesh_identity::tls::{ALPN, server_config};
use mesh_identity::verify::Expect;
use mesh_wire::code::Code;
use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::{Tcp, end};
use crate::buffers::SocketBuffers;
use crate::handshake::HandshakeError;
use crate::link::{Closed, Link};
use crate::listen::AcceptError;
use crate::quic::settings::{HANDSHAKE_TIME_MAX, HANDSHAKES_MAX};
use crate::side::Side;
use crate::socket;

/// Longest time that somebody who was refused gets to read why.
const LAST_WORD_TIME: Duration = Duration::from_secs(1);
/// What is read of somebody who was refused, in bytes, so that the reason is not overtaken by a reset.
const LAST_WORD_BYTES: u64 = 64 * 1024;

/// Where and for whom to listen.
#[derive(Debug, Clone)]
pub struct ListenerOptions {
    /// The address; port 0 takes any.
    pub address: SocketAddr,
    /// The certificates; asked at each handshake.
    pub store: Store,
    /// Who may come in.
    pub expect: Expect,
    /// Kernel buffers of each accepted connection.
    pub buffers: SocketBuffers,
    /// Handshakes that may be under way at once; who comes then is refused.
    pub handshakes_max: usize,
    /// Longest time of a handshake.
    pub handshake_timeout: Duration,
}

impl ListenerOptions {
    /// With the usual bounds.
    #[must_use]
    pub fn new(address: SocketAddr, store: Store, expect: Expect) -> Self {
        Self {
            address,
            store,
            expect,
            buffers: SocketBuffers::default(),
            handshakes_max: HANDSHAKES_MAX,
            handshake_timeout: HANDSHAKE_TIME_MAX,
        }
    }
}

/// A listening TCP socket. Links stay when it is dropped.
#[derive(Debug)]
pub struct Listener {
    inner: TcpListener,
    terms: Arc<Terms>,
    handshakes: Arc<Semaphore>,
    refused: AtomicU64,
}

/// How handshakes are done.
#[derive(Debug)]
struct Terms {
    config: Arc<ServerConfig>,
    side: Arc<Side>,
    buffers: SocketBuffers,
    timeout: Duration,
}

impl Listener {
    /// Takes the address and listens.
    ///
    /// # Errors
    /// What the system says about the address.
    ///
    /// # Panics
    /// Outside a Tokio runtime with I/O enabled.
    pub fn bind(options: ListenerOptions) -> io::Result<Self> {
        let ListenerOptions { address, store, expect, buffers, handshakes_max, handshake_timeout } = options;
        let config = server_config(store.clone(), expect.clone(), ALPN).map_err(io::Error::other)?;
        let inner = TcpListener::from_std(socket::tcp_listener(address)?)?;
        let side = Arc::new(Side { store, expect });
        Ok(Self {
            inner,
            terms: Arc::new(Terms { config, side, buffers, timeout: handshake_timeout }),
            handshakes: Arc::new(Semaphore::new(handshakes_max)),
            refused: AtomicU64::new(0),
        })
    }

    /// Waits for the next one who dials. When too many handshakes are under way, connections are ended at once.
    ///
    /// # Errors
    /// [`AcceptError`]. A retryable one means: wait a moment and accept again.
    ///
    /// # Cancel safety
    /// Safe: a connection that was not handed out stays in the backlog.
    pub async fn accept(&self) -> Result<Incoming, AcceptError> {
        loop {
            let (stream, remote) = self.inner.accept().await.map_err(AcceptError::from_io)?;
            let Ok(permit) = Arc::clone(&self.handshakes).try_acquire_owned() else {
                self.refused.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            // Out of this runtime: it may be finished on another.
            let stream = stream.into_std().map_err(AcceptError::Lost)?;
            let remote = crate::socket::canonical(remote);
            return Ok(Incoming { stream, remote, terms: Arc::clone(&self.terms), permit });
        }
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// How many were refused because too many handshakes were under way.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// Somebody who dials. It belongs to no runtime yet; dropped, it is refused.
#[derive(Debug)]
pub struct Incoming {
    stream: std::net::TcpStream,
    remote: SocketAddr,
    terms: Arc<Terms>,
    permit: OwnedSemaphorePermit,
}

impl Incoming {
    /// Who dials.
    #[must_use]
    pub fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// Does the handshake, in bounded time, on the current runtime: that is where the link lives.
    ///
    /// # Errors
    /// Why there is no link.
    ///
    /// # Cancel safety
    /// Safe: the handshake is given up.
    pub async fn finish(self) -> Result<Link, HandshakeError> {
        let Self { stream, remote, terms, permit } = self;
        let handshake = timeout(terms.timeout, handshake(stream, remote, &terms));
        let link = match handshake.await {
            Ok(link) => link,
            Err(_) => {
                let cause = format!("no handshake within {:?}", terms.timeout);
                Err(Closed::new(Code::HandshakeTimeout, cause))
            }
        };
        drop(permit);
        link.map_err(|closed| HandshakeError::new(closed, remote))
    }
}

async fn handshake(stream: std::net::TcpStream, remote: SocketAddr, terms: &Terms) -> Result<Link, Closed> {
    let side = &terms.side;
    let stream = TcpStream::from_std(stream)
        .and_then(|stream| socket::tune_tcp(&stream).map(|()| stream))
        .and_then(|stream| terms.buffers.apply(&stream).map(|()| stream))
        .map_err(|error| end::of(&error, side))?;
    let tcp = Tcp::new(stream);
    let accept = TlsAcceptor::from(Arc::clone(&terms.config)).accept(tcp.clone());
    match accept.into_fallible().await {
        Ok(stream) => super::link(stream.into(), tcp, remote, Arc::clone(side)),
        Err((error, tcp)) => {
            last_word(tcp).await;
            Err(end::of(&error, side))
        }
    }
}

/// Lets the other side read why it was refused: unread bytes would make the end of the connection a reset.
async fn last_word(mut tcp: Tcp) {
    let reading = async {
        tcp.shutdown().await?;
        tokio::io::copy(&mut tcp.take(LAST_WORD_BYTES), &mut tokio::io::sink()).await
    };
    // However it goes: nobody waits for the outcome.
    timeout(LAST_WORD_TIME, reading).await.ok();
}
