//! The node's ports for clients on a network: QUIC on each data thread, TLS on the system thread.
//!
//! ```text
//!   TCP PORT ─► system thread ─► the data thread with the fewest links
//!   UDP PORT ─► kernel, by the client's address ─► data thread 0, 1, …   a socket of its own each
//! ```
//! TCP goes first: nobody else can have the same port then, though the UDP sockets of the threads share theirs.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use mesh_identity::{store::Store, verify::Expect};
use mesh_transport::{buffers::SocketBuffers, quic, tls};
use tokio::sync::watch;

use crate::{
    metrics::{Counter, Counters},
    node::Error,
    seats::{Seat, emptiest},
    shared::Shared,
    thread::{AcceptTls, ListenQuic},
};

/// How often another port is tried, when the system chose one whose UDP half is taken.
const PORTS_TRIED: usize = 16;
/// How long to wait when the process has no file left for a connection.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// The open ports.
pub(crate) struct Listening {
    /// Where they are.
    pub(crate) address: SocketAddr,
    tls: tls::Listener,
}

/// Opens the ports that the configuration asks for. Data threads take clients over QUIC from then on until `draining`.
pub(crate) async fn open(
    shared: &Arc<Shared>,
    seats: &[Seat],
    draining: &watch::Sender<bool>,
) -> Result<Option<Listening>, Error> {
    let Some(asked) = shared.config.listen.address else { return Ok(None) };
    let failed = |source| Error::Network { address: asked, source };
    let (store, expect) = shared.security.for_clients(&shared.config)?;
    let mut tries = PORTS_TRIED;
    loop {
        let tls = listen_tls(shared, asked, &store, &expect).map_err(failed)?;
        let address = tls.local_address().map_err(failed)?;
        match listen_quic(shared, seats, address, (&store, &expect), draining).await? {
            Ok(()) => return Ok(Some(Listening { address, tls })),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && asked.port() == 0 && tries > 0 => {
                tries -= 1;
            }
            Err(source) => return Err(Error::Network { address, source }),
        }
    }
}

fn listen_tls(
    shared: &Shared,
    address: SocketAddr,
    store: &Store,
    expect: &Expect,
) -> io::Result<tls::Listener> {
    let config = &shared.config;
    tls::Listener::bind(tls::ListenerOptions {
        buffers: SocketBuffers { send_bytes: Some(config.socket.buffer), receive_bytes: None },
        handshakes_max: config.limits.handshakes,
        handshake_timeout: config.limits.handshake_timeout,
        ..tls::ListenerOptions::new(address, store.clone(), expect.clone())
    })
}

async fn listen_quic(
    shared: &Shared,
    seats: &[Seat],
    address: SocketAddr,
    (store, expect): (&Store, &Expect),
    draining: &watch::Sender<bool>,
) -> Result<io::Result<()>, Error> {
    let limits = &shared.config.limits;
    let reset_key = shared.security.reset_key.clone();
    let options = quic::ListenerOptions {
        reuse_port: seats.len() > 1,
        handshakes_max: limits.handshakes,
        retry_from: limits.handshakes.div_ceil(4),
        handshake_timeout: limits.handshake_timeout,
        tasks: quic::Tasks::LocalSet,
        ..quic::ListenerOptions::new(address, store.clone(), expect.clone(), reset_key)
    };
    for seat in seats {
        let listen = ListenQuic { options: options.clone(), draining: draining.subscribe() };
        let bound = seat.thread.send(listen).await.map_err(|_| Error::Ended)?;
        if bound.is_err() {
            return Ok(bound);
        }
    }
    Ok(Ok(()))
}

impl Listening {
    /// Gives each TLS connection to the data thread with the fewest links, which does the handshake, until `draining`.
    pub(crate) async fn accept(
        &self,
        seats: &[Seat],
        counters: &Counters,
        mut draining: watch::Receiver<bool>,
    ) {
        let mut refused = 0;
        loop {
            let accepted = tokio::select! {
                _ = draining.wait_for(|draining| *draining) => return,
                accepted = self.tls.accept() => accepted,
            };
            let refused_now = self.tls.refused();
            counters.add(Counter::HandshakesRefused, refused_now - refused);
            refused = refused_now;
            match accepted {
                Ok(incoming) => {
                    let Some(seat) = emptiest(seats) else { return };
                    seat.thread.do_send(AcceptTls(incoming));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    counters.refused(error.code());
                    if error.is_retryable() {
                        tokio::time::sleep(EXHAUSTED_PAUSE).await;
                    }
                }
            }
        }
    }
}
