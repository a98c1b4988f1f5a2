//! Links over TLS over TCP, for networks that block UDP: one lane for everything.
//!
//! ```text
//!  Listener::bind ─► accept ─► Incoming (any thread) ─► finish ─┐
//!                                                               ├─► Whole, a reader, a writer that flushes
//!  dial ────────────────────────────────────────────────────────┘
//! ```
//! A dead connection is found by the kernel: see `socket::tune_tcp`.

mod dial;
mod end;
mod listener;
mod outbound;
mod tcp;
mod whole;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use mesh_identity::tls::ALPN;
use mesh_wire::code::Code;
use tokio::io::{AsyncRead, ReadBuf, ReadHalf};
use tokio_rustls::TlsStream;

pub(crate) use self::dial::dial;
pub use self::listener::{Incoming, Listener, ListenerOptions};
pub(crate) use self::outbound::Outbound;
use self::tcp::Tcp;
pub(crate) use self::whole::Whole;
use crate::link::{Closed, Link};
use crate::side::{self, Side};

/// A link over a connection whose handshake is done.
fn link(stream: TlsStream<Tcp>, tcp: Tcp, remote: SocketAddr, side: Arc<Side>) -> Result<Link, Closed> {
    let (_, session) = stream.get_ref();
    // Over TCP rustls lets a side pass that names no protocol at all.
    if session.alpn_protocol() != Some(ALPN) {
        return Err(Closed::new(Code::AlpnMismatch, "the other side names no protocol that we speak"));
    }
    let certificate = match session.peer_certificates() {
        Some(chain) => side::certificate(chain, &side)?,
        None => None,
    };
    let whole = Arc::new(Whole::new(tcp, remote, side, certificate));
    let (read, write) = tokio::io::split(stream);
    Ok(Link::tls(
        LaneReader { read, whole: Arc::clone(&whole) },
        Outbound::new(write, Arc::clone(&whole)),
        whole,
    ))
}

/// Everything that comes in.
#[derive(Debug)]
pub(crate) struct LaneReader {
    read: ReadHalf<TlsStream<Tcp>>,
    whole: Arc<Whole>,
}

impl LaneReader {
    #[inline]
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(cx, buf).map_err(|error| self.whole.end(error).into())
    }
}
