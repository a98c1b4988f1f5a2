//! The streams of ours: one per class, opened by its first bytes.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use mesh_wire::class::Class;
use mesh_wire::code::Code;
use quinn::{SendStream, StoppedError, WriteError};
use smallvec::SmallVec;

use super::Whole;
use crate::link::{Closed, SLICES};

/// Slices below this size are copied together, in bytes: quinn keeps a segment for each slice until it is acknowledged,
/// and walks the segments for every packet.
const SMALL_BYTES: usize = 2 * 1024;
/// At most this much is copied together, in bytes.
const RUN_BYTES: usize = 16 * 1024;

/// What goes into one write: mostly a few slices, at most [`SLICES`].
type Chunks = SmallVec<[Bytes; 4]>;

/// The first bytes of streams, by class.
static NAMES: [[u8; 1]; Class::COUNT] = [[0], [1], [2], [3], [4], [5]];

/// Streams to the other side.
#[derive(Debug)]
pub(crate) struct Outbound {
    whole: Arc<Whole>,
    streams: [Option<Named>; Class::COUNT],
}

#[derive(Debug)]
struct Named {
    stream: SendStream,
    /// Whether the class was written.
    said: bool,
}

impl Outbound {
    pub(super) fn new(whole: Arc<Whole>) -> Self {
        Self { whole, streams: [const { None }; Class::COUNT] }
    }

    pub(crate) fn poll_write(
        &mut self,
        lane: usize,
        cx: &mut Context<'_>,
        bufs: &[Bytes],
    ) -> Poll<io::Result<usize>> {
        // The other side takes control first, whatever we have to say first.
        if lane != Class::Control.index() {
            ready!(self.poll_open(Class::Control.index(), cx))?;
        }
        ready!(self.poll_open(lane, cx))?;
        let Some(named) = &mut self.streams[lane] else { return Poll::Pending };
        let mut chunks = gather(bufs);
        if chunks.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let written = ready!(pin!(named.stream.write_chunks(&mut chunks)).poll(cx));
        Poll::Ready(written.map(|written| written.bytes).map_err(|error| broken(&self.whole, error)))
    }

    /// Opens a lane and says its class.
    fn poll_open(&mut self, lane: usize, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(Named { said: true, .. }) = self.streams[lane] {
            return Poll::Ready(Ok(()));
        }
        if self.streams[lane].is_none() {
            // Every class may have its stream from the first moment, so there is nothing to wait for.
            let stream = match pin!(self.whole.connection().open_uni()).poll(cx) {
                Poll::Ready(stream) => stream.map_err(|error| self.whole.end(&error))?,
                Poll::Pending => {
                    let closed = Closed::new(Code::LaneForbidden, "the other side allows too few lanes");
                    self.whole.close(closed.clone());
                    return Poll::Ready(Err(closed.into()));
                }
            };
            // Only a stream that is over has no priority, and this one is new.
            stream.set_priority(priority(lane)).ok();
            self.streams[lane] = Some(Named { stream, said: false });
        }
        let Some(named) = &mut self.streams[lane] else { return Poll::Pending };
        ready!(pin!(named.stream.write(&NAMES[lane])).poll(cx))
            .map_err(|error| broken(&self.whole, error))?;
        named.said = true;
        Poll::Ready(Ok(()))
    }

    /// Ends every lane and waits until the other side has all of it.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        for named in self.streams.iter_mut().flatten() {
            // One that was finished before stays finished.
            named.stream.finish().ok();
        }
        for named in self.streams.iter().flatten() {
            match named.stream.stopped().await {
                Ok(None) => {}
                Ok(Some(_)) => return Err(gave_up()),
                Err(StoppedError::ConnectionLost(error)) => return Err(self.whole.end(&error).into()),
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(())
    }
}

/// The larger goes first.
fn priority(lane: usize) -> i32 {
    (Class::COUNT - lane) as i32
}

fn broken(whole: &Whole, error: WriteError) -> io::Error {
    match error {
        WriteError::ConnectionLost(error) => whole.end(&error).into(),
        WriteError::Stopped(_) => gave_up(),
        error => io::Error::other(error),
    }
}

fn gave_up() -> io::Error {
    Closed::new(Code::LinkReset, "the other side gave up a lane").into()
}

/// What goes into one write: large slices by reference, runs of small ones as copies.
fn gather(bufs: &[Bytes]) -> Chunks {
    let mut chunks = Chunks::new();
    let mut rest = bufs;
    while let Some(first) = rest.first().filter(|_| chunks.len() < SLICES) {
        let run = run_of(rest);
        if run > 1 {
            let mut together = BytesMut::with_capacity(rest[..run].iter().map(Bytes::len).sum());
            rest[..run].iter().for_each(|buf| together.extend_from_slice(buf));
            chunks.push(together.freeze());
        } else if !first.is_empty() {
            chunks.push(first.clone());
        }
        rest = &rest[run.max(1)..];
    }
    chunks
}

/// How many slices in front are copied together.
fn run_of(bufs: &[Bytes]) -> usize {
    let mut bytes = 0;
    bufs.iter()
        .take_while(|buf| {
            bytes += buf.len();
            buf.len() < SMALL_BYTES && bytes <= RUN_BYTES
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(bufs: &[usize]) -> Vec<usize> {
        let bufs: Vec<Bytes> = bufs.iter().map(|len| vec![b'x'; *len].into()).collect();
        gather(&bufs).iter().map(Bytes::len).collect()
    }

    #[test]
    fn small_slices_travel_together() {
        let table: [(&[usize], &[usize]); 7] = [
            (&[], &[]),
            (&[0], &[]),
            (&[1, 2, 3], &[6]),
            (&[1, SMALL_BYTES, 2, 3], &[1, SMALL_BYTES, 5]),
            (&[SMALL_BYTES - 1, 1], &[SMALL_BYTES]),
            (&[SMALL_BYTES, 0, SMALL_BYTES], &[SMALL_BYTES, SMALL_BYTES]),
            (&[40_000, 100_000], &[40_000, 100_000]),
        ];
        for (bufs, chunks) in table {
            assert_eq!(lengths(bufs), chunks, "{bufs:?}");
        }
    }

    #[test]
    fn a_run_is_bounded() {
        let of = SMALL_BYTES / 2;
        let fits = RUN_BYTES / of;
        assert_eq!(lengths(&vec![of; fits]), [RUN_BYTES]);
        assert_eq!(lengths(&vec![of; fits + 1]), [RUN_BYTES, of]);
    }

    #[test]
    fn one_write_takes_so_many_slices() {
        assert_eq!(lengths(&[SMALL_BYTES; SLICES]).len(), SLICES);
        assert_eq!(lengths(&[SMALL_BYTES; SLICES + 1]).len(), SLICES);
    }

    #[test]
    fn a_large_slice_is_not_copied() {
        let buf = Bytes::from(vec![1; SMALL_BYTES]);
        assert_eq!(gather(std::slice::from_ref(&buf))[0].as_ptr(), buf.as_ptr());
    }

    #[test]
    fn control_goes_first() {
        let order: Vec<i32> = Class::ALL.iter().map(|class| priority(class.index())).collect();
        assert!(order.is_sorted_by(|a, b| a > b), "{order:?}");
    }
}
