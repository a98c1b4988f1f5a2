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
//!
//! A link that is dropped is closed: once every part of it is gone, the other side is told where the carrier can.

mod closed;

use std::future::{pending, poll_fn};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use mesh_identity::peer::PeerCertificate;
use mesh_wire::class::Class;
use mesh_wire::code::Code;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

pub use self::closed::{CAUSE_BYTES, Closed};
use crate::peer::Peer;
use crate::{quic, tls};

/// Slices per vectored write.
pub(crate) const SLICES: usize = 64;

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
            inbound: Inbound(Lanes::One(Some(LaneReader(Reader::Unix(read))))),
            outbound: Outbound(Writer::Unix(write)),
            handle: Handle(Whole::Unix(peer)),
        }
    }

    pub(crate) fn tls(reader: tls::LaneReader, outbound: tls::Outbound, whole: Arc<tls::Whole>) -> Self {
        Self {
            inbound: Inbound(Lanes::One(Some(LaneReader(Reader::Tls(reader))))),
            outbound: Outbound(Writer::Tls(outbound)),
            handle: Handle(Whole::Tls(whole)),
        }
    }

    pub(crate) fn quic(inbound: quic::Inbound, outbound: quic::Outbound, whole: Arc<quic::Whole>) -> Self {
        Self {
            inbound: Inbound(Lanes::Quic(inbound)),
            outbound: Outbound(Writer::Quic(outbound)),
            handle: Handle(Whole::Quic(whole)),
        }
    }
}

/// The lanes that the other side opens.
#[derive(Debug)]
pub struct Inbound(Lanes);

#[derive(Debug)]
enum Lanes {
    One(Option<LaneReader>),
    Quic(quic::Inbound),
}

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
    /// Why the link is over, or what rule about lanes the other side broke: [`Closed::of`] has the code.
    ///
    /// # Cancel safety
    /// Safe: a lane that was not handed out comes with the next call.
    pub async fn accept(&mut self) -> io::Result<Lane> {
        match &mut self.0 {
            Lanes::One(reader) => match reader.take() {
                Some(reader) => Ok(Lane { class: Class::Control, reader }),
                None => pending().await,
            },
            Lanes::Quic(inbound) => {
                let (class, stream) = inbound.accept().await?;
                Ok(Lane { class, reader: LaneReader(Reader::Quic(stream)) })
            }
        }
    }
}

/// The bytes of one lane, in order. Its end is that the other side finished it; an error is the end of the link.
#[derive(Debug)]
pub struct LaneReader(Reader);

#[derive(Debug)]
enum Reader {
    Unix(OwnedReadHalf),
    Quic(quic::LaneReader),
    Tls(tls::LaneReader),
}

impl AsyncRead for LaneReader {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Reader::Unix(read) => Pin::new(read).poll_read(cx, buf),
            Reader::Quic(stream) => stream.poll_read(cx, buf),
            Reader::Tls(stream) => stream.poll_read(cx, buf),
        }
    }
}

/// The lanes to write to.
#[derive(Debug)]
pub struct Outbound(Writer);

#[derive(Debug)]
enum Writer {
    Unix(OwnedWriteHalf),
    Quic(quic::Outbound),
    Tls(tls::Outbound),
}

impl Outbound {
    /// How many lanes there are: 1, or [`Class::COUNT`].
    #[must_use]
    pub fn lanes(&self) -> usize {
        match &self.0 {
            Writer::Unix(_) | Writer::Tls(_) => 1,
            Writer::Quic(_) => Class::COUNT,
        }
    }

    /// The lane that carries `class`, below [`Outbound::lanes`].
    #[must_use]
    pub fn lane_of(&self, class: Class) -> usize {
        match &self.0 {
            Writer::Unix(_) | Writer::Tls(_) => 0,
            Writer::Quic(_) => class.index(),
        }
    }

    /// Writes from the front of `bufs`, as much as goes at once; gives the number of bytes. Bytes are taken by reference
    /// where the carrier can. A call that is pending must be repeated with the same bytes in front.
    ///
    /// # Errors
    /// The link is over: [`Closed::of`] has the code.
    #[inline]
    pub fn poll_write(
        &mut self,
        lane: usize,
        cx: &mut Context<'_>,
        bufs: &[Bytes],
    ) -> Poll<io::Result<usize>> {
        debug_assert!(lane < self.lanes());
        match &mut self.0 {
            Writer::Unix(write) => {
                with_slices(bufs, |slices| Pin::new(write).poll_write_vectored(cx, slices))
            }
            Writer::Quic(outbound) => outbound.poll_write(lane, cx, bufs),
            Writer::Tls(outbound) => outbound.poll_write(cx, bufs),
        }
    }

    /// Writes all of `bytes` to the lane of `class`. To be bounded in time by the caller.
    ///
    /// # Errors
    /// The link is over; some of the bytes may have been written.
    ///
    /// # Cancel safety
    /// Not safe: what was written by then stays written.
    pub async fn write_all(&mut self, class: Class, mut bytes: Bytes) -> io::Result<()> {
        let lane = self.lane_of(class);
        while !bytes.is_empty() {
            let written = poll_fn(|cx| self.poll_write(lane, cx, std::slice::from_ref(&bytes))).await?;
            bytes.advance(written);
        }
        Ok(())
    }

