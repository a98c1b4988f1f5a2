//! Reads a lane: takes every whole frame out of one read in place, and leaves nothing but a partial tail behind.
//!
//! The read buffer belongs to the data thread and is shared by its links; a lane owns memory only while a frame of
//! its is incomplete. Publishes go to the switch at once, everything else to the link's actor in one message.

use std::{future::poll_fn, io, pin::Pin, rc::Rc, sync::Arc, task::Poll};

use actix::Addr;
use bytes::{Buf, Bytes, BytesMut};
use mesh_core::large::Large;
use mesh_transport::link::LaneReader;
use mesh_wire::{
    chunk::Reassembler,
    code::Code,
    ext::Ext,
    frame::{Flags, Frame, FrameHeader, Kind, Parts},
    header,
};
use tokio::{
    io::{AsyncRead, ReadBuf},
    time::timeout,
};

use super::Link;
use crate::{
    durable,
    metrics::Counter,
    snapshot::Gauge,
    subscriber::{
        Subscriber,
        message::{Fail, Ingress, IngressLarge, Refuse},
    },
    switch::Published,
    thread::{READ_BYTES, Thread},
};

/// Why a link can't be read any further.
struct Fault {
    code: Code,
    cause: String,
}

/// How the reading of a lane ended.
#[derive(Debug)]
pub(super) enum End {
    /// The other side finished the lane.
    Finished,
    /// The carrier failed.
    Lost(io::Error),
    /// The other side broke the rules; the link's actor was told, and closes the link.
    Fault,
}

/// What is kept of the opening frame of a large message.
type Opening = BytesMut;

pub(super) struct Reader {
    link: Rc<Link>,
    thread: Rc<Thread>,
    subscriber: Addr<Subscriber>,
    /// The front of a frame that is not whole yet.
    tail: BytesMut,
    /// Whole frames for the actor.
    control: BytesMut,
    large: Vec<Large>,
    /// For the durable plane.
    durable: durable::Gathering,
    reassembler: Reassembler<Opening>,
    crowded: Vec<Arc<Gauge>>,
    /// The last read was large, so more is likely to be there at once.
    busy: bool,
}

impl Reader {
    pub(super) fn new(link: Rc<Link>, thread: Rc<Thread>, subscriber: Addr<Subscriber>) -> Self {
        let max_body = thread.shared.config.limits.max_body as u64;
        Self {
            link,
            thread,
            subscriber,
            tail: BytesMut::new(),
            control: BytesMut::new(),
            large: Vec::new(),
            durable: durable::Gathering::default(),
            reassembler: Reassembler::new(max_body),
            crowded: Vec::new(),
            busy: false,
        }
    }

    /// Reads until the lane ends or breaks the rules. `rest` came with the handshake.
    pub(super) async fn run(&mut self, half: &mut LaneReader, rest: BytesMut) -> End {
        let mut outcome = self.take(&rest).map(|used| self.tail.extend_from_slice(&rest[used..]));
        drop(rest);
        loop {
            self.hand_over().await;
            if let Err(fault) = outcome {
                self.subscriber.do_send(Fail { code: fault.code, cause: fault.cause });
                return End::Fault;
            }
            self.hold_back().await;
            if std::mem::take(&mut self.busy) {
                // Those who got the last batch have their turn before the next is made.
                tokio::task::yield_now().await;
            }
            outcome = match self.read(half).await {
                Ok(Some(outcome)) => outcome,
                Ok(None) if self.tail.is_empty() => return End::Finished,
                Ok(None) => Err(Fault {
                    code: Code::FrameTruncated,
                    cause: format!("the link closed within a frame, {} bytes into it", self.tail.len()),
                }),
                Err(error) => return End::Lost(error),
            };
        }
    }

