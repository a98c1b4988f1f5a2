//! One link, whatever carries it: lanes of bytes in, lanes of bytes out, and a handle on the whole.
//!
//! ```text
//!                  Unix socket, TLS over TCP                 QUIC
//!  Inbound::accept   one lane for everything                 a lane for each stream that the other side opened
//!  Outbound          one lane for everything                 a stream per class, opened when it is first written to
//!  Handle            carrier, who is there, close, closed    the same
//! ```
//! Order holds within a lane. Which class goes into which lane is [`Outbound::lane_of`]; a reader takes any frame on any
//! lane.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use mesh_wire::class::Class;
use mesh_wire::code::Code;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use crate::peer::Peer;

/// Slices per vectored write.
const SLICES: usize = 64;

/// What carries a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// A Unix stream socket.
    Unix,
    /// QUIC over UDP.
    Quic,
    /// TLS over TCP.
    Tls,
}

impl Carrier {
    /// Its name, as listings show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unix => "unix",
            Self::Quic => "quic",
            Self::Tls => "tls",
        }
    }
}

/// An open link, in its parts.
#[derive(Debug)]
pub struct Link {
    /// What comes in.
    pub inbound: Inbound,
    /// What goes out.
    pub outbound: Outbound,
    /// The whole.
    pub handle: Handle,
}

impl Link {
    /// A link over a connected Unix socket.
    #[must_use]
    pub fn unix(stream: UnixStream, peer: Option<Peer>) -> Self {
        let (read, write) = stream.into_split();
        Self {
            inbound: Inbound(Some(read)),
            outbound: Outbound(write),
            handle: Handle { carrier: Carrier::Unix, peer },
        }
    }
}

/// The lanes that the other side opens.
#[derive(Debug)]
pub struct Inbound(Option<OwnedReadHalf>);

/// A lane that the other side opened.
#[derive(Debug)]
pub struct Lane {
    /// What it was opened for; [`Class::Control`] where one lane carries everything.
    pub class: Class,
    /// Its bytes.
    pub reader: LaneReader,
}

impl Inbound {
    /// The next lane. The first one is always the one that the handshake travels on. Where one lane carries everything,
    /// a second call never completes.
    ///
    /// # Errors
    /// Why the link is over, or what rule about lanes the other side broke; see [`Handle::closed`] for the code.
    ///
    /// # Cancel safety
    /// Safe: a lane that was not handed out comes with the next call.
    pub async fn accept(&mut self) -> io::Result<Lane> {
        match self.0.take() {
            Some(read) => Ok(Lane { class: Class::Control, reader: LaneReader(read) }),
            None => std::future::pending().await,
        }
    }
}

/// The bytes of one lane, in order.
#[derive(Debug)]
pub struct LaneReader(OwnedReadHalf);

impl AsyncRead for LaneReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

/// The lanes to write to.
#[derive(Debug)]
pub struct Outbound(OwnedWriteHalf);

impl Outbound {
    /// How many lanes there are: 1, or [`Class::COUNT`].
    #[must_use]
    pub fn lanes(&self) -> usize {
        1
    }

    /// The lane that carries `class`, below [`Outbound::lanes`].
    #[must_use]
    pub fn lane_of(&self, class: Class) -> usize {
        let _ = class;
        0
    }

    /// Writes from the front of `bufs`, as much as goes at once; gives the number of bytes. Bytes are taken by reference
    /// where the carrier can.
    ///
    /// # Errors
    /// The link is over; see [`Handle::closed`].
    pub fn poll_write(
        &mut self,
        lane: usize,
        cx: &mut Context<'_>,
        bufs: &[Bytes],
    ) -> Poll<io::Result<usize>> {
        debug_assert!(lane < self.lanes());
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = bufs.len().min(SLICES);
        for (slice, buf) in slices.iter_mut().zip(bufs) {
            *slice = IoSlice::new(buf);
        }
        Pin::new(&mut self.0).poll_write_vectored(cx, &slices[..count])
    }

    /// Says on every lane that nothing follows, and completes when the other side has everything that was written, as
    /// far as the carrier can tell. To be bounded in time by the caller.
    ///
    /// # Errors
    /// The link is over before that.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.0.shutdown().await
    }
}

/// What a link is, and its end. A clone is the same link.
#[derive(Debug, Clone)]
pub struct Handle {
    carrier: Carrier,
    peer: Option<Peer>,
}

impl Handle {
    /// What carries the link.
    #[must_use]
    pub fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// The process at the other end, on a Unix socket.
    #[must_use]
    pub fn process(&self) -> Option<Peer> {
        self.peer
    }

    /// The other side's address, over a network.
    #[must_use]
    pub fn remote(&self) -> Option<SocketAddr> {
        None
    }

    /// Closes the link at once. The other side is told `code` and `cause` where the carrier can; what was written and
    /// not yet taken by the other side is lost: [`Outbound::finish`] comes first in good order.
    pub fn close(&self, code: Code, cause: &str) {
        let _ = (code, cause);
    }

    /// Completes when the carrier knows that the link is over, and says why. On a Unix socket that shows by reading
    /// only: this never completes.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn closed(&self) -> Closed {
        std::future::pending().await
    }
}

/// Why a link is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The code; `None` when the other side left in good order.
    pub code: Option<Code>,
    /// What happened, in words.
    pub cause: String,
}
