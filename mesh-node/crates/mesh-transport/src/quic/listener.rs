//! The listening side: a UDP socket, its handshakes, and how many of them there may be.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mesh_identity::store::Store;
use mesh_identity::tls::{ALPN, server_config};
use mesh_identity::verify::Expect;
use mesh_wire::code::Code;
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Endpoint, ServerConfig, VarInt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::runtime::{Runtime, Tasks};
use super::{ResetKey, Role, end, settings};
use crate::handshake::HandshakeError;
use crate::link::{Closed, Link};
use crate::side::Side;
use crate::socket;

/// Where and for whom to listen.
#[derive(Debug, Clone)]
pub struct ListenerOptions {
    /// The address; port 0 takes any.
    pub address: SocketAddr,
    /// Whether other listeners may have the same address. The kernel spreads clients over them, and each client stays
    /// with its listener.
    pub reuse_port: bool,
    /// The certificates; asked at each handshake.
    pub store: Store,
    /// Who may come in.
    pub expect: Expect,
    /// By which old links are told that they are over.
    pub reset_key: ResetKey,
    /// Handshakes that may be under way at once; who comes then is refused.
    pub handshakes_max: usize,
    /// From so many handshakes on, who comes has to show first that it is where its packets say.
    pub retry_from: usize,
    /// Longest time of a handshake.
    pub handshake_timeout: Duration,
    /// Where the tasks of the listener and of its links live.
    pub tasks: Tasks,
}

impl ListenerOptions {
    /// With the usual bounds, alone at `address`.
    #[must_use]
    pub fn new(address: SocketAddr, store: Store, expect: Expect, reset_key: ResetKey) -> Self {
        Self {
            address,
            reuse_port: false,
            store,
            expect,
            reset_key,
            handshakes_max: settings::HANDSHAKES_MAX,
            retry_from: settings::RETRY_FROM,
            handshake_timeout: settings::HANDSHAKE_TIME_MAX,
            tasks: Tasks::Runtime,
        }
    }
}

/// A listening UDP socket. Links stay when it is dropped.
#[derive(Debug)]
pub struct Listener {
    endpoint: Endpoint,
    side: Arc<Side>,
    handshakes: Arc<Semaphore>,
    handshakes_max: usize,
    retry_from: usize,
    handshake_timeout: Duration,
    retried: AtomicU64,
    refused: AtomicU64,
}

impl Listener {
    /// Takes the address and listens, on the current runtime: that is where the packets of every link of this listener
    /// are worked on.
    ///
    /// # Errors
    /// What the system says about the address.
    ///
    /// # Panics
    /// Outside a Tokio runtime with I/O and time enabled.
    pub fn bind(options: ListenerOptions) -> io::Result<Self> {
        let ListenerOptions { address, reuse_port, store, expect, reset_key, tasks, .. } = options;
        let socket = socket::udp(address, reuse_port, settings::SOCKET_BUFFER_BYTES)?;
        let tls = server_config(store.clone(), expect.clone(), ALPN).map_err(io::Error::other)?;
        let tls = QuicServerConfig::try_from(tls).map_err(io::Error::other)?;
        let mut server = ServerConfig::with_crypto(Arc::new(tls));
        settings::server(&mut server);
        let mut config = reset_key.endpoint_config();
        settings::endpoint(&mut config);
        let endpoint = Endpoint::new(config, Some(server), socket, Arc::new(Runtime(tasks)))?;
        Ok(Self {
            endpoint,
            side: Arc::new(Side { store, expect }),
            handshakes: Arc::new(Semaphore::new(options.handshakes_max)),
            handshakes_max: options.handshakes_max,
            retry_from: options.retry_from,
            handshake_timeout: options.handshake_timeout,
            retried: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }

    /// Waits for the next one who dials. `None` when the listener was closed.
    ///
    /// When many handshakes are under way, those who dial are asked to prove their address first, which costs this side
    /// no memory; and when too many are, they are refused.
    ///
    /// # Cancel safety
    /// Safe: who was not handed out comes with the next call.
    pub async fn accept(&self) -> Option<Incoming> {
        loop {
            let incoming = self.endpoint.accept().await?;
            let open = self.handshakes_max - self.handshakes.available_permits();
            if open >= self.retry_from && !incoming.remote_address_validated() && incoming.may_retry() {
                self.retried.fetch_add(1, Ordering::Relaxed);
                // It may be asked: that was looked at just now.
                incoming.retry().ok();
                continue;
            }
            match Arc::clone(&self.handshakes).try_acquire_owned() {
                Ok(permit) => {
                    return Some(Incoming {
                        incoming,
                        side: Arc::clone(&self.side),
                        timeout: self.handshake_timeout,
                        permit,
                    });
                }
                Err(_) => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    incoming.refuse();
                }
            }
        }
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.endpoint.local_addr()
    }

    /// How many had to prove their address, and how many were refused because too many handshakes were under way.
    #[must_use]
    pub fn turned_away(&self) -> TurnedAway {
        TurnedAway {
            retried: self.retried.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// Takes nobody in any more. Links go on.
    pub fn stop(&self) {
        self.endpoint.set_server_config(None);
    }

    /// Closes the listener and every link of it at once, with `code` and `cause`.
    pub fn close(&self, code: Code, cause: &str) {
        let closed = Closed::new(code, cause);
        self.endpoint.close(VarInt::from_u32(code.number().into()), closed.cause_to_send());
    }

    /// Completes when there is no link left, and the other sides have heard of the end of theirs. To be bounded in time
    /// by the caller.
    pub async fn idle(&self) {
        self.endpoint.wait_idle().await;
    }
}

/// Those who came and were not let into a handshake, since the listener was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TurnedAway {
    /// Asked to prove their address. They come again, if they are who they say.
    pub retried: u64,
    /// Refused.
    pub refused: u64,
}

/// Somebody who dials. Dropped, it is refused.
#[derive(Debug)]
pub struct Incoming {
    incoming: quinn::Incoming,
    side: Arc<Side>,
    timeout: Duration,
    permit: OwnedSemaphorePermit,
}

impl Incoming {
    /// Who dials.
    #[must_use]
    pub fn remote(&self) -> SocketAddr {
        socket::canonical(self.incoming.remote_address())
    }

    /// Refuses it: the other side is told that there is no room.
    pub fn refuse(self) {
        self.incoming.refuse();
    }

    /// Does the handshake, in bounded time.
    ///
    /// # Errors
    /// Why there is no link.
    ///
    /// # Cancel safety
    /// Safe: the handshake is given up.
    pub async fn finish(self) -> Result<Link, HandshakeError> {
        let remote = self.remote();
        let Self { incoming, side, timeout: longest, permit } = self;
        let handshake = async {
            let connecting = incoming.accept().map_err(|error| end::of(&error, &side))?;
            connecting.await.map_err(|error| end::of_handshake(&error, &side))
        };
        let connected = match timeout(longest, handshake).await {
            Ok(connected) => connected,
            Err(_) => Err(Closed::new(Code::HandshakeTimeout, format!("no handshake within {longest:?}"))),
        };
        drop(permit);
        connected
            .and_then(|connection| super::link(connection, side, Role::Listened))
            .map_err(|closed| HandshakeError::new(closed, remote))
    }
}