    /// One read and all whole frames in it; `None` at the end of the stream.
    async fn read(&mut self, half: &mut LaneReader) -> io::Result<Option<Result<(), Fault>>> {
        poll_fn(|cx| {
            let thread = Rc::clone(&self.thread);
            let mut buffer = thread.read_buffer.borrow_mut();
            if self.tail_needs() > buffer.len() {
                return self.poll_read_tail(half, cx);
            }
            let start = self.tail.len();
            buffer[..start].copy_from_slice(&self.tail);
            let mut room = ReadBuf::new(&mut buffer[start..]);
            match Pin::new(&mut *half).poll_read(cx, &mut room) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) => {}
            }
            let count = room.filled().len();
            if count == 0 {
                return Poll::Ready(Ok(None));
            }
            self.note_read(count);
            let bytes = &buffer[..start + count];
            let outcome = self.take(bytes).map(|used| {
                self.tail.clear();
                self.keep_tail(&bytes[used..]);
            });
            Poll::Ready(Ok(Some(outcome)))
        })
        .await
    }

    /// A frame that is larger than the shared buffer grows in the tail, up to its announced and checked length.
    fn poll_read_tail(
        &mut self,
        half: &mut LaneReader,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<io::Result<Option<Result<(), Fault>>>> {
        let missing = self.tail_needs() - self.tail.len();
        self.tail.reserve(missing.min(self.tail.len().max(64 * 1024)));
        let room = self.tail.spare_capacity_mut();
        let room_len = room.len().min(missing);
        let mut room = ReadBuf::uninit(&mut room[..room_len]);
        match Pin::new(half).poll_read(cx, &mut room) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => {}
        }
        let read = Bytes::copy_from_slice(room.filled());
        if read.is_empty() {
            return Poll::Ready(Ok(None));
        }
        self.note_read(read.len());
        self.tail.extend_from_slice(&read);
        let whole = std::mem::take(&mut self.tail);
        let outcome = self.take(&whole).map(|used| {
            self.tail = whole;
            self.tail.advance(used);
        });
        Poll::Ready(Ok(Some(outcome)))
    }

    /// The length of the frame that the tail begins, as far as it is known.
    fn tail_needs(&self) -> usize {
        match FrameHeader::decode(&self.tail) {
            Ok(Some(header)) => header.len as usize,
            _ => 0,
        }
    }

    /// Keeps a partial frame, in no more room than it needs: most links are idle most of the time.
    fn keep_tail(&mut self, rest: &[u8]) {
        if rest.is_empty() {
            self.tail = BytesMut::new();
        } else {
            self.tail.extend_from_slice(rest);
        }
    }

    fn note_read(&mut self, bytes: usize) {
        self.busy = bytes >= READ_BYTES / 2;
        self.thread.spinner.touch();
        self.thread.count(Counter::InBytes, bytes as u64);
        self.link.traffic.in_bytes.set(self.link.traffic.in_bytes.get() + bytes as u64);
    }

    /// Deals with every whole frame at the front of `bytes`; how many bytes they took.
    fn take(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let thread = Rc::clone(&self.thread);
        thread.switch.borrow_mut().begin();
        let mut used = 0;
        let mut publishes = 0;
        let outcome = loop {
            match Frame::decode(&bytes[used..]) {
                Ok(Some(frame)) => {
                    let whole = &bytes[used..used + frame.len()];
                    used += frame.len();
                    if let Err(fault) = self.check_body(&frame) {
                        break Err(fault);
                    }
                    let taken = match frame.kind() {
                        Kind::Publish => {
                            publishes += 1;
                            self.publish(&frame)
                        }
                        Kind::Put | Kind::Fetch | Kind::Declare => self.durable(&frame, whole),
                        _ => self.other(&frame),
                    };
                    if let Err(fault) = taken {
                        break Err(fault);
                    }
                }
                Ok(None) => break Ok(used),
                Err(error) => break Err(Fault { code: error.code(), cause: error.to_string() }),
            }
        };
        self.link.traffic.count_in(publishes);
        thread.count(Counter::Published, publishes);
        let unsent = thread.switch.borrow_mut().flush(self.link.id, 0, &mut self.crowded);
        thread.count(Counter::DroppedMailboxFull, unsent.messages);
        thread.count_lookups();
        outcome
    }

    #[inline]
    fn publish(&mut self, frame: &Frame<'_>) -> Result<(), Fault> {
        let plain = frame.ext().is_empty() && frame.headers().is_empty() && frame.flags() == Flags::NONE;
        if !plain && !self.check_publish(frame)? {
            return Ok(());
        }
        let published = self.thread.switch.borrow_mut().publish(frame);
        match published {
            Ok(published) => self.note_published(published),
            Err(error) => self.refuse(frame, error.code(), error.to_string()),
        }
        Ok(())
    }

    /// Holds a body in one frame to the same limit as one in chunks.
    #[inline]
    fn check_body(&self, frame: &Frame<'_>) -> Result<(), Fault> {
        let (len, max) = (frame.body().len(), self.thread.shared.config.limits.max_body);
        if len <= max || !matches!(frame.kind(), Kind::Publish | Kind::Request | Kind::Reply | Kind::Put) {
            return Ok(());
        }
        Err(Fault {
            code: Code::BodyTooLarge,
            cause: format!("body of {len} bytes is over the limit of {max}"),
        })
    }

    /// Checks the parts that few messages have; false when the frame is dealt with.
    fn check_publish(&mut self, frame: &Frame<'_>) -> Result<bool, Fault> {
        if frame.flags() != Flags::NONE {
            let cause = format!("a client's publish carries flags {:?}", frame.flags());
            return Err(Fault { code: Code::FrameMalformed, cause });
        }
        // A chunked message is judged when it is whole, so that its further parts find their series.
        if let Some((series, total)) = Ext::parse(frame.ext()).ok().and_then(|ext| ext.chunk()) {
            return self.open_series(frame, series, total).map(|()| false);
        }
        match check_contents(frame.ext(), frame.headers()) {
            Ok(()) => Ok(true),
            Err((code, cause)) => {
                self.refuse(frame, code, cause);
                Ok(false)
            }
        }
    }

    fn other(&mut self, frame: &Frame<'_>) -> Result<(), Fault> {
        match frame.kind() {
            Kind::Chunk => return self.chunk(frame),
            Kind::Request | Kind::Reply if !frame.ext().is_empty() => {
                if let Some((series, total)) = Ext::parse(frame.ext()).ok().and_then(|ext| ext.chunk()) {
                    return self.open_series(frame, series, total);
                }
            }
            _ => {}
        }
        let parts = frame.parts();
        parts.encode(&mut self.control).map_err(|e| Fault { code: e.code(), cause: e.to_string() })
    }

    /// A frame for the durable plane, with its bytes.
    fn durable(&mut self, frame: &Frame<'_>, whole: &[u8]) -> Result<(), Fault> {
        match Ext::parse(frame.ext()).ok().and_then(|ext| ext.chunk()) {
            Some((series, total)) if frame.kind() == Kind::Put => self.open_series(frame, series, total),
            _ => {
                self.durable.frame(whole);
                Ok(())
            }
        }
    }

    fn open_series(&mut self, frame: &Frame<'_>, series: u32, total: u64) -> Result<(), Fault> {
        let mut opening = BytesMut::new();
        let head = Parts { body: &[], ..frame.parts() };
        head.encode(&mut opening).map_err(|e| Fault { code: e.code(), cause: e.to_string() })?;
        self.reassembler
            .handle_opening(series, total, opening, frame.body())
            .map_err(|e| Fault { code: e.code(), cause: e.to_string() })
    }

    fn chunk(&mut self, frame: &Frame<'_>) -> Result<(), Fault> {
        let more = frame.flags().contains(Flags::MORE);
        let fault = |code: Code, cause: String| Fault { code, cause };
        let done = self.reassembler.handle_part(frame.id(), frame.body(), more);
        let Some((opening, body)) = done.map_err(|e| fault(e.code(), e.to_string()))? else { return Ok(()) };
        let Ok(Some(opening)) = Frame::decode(&opening) else {
            return Err(fault(Code::InternalError, "an opening frame was kept that can't be read".into()));
        };
        let large = Large::new(&opening.parts(), body).map_err(|e| fault(e.code(), e.to_string()))?;
        match large.kind {
            Kind::Publish => self.publish_large(&large, &opening),
            Kind::Put => self.durable.large(large),
            _ => self.large.push(large),
        }
        Ok(())
    }

    fn publish_large(&mut self, large: &Large, opening: &Frame<'_>) {
        if let Err((code, cause)) = check_contents(&large.ext, &large.headers) {
            return self.refuse(opening, code, cause);
        }
        let published = self.thread.switch.borrow_mut().publish_large(large);
        self.thread.count(Counter::Published, 1);
        self.link.traffic.count_in(1);
        match published {
            Ok(published) => self.note_published(published),
            Err(error) => self.refuse(opening, error.code(), error.to_string()),
        }
    }

    fn note_published(&self, published: Published) {
        self.thread.count(Counter::Delivered, u64::from(published.receivers));
        if published.receivers == 0 {
            self.thread.count(Counter::Unrouted, 1);
        }
        self.thread.count(Counter::DroppedLinkGone, u64::from(published.lost));
    }

    fn refuse(&self, frame: &Frame<'_>, code: Code, cause: String) {
        self.subscriber.do_send(Refuse { about: frame.kind() as u8, id: frame.id(), code, cause });
    }

    /// Gives the actor what is not a publish. A full mailbox makes the reader wait, never lose.
    async fn hand_over(&mut self) {
        if !self.control.is_empty() {
            let frames = self.control.split().freeze();
            self.control = BytesMut::new();
            if let Err(actix::dev::SendError::Full(ingress)) = self.subscriber.try_send(Ingress(frames)) {
                // Closed: the link is going down, and the loop ends with it.
                self.subscriber.send(ingress).await.ok();
            }
        }
        for large in std::mem::take(&mut self.large) {
            self.subscriber.send(IngressLarge(large)).await.ok();
        }
        if let Some(items) = self.durable.take() {
            durable::hand_over(items, &self.link, &self.thread, &self.subscriber).await;
        }
    }

    /// Waits for links that have too much queued, a bounded time; who does not drain by then is slow, and not
    /// waited for until it has.
    async fn hold_back(&mut self) {
        if self.crowded.is_empty() {
            return;
        }
        let pacing = &self.thread.shared.config.pacing;
        let (stall, low) = (pacing.stall, pacing.high_water / 2);
        for gauge in self.crowded.drain(..) {
            if gauge.is_slow() {
                continue;
            }
            self.thread.count(Counter::PacingStalls, 1);
            if timeout(stall, gauge.drained(low)).await.is_err() {
                gauge.mark_slow();
                self.thread.count(Counter::SlowLinks, 1);
            }
        }
    }
}

/// What a client may not put into a publish, or not like that.
fn check_contents(ext: &[u8], headers: &[u8]) -> Result<(), (Code, String)> {
    Ext::parse_from_client(ext).map_err(|e| (e.code(), e.to_string()))?;
    header::validate(headers).map_err(|e| (e.code(), e.to_string()))?;
    Ok(())
}
