//! Everything that goes out.

use std::io;
use std::mem::take;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncWrite, AsyncWriteExt, WriteHalf};
use tokio_rustls::TlsStream;

use super::{Tcp, Whole};
use crate::link::with_slices;

/// The writer. What it took is on its way when it says that it took it: the session would keep the rest of a record
/// until the next write, and there may be none.
#[derive(Debug)]
pub(crate) struct Outbound {
    write: WriteHalf<TlsStream<Tcp>>,
    whole: Arc<Whole>,
    /// Bytes that the session took and that were not reported, because they are not out.
    held: usize,
}

impl Outbound {
    pub(super) fn new(write: WriteHalf<TlsStream<Tcp>>, whole: Arc<Whole>) -> Self {
        Self { write, whole, held: 0 }
    }

    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bufs: &[Bytes]) -> Poll<io::Result<usize>> {
        self.poll_out(cx, bufs).map_err(|error| self.whole.end(error).into())
    }

    fn poll_out(&mut self, cx: &mut Context<'_>, bufs: &[Bytes]) -> Poll<io::Result<usize>> {
        if self.held == 0 {
            let write = Pin::new(&mut self.write);
            self.held = ready!(with_slices(bufs, |slices| write.poll_write_vectored(cx, slices)))?;
        }
        debug_assert!(
            self.held <= bufs.iter().map(Bytes::len).sum(),
            "other bytes than those that were pending"
        );
        ready!(Pin::new(&mut self.write).poll_flush(cx))?;
        Poll::Ready(Ok(take(&mut self.held)))
    }

    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        self.write.shutdown().await.map_err(|error| self.whole.end(error).into())
    }
}
