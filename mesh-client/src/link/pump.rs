//! Moves bytes: the outbox to the socket, the socket to whom it is for.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::net::UnixStream;
use tokio::time::Sleep;

use super::dispatch::{Dispatch, LinkEnd, protocol};
use super::handshake::Opened;
use super::inbox::{Garbage, Inbox, Run};
use super::restore::Restoring;
use super::shared::Shared;

/// One open link. To be polled by one task.
#[derive(Debug)]
pub(crate) struct Pump {
    stream: UnixStream,
    inbox: Inbox,
    runs: Vec<Run>,
    dispatch: Dispatch,
    writing: BytesMut,
    written: usize,
    timer: Pin<Box<Sleep>>,
    armed: Option<Instant>,
    shared: Arc<Shared>,
}

impl Pump {
    /// For a link on which `restoring` was asked for.
    pub(crate) fn new(opened: Opened, shared: Arc<Shared>, restoring: Restoring) -> Self {
        Self {
            stream: opened.stream,
            inbox: Inbox::new(opened.rest),
            runs: Vec::new(),
            dispatch: Dispatch::new(Arc::clone(&shared), opened.node, restoring),
            writing: BytesMut::new(),
            written: 0,
            timer: Box::pin(tokio::time::sleep(std::time::Duration::ZERO)),
            armed: None,
            shared,
        }
    }

    /// Whether the node has still to confirm what was subscribed before.
    pub(crate) fn is_restoring(&self) -> bool {
        self.dispatch.is_restoring()
    }

    /// Whether the node said that it is leaving.
    pub(crate) fn is_draining(&self) -> bool {
        self.dispatch.is_draining()
    }

    /// Reads and writes until the link is over.
    pub(crate) fn poll_run(&mut self, cx: &mut Context<'_>) -> Poll<LinkEnd> {
        // Reading comes first: what it makes us say goes out with the same write.
        if let Poll::Ready(Err(end)) = self.poll_read(cx) {
            return Poll::Ready(end);
        }
        if let Poll::Ready(Err(error)) = self.poll_write(cx) {
            return Poll::Ready(LinkEnd::Lost(error.to_string()));
        }
        self.poll_deadlines(cx);
        Poll::Pending
    }

    /// Whether nothing waits to be written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.writing.is_empty() && self.shared.outbox.is_empty()
    }

    /// Ready with an error only.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LinkEnd>> {
        // What came behind the handshake is there before the first read.
        self.cut()?;
        loop {
            let buffer = self.inbox.buffer();
            let room = buffer.capacity() - buffer.len();
            let read = match pin!(self.stream.read_buf(buffer)).poll(cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(self.hung_up())),
                Poll::Ready(Ok(read)) => read,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(LinkEnd::Lost(error.to_string()))),
                Poll::Pending => return Poll::Pending,
            };
            self.inbox.handle_read(read);
            self.cut()?;
            if read == room {
                // Whoever got something takes it while it is in the cache; the rest waits a turn.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }

    /// Hands out all whole frames.
    fn cut(&mut self) -> Result<(), LinkEnd> {
        if !self.inbox.is_partial() {
            return Ok(());
        }
        let (bytes, judged) = self.inbox.cut(&mut self.runs);
        self.dispatch.handle(&bytes, &self.runs)?;
        match judged {
            Ok(()) => Ok(()),
            Err(Garbage::Frame(error)) => Err(protocol(error.code(), error.to_string())),
            Err(Garbage::Ext(error)) => Err(protocol(error.code(), error.to_string())),
        }
    }

    fn hung_up(&self) -> LinkEnd {
        LinkEnd::Lost(match self.inbox.is_partial() {
            true => "the connection was closed in the middle of a frame".to_owned(),
            false => "the connection was closed".to_owned(),
        })
    }

    /// Pending when there is nothing to write, or no room to write it.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.writing.is_empty() {
                std::task::ready!(self.shared.outbox.poll_take(&mut self.writing, cx));
            }
            let stream = Pin::new(&mut self.stream);
            match std::task::ready!(stream.poll_write(cx, &self.writing[self.written..])) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(written) => self.written += written,
                Err(error) => return Poll::Ready(Err(error)),
            }
            if self.written == self.writing.len() {
                self.writing.clear();
                self.written = 0;
            }
        }
    }

    fn poll_deadlines(&mut self, cx: &mut Context<'_>) {
        let next = self.shared.requests.lock().poll_timeout();
        let Some(next) = next else { return };
        if self.armed != Some(next) {
            self.armed = Some(next);
            self.timer.as_mut().reset(next.into());
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            let mut wakers = Vec::new();
            let next = {
                let mut requests = self.shared.requests.lock();
                requests.handle_time(Instant::now(), &mut wakers);
                requests.poll_timeout()
            };
            wakers.into_iter().for_each(Waker::wake);
            self.armed = next;
            let Some(next) = next else { return };
            self.timer.as_mut().reset(next.into());
        }
    }
}
