//! Brings what came to whom it is for.

use std::io;
use std::sync::Arc;
use std::task::Waker;
#[cfg(feature = "registers")]
use std::time::Duration;

use bytes::Bytes;
use mesh_transport::link::Closed;
use mesh_wire::body::{self, ErrorV1};
use mesh_wire::code::Code;
use mesh_wire::ext::Ext;
use mesh_wire::frame::{Flags, Frame, FrameHeader, Kind, Parts};
use parking_lot::MutexGuard;

use super::feed::{End, Feed, Item};
use super::inbox::{Destination, Run};
use super::lanes::Chunks;
use super::restore::Restoring;
use super::shared::Shared;
use crate::answer::OWN_CODE;
#[cfg(feature = "registers")]
use crate::durable::patience::What;
use crate::error::Error;
use crate::event::ConnectionEvent;
use crate::message::Message;
use crate::node_info::NodeInfo;
use crate::state::requests::{Ended, Requests};
use crate::subscription::Local;

/// Why the link is over.
#[derive(Debug, Clone)]
pub(crate) enum LinkEnd {
    /// The other side is gone.
    Lost(String),
    /// The node said why.
    Told(Error),
    /// The node broke the protocol.
    Protocol(Error),
    /// The node said goodbye, perhaps with a reason; its other lanes may hold something still.
    Goodbye(Option<Error>),
}

impl LinkEnd {
    /// What an error of the carrier means.
    pub(crate) fn of(error: &io::Error) -> Self {
        match Closed::of(error) {
            Some(closed) => Self::closed(closed),
            None => Self::Lost(error.to_string()),
        }
    }

    /// What an end of the link as a whole means.
    pub(crate) fn closed(closed: &Closed) -> Self {
        match closed.code {
            Some(code) => Self::Told(Error::of(code).with_cause(&closed.cause)),
            None => Self::Goodbye(None),
        }
    }

    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Lost(text) => text.clone(),
            Self::Told(error) | Self::Protocol(error) | Self::Goodbye(Some(error)) => {
                format!("{error} ({})", error.cause())
            }
            Self::Goodbye(None) => "the node closed the link".to_owned(),
        }
    }
}

/// What one link's task needs to hand out what it reads.
#[derive(Debug)]
pub(crate) struct Dispatch {
    shared: Arc<Shared>,
    wakers: Vec<Waker>,
    /// What was kept, on its way to who waits for it.
    #[cfg(feature = "registers")]
    kept: Vec<crate::durable::line::Kept>,
    node: NodeInfo,
    restoring: Restoring,
    draining: bool,
}

impl Dispatch {
    /// For a link to `node` on which `restoring` was asked for.
    pub(crate) fn new(shared: Arc<Shared>, node: NodeInfo, restoring: Restoring) -> Self {
        let this = Self {
            shared,
            wakers: Vec::new(),
            #[cfg(feature = "registers")]
            kept: Vec::new(),
            node,
            restoring,
            draining: false,
        };
        if this.restoring.is_empty() {
            this.tell_connected();
        }
        this
    }

    /// Whether the node has still to confirm what was subscribed before.
    pub(crate) fn is_restoring(&self) -> bool {
        !self.restoring.is_empty()
    }

    fn handle_restored(&mut self, id: u32) {
        if self.restoring.remove(&id) && self.restoring.is_empty() {
            self.tell_connected();
            self.shared.outbox.resume();
        }
    }

    fn tell_connected(&self) {
        *self.shared.node.lock() = Some(self.node.clone());
        self.shared.hub.tell(&ConnectionEvent::Connected { node: self.node.clone() });
    }