    /// Says on every lane that nothing follows, and completes when the other side has everything that was written, as
    /// far as the carrier can tell. To be bounded in time by the caller.
    ///
    /// # Errors
    /// The link is over before that.
    pub async fn finish(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Writer::Unix(write) => write.shutdown().await,
            Writer::Quic(outbound) => outbound.finish().await,
            Writer::Tls(outbound) => outbound.finish().await,
        }
    }
}

pub(crate) fn with_slices<T>(bufs: &[Bytes], write: impl FnOnce(&[IoSlice<'_>]) -> T) -> T {
    let mut slices = [IoSlice::new(&[]); SLICES];
    let count = bufs.len().min(SLICES);
    for (slice, buf) in slices.iter_mut().zip(bufs) {
        *slice = IoSlice::new(buf);
    }
    write(&slices[..count])
}

/// What a link is, and its end. A clone is the same link.
#[derive(Debug, Clone)]
pub struct Handle(Whole);

#[derive(Debug, Clone)]
enum Whole {
    Unix(Option<Peer>),
    Quic(Arc<quic::Whole>),
    Tls(Arc<tls::Whole>),
}

impl Handle {
    /// What carries the link.
    #[must_use]
    pub fn carrier(&self) -> Carrier {
        match &self.0 {
            Whole::Unix(_) => Carrier::Unix,
            Whole::Quic(_) => Carrier::Quic,
            Whole::Tls(_) => Carrier::Tls,
        }
    }

    /// The process at the other end, on a Unix socket.
    #[must_use]
    pub fn process(&self) -> Option<Peer> {
        match &self.0 {
            Whole::Unix(peer) => *peer,
            Whole::Quic(_) | Whole::Tls(_) => None,
        }
    }

    /// The other side's address, over a network.
    #[must_use]
    pub fn remote(&self) -> Option<SocketAddr> {
        match &self.0 {
            Whole::Unix(_) => None,
            Whole::Quic(whole) => Some(whole.remote()),
            Whole::Tls(whole) => Some(whole.remote()),
        }
    }

    /// The certificate that the other side showed and that was verified, if it was asked for one and had one.
    #[must_use]
    pub fn certificate(&self) -> Option<Arc<PeerCertificate>> {
        match &self.0 {
            Whole::Unix(_) => None,
            Whole::Quic(whole) => whole.certificate(),
            Whole::Tls(whole) => whole.certificate(),
        }
    }

    /// How the network fares, as QUIC measures it.
    #[must_use]
    pub fn stats(&self) -> Option<Stats> {
        match &self.0 {
            Whole::Unix(_) | Whole::Tls(_) => None,
            Whole::Quic(whole) => Some(whole.stats()),
        }
    }

    /// How long the way there and back takes, as QUIC measures it.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        match &self.0 {
            Whole::Unix(_) | Whole::Tls(_) => None,
            Whole::Quic(whole) => Some(whole.rtt()),
        }
    }

    /// Closes the link at once. The other side is told `code` and `cause` (its first [`CAUSE_BYTES`]) where the carrier
    /// can; what was written and not yet taken by the other side is lost: [`Outbound::finish`] comes first in good
    /// order. Over TLS the other side sees a connection that was cut; on a Unix socket the parts have to be dropped.
    pub fn close(&self, code: Code, cause: &str) {
        match &self.0 {
            Whole::Unix(_) => {}
            Whole::Quic(whole) => whole.close(Closed::new(code, cause)),
            Whole::Tls(whole) => whole.close(Closed::new(code, cause)),
        }
    }

    /// Closes the link at once and in good order: the other side is told no code.
    pub fn leave(&self) {
        match &self.0 {
            Whole::Unix(_) => {}
            Whole::Quic(whole) => whole.close(Closed::in_order("closed here")),
            Whole::Tls(whole) => whole.close(Closed::in_order("closed here")),
        }
    }

    /// Completes when the carrier knows that the link is over, and says why. Over TLS that shows by reading and writing
    /// only, and by [`Handle::close`]; on a Unix socket this never completes.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn closed(&self) -> Closed {
        match &self.0 {
            Whole::Unix(_) => pending().await,
            Whole::Quic(whole) => whole.closed().await,
            Whole::Tls(whole) => whole.closed().await,
        }
    }
}

/// How the network fares under a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// The way there and back, smoothed.
    pub rtt: Duration,
    /// Largest UDP payload that is sent, in bytes.
    pub mtu_bytes: u16,
    /// What may be under way without being acknowledged, in bytes.
    pub congestion_window_bytes: u64,
    /// Packets sent.
    pub sent_packets: u64,
    /// Packets of those that got lost.
    pub lost_packets: u64,
    /// Bytes sent, with all headers of QUIC.
    pub sent_bytes: u64,
    /// Bytes received, with all headers of QUIC.
    pub received_bytes: u64,
}