    /// Whether the node said that it is leaving.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining
    }

    /// Hands out `runs`, which lie in `bytes`. `chunks` is what is known of the lane that they came by.
    pub(crate) fn handle(&mut self, bytes: &Bytes, runs: &[Run], chunks: &mut Chunks) -> Result<(), LinkEnd> {
        let shared = Arc::clone(&self.shared);
        // Replies come in bunches: one lock for all that follow each other.
        let mut requests = None;
        for run in runs {
            let part = || bytes.slice(run.start..run.end);
            match run.to {
                Destination::Other(header) if is_for_requests(header.kind) => {
                    let requests = requests.get_or_insert_with(|| shared.requests.lock());
                    self.handle_reply(requests, header, part());
                }
                to => {
                    requests = self.release(requests);
                    match to {
                        Destination::Feed(id) => {
                            self.handle_feed(id, Item::Frames { bytes: part(), messages: run.frames })
                        }
                        #[cfg(feature = "registers")]
                        Destination::Line(number) => self.handle_kept(number, &part()),
                        Destination::Opening(_) => handle_opening(part(), chunks)?,
                        Destination::Other(header) => self.handle_other(header, part(), chunks)?,
                    }
                }
            }
        }
        self.release(requests);
        Ok(())
    }

    /// Wakes outside the lock.
    fn release<'a>(
        &mut self,
        requests: Option<MutexGuard<'a, Requests<Message, Waker>>>,
    ) -> Option<MutexGuard<'a, Requests<Message, Waker>>> {
        drop(requests);
        self.wakers.drain(..).for_each(Waker::wake);
        None
    }

    fn handle_reply(&mut self, requests: &mut Requests<Message, Waker>, header: FrameHeader, frame: Bytes) {
        match header.kind {
            Kind::Reply => self.take_reply(requests, header, Message::new(frame)),
            Kind::Pong | Kind::Declared | Kind::Fetched => {
                let taken = requests.handle_reply(header.id, Message::new(frame), false);
                self.wakers.extend(taken.and_then(|taken| taken.wake));
            }
            _ => {
                let why = if header.aux == 0 { Ended::Complete } else { Ended::Code(header.aux) };
                self.wakers.extend(requests.handle_end(header.id, why));
            }
        }
    }

    fn take_reply(&mut self, requests: &mut Requests<Message, Waker>, header: FrameHeader, message: Message) {
        let more = header.flags.contains(Flags::MORE);
        if let Some(taken) = requests.handle_reply(header.id, message, more) {
            self.wakers.extend(taken.wake);
            if taken.cancel {
                self.shared.outbox.push_control(&Parts::bare(Kind::Cancel, header.id));
            }
        }
    }

    fn feed(&self, id: u32) -> Option<Arc<Feed>> {
        self.shared.feeds.lock().by_id.get(&id).cloned()
    }

    /// What is for nobody was on its way when its subscription ended; calls among it are given back.
    fn handle_feed(&mut self, id: u32, item: Item) {
        let Some(feed) = self.feed(id) else { return self.give_back(item) };
        let overflow = feed.push(item, &self.shared.outbox);
        if overflow.dropped > 0 {
            self.tell_slow(&feed, overflow.dropped);
        }
        if overflow.closed {
            self.shared.feeds.lock().by_id.remove(&id);
            self.shared.outbox.push_control(&Parts::bare(Kind::Unsubscribe, id.into()));
        }
    }

    fn give_back(&self, item: Item) {
        let gone = OWN_CODE | u32::from(Code::ResponderGone.number());
        let mut local = Local::default();
        local.items().push_back(item);
        while let Some(message) = local.next() {
            if message.kind_byte() == Kind::Call as u8 {
                let reply =
                    Parts { flags: Flags::FAILED, ..Parts::bare(Kind::Reply, message.id()).aux(gone) };
                self.shared.outbox.push_control(&reply.body(b"the service has ended"));
            }
        }
    }

    fn tell_slow(&self, feed: &Feed, dropped: u32) {
        self.shared.hub.tell(&ConnectionEvent::SlowConsumer {
            subscription: feed.id,
            pattern: feed.pattern.to_string(),
            dropped: dropped.into(),
        });
    }

    fn handle_chunk(
        &mut self,
        header: FrameHeader,
        frame: &Bytes,
        chunks: &mut Chunks,
    ) -> Result<(), LinkEnd> {
        let more = header.flags.contains(Flags::MORE);
        let whole = chunks
            .handle_part(header.id, view(frame)?.body(), more)
            .map_err(|e| protocol(e.code(), e.to_string()))?;
        let Some((opening, body)) = whole else { return Ok(()) };
        let Ok(Some(header)) = FrameHeader::decode(&opening) else { return Ok(()) };
        let message = Message::chunked(opening, body);
        match header.kind {
            Kind::Deliver => self.handle_feed(header.id as u32, Item::Message(message)),
            Kind::Call => self.handle_feed((header.id >> 32) as u32, Item::Message(message)),
            Kind::Reply => {
                let shared = Arc::clone(&self.shared);
                let mut requests = shared.requests.lock();
                self.take_reply(&mut requests, header, message);
                self.release(Some(requests));
            }
            Kind::Fetched => {
                let taken = self.shared.requests.lock().handle_reply(header.id, message, false);
                taken.and_then(|taken| taken.wake).into_iter().for_each(Waker::wake);
            }
            kind => return Err(unexpected(kind)),
        }
        Ok(())
    }

    /// Batches of a producer are kept; one that is gone does not mind.
    #[cfg(feature = "registers")]
    fn handle_kept(&mut self, number: u32, frames: &Bytes) {
        let line = self.shared.lines.lock().get(number);
        if let Some(line) = line {
            line.handle_kept(frames, &mut self.kept);
            self.shared.patience.handle_served(What::Line(number));
            crate::durable::line::tell_kept(&mut self.kept);
        }
    }

    fn handle_other(
        &mut self,
        header: FrameHeader,
        frame: Bytes,
        chunks: &mut Chunks,
    ) -> Result<(), LinkEnd> {
        match header.kind {
            Kind::Chunk => return self.handle_chunk(header, &frame, chunks),
            Kind::Ok if header.aux == Kind::Subscribe as u32 => {
                if let Some(feed) = self.feed(header.id as u32) {
                    feed.confirm();
                }
                self.handle_restored(header.id as u32);
            }
            // Nothing comes for it any more.
            Kind::Ok if header.aux == Kind::Unsubscribe as u32 => {
                let feed = self.shared.feeds.lock().by_id.remove(&(header.id as u32));
                feed.into_iter().for_each(|feed| feed.end(End::OnPurpose));
            }
            Kind::Ok => {}
            Kind::Error => return self.handle_error(header, &frame),
            Kind::Ping => self.shared.outbox.push_control(&Parts::bare(Kind::Pong, header.id)),
            Kind::Draining => {
                self.draining = true;
                self.shared.hub.tell(&ConnectionEvent::Draining);
            }
            Kind::Dropped => {
                if let Some(feed) = self.feed(header.id as u32) {
                    feed.count_dropped(header.aux);
                    self.tell_slow(&feed, header.aux);
                }
            }
            Kind::Goodbye => {
                return Err(LinkEnd::Goodbye(Code::from_number(header.aux).map(Error::of)));
            }
            kind => return Err(unexpected(kind)),
        }
        Ok(())
    }

    fn handle_error(&mut self, header: FrameHeader, frame: &Bytes) -> Result<(), LinkEnd> {
        let told: Option<ErrorV1> = body::decode(view(frame)?.body()).ok();
        let about = told.as_ref().and_then(|told| Kind::from_byte(told.about));
        #[cfg(feature = "registers")]
        let retry_after = Duration::from_millis(told.as_ref().map_or(0, |told| told.retry_after_ms).into());
        let cause = told.map(|told| told.cause).filter(|cause| !cause.is_empty());
        let error = node_error(header.aux, cause.as_deref());
        if header.flags.contains(Flags::FATAL) {
            return Err(LinkEnd::Told(error));
        }
        match about {
            // Sent before the client learned that the subscription had ended.
            Some(Kind::Unsubscribe | Kind::Credit) if error.code() == Code::SubscriptionUnknown => {}
            Some(Kind::Subscribe | Kind::Deliver | Kind::Dropped) => {
                self.end_feed(header.id as u32, error);
                self.handle_restored(header.id as u32);
            }
            #[cfg(feature = "registers")]
            Some(Kind::Put) => {
                let number = (header.id >> 32) as u32;
                let line = self.shared.lines.lock().get(number);
                let now = std::time::Instant::now();
                self.shared.patience.handle_refused(What::Line(number), error.code(), now);
                if let Some(line) = line {
                    line.handle_refused(header.id, error, retry_after);
                }
            }
            Some(Kind::Request | Kind::Declare | Kind::Fetch) => {
                let why = Ended::Refused(header.aux, cause.unwrap_or_default());
                let waker = self.shared.requests.lock().handle_end(header.id, why);
                waker.into_iter().for_each(Waker::wake);
            }
            _ => self.shared.tell_error(error),
        }
        Ok(())
    }

    fn end_feed(&self, id: u32, error: Error) {
        let feed = self.shared.feeds.lock().by_id.remove(&id);
        if let Some(feed) = feed {
            feed.end(End::Failed(error));
        }
    }
}

fn handle_opening(frame: Bytes, chunks: &mut Chunks) -> Result<(), LinkEnd> {
    let view = view(&frame)?;
    let ext = Ext::parse(view.ext()).map_err(|e| protocol(e.code(), e.to_string()))?;
    let Some((series, total)) = ext.chunk() else { return Ok(()) };
    chunks
        .handle_opening(series, total, frame.clone(), view.body())
        .map_err(|e| protocol(e.code(), e.to_string()))
}

fn is_for_requests(kind: Kind) -> bool {
    matches!(kind, Kind::Reply | Kind::End | Kind::Pong | Kind::Declared | Kind::Fetched)
}

fn view(frame: &Bytes) -> Result<Frame<'_>, LinkEnd> {
    match Frame::decode(frame) {
        Ok(Some(view)) => Ok(view),
        _ => Err(protocol(Code::FrameMalformed, "a frame changed its length".to_owned())),
    }
}

pub(crate) fn protocol(code: Code, cause: String) -> LinkEnd {
    LinkEnd::Protocol(Error::new(code, "the node broke the protocol").with_cause(cause))
}

fn unexpected(kind: Kind) -> LinkEnd {
    protocol(Code::UnexpectedKind, format!("a frame of kind {kind:?} is not for clients"))
}

/// An error that the node told by number; it may be newer than this client.
pub(crate) fn node_error(number: u32, cause: Option<&str>) -> Error {
    let error = match Code::from_number(number) {
        Some(code) => Error::of(code),
        None => {
            Error::new(Code::InternalError, format!("the node answered with the unknown code MESH-{number}"))
                .with_hint("update the client: the node is newer")
        }
    };
    match cause {
        Some(cause) => error.with_cause(cause),
        None => error,
    }
}
