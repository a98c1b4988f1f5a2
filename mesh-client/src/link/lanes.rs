//! The lanes that the node opened, and what comes in by them.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use mesh_transport::link::{Inbound, Lane, LaneReader};
use mesh_wire::chunk::Reassembler;
use mesh_wire::class::Class;
use mesh_wire::limits;
use tokio::io::AsyncReadExt;

use super::dispatch::{Dispatch, LinkEnd, protocol};
use super::inbox::{Garbage, Inbox, Run};

/// What is known of messages in chunks of one lane.
pub(crate) type Chunks = Reassembler<Bytes>;

type Accepted = (Inbound, io::Result<Lane>);

/// All lanes of a link, those that go first at the front.
pub(crate) struct Lanes {
    open: Vec<LaneIn>,
    /// The next lane; `None` where one lane carries everything, and after the last.
    accepting: Option<Pin<Box<dyn Future<Output = Accepted> + Send>>>,
    runs: Vec<Run>,
}

/// What a look at the lanes found.
#[derive(Debug)]
pub(crate) enum Looked {
    /// There is nothing more to read now.
    Dry,
    /// There is more, but others have their turn first.
    More,
}

impl Lanes {
    /// With the lane that the handshake came by, and what came behind it. `shared` when it carries everything.
    pub(crate) fn new(inbound: Inbound, first: Lane, rest: BytesMut, shared: bool) -> Self {
        let accepting = (!shared).then(|| accept(inbound));
        Self { open: vec![LaneIn::new(first, rest)], accepting, runs: Vec::new() }
    }

    /// Reads what is there, once around the lanes.
    ///
    /// # Errors
    /// Why the link is over; what was read before was handed out. It may be asked again for what other lanes hold.
    pub(crate) fn look(&mut self, cx: &mut Context<'_>, dispatch: &mut Dispatch) -> Result<Looked, LinkEnd> {
        let lost = self.accept(cx).err();
        let mut looked = Looked::Dry;
        let mut at = 0;
        while let Some(lane) = self.open.get_mut(at) {
            match lane.read(cx, &mut self.runs, dispatch) {
                Ok(Read::Dry) => {}
                Ok(Read::More) => looked = Looked::More,
                // The first lane stays to the end: without it nobody could say how the link ends.
                Ok(Read::Finished) if lane.class != Class::Control => {
                    self.open.remove(at);
                    continue;
                }
                Ok(Read::Finished) => {
                    self.open.remove(at);
                    return Err(LinkEnd::Lost("the connection was closed".to_owned()));
                }
                Err(end) => {
                    self.open.remove(at);
                    return Err(end);
                }
            }
            at += 1;
        }
        lost.map_or(Ok(looked), Err)
    }

    fn accept(&mut self, cx: &mut Context<'_>) -> Result<(), LinkEnd> {
        while let Some(accepting) = &mut self.accepting {
            let Poll::Ready((inbound, lane)) = accepting.as_mut().poll(cx) else { return Ok(()) };
            self.accepting = None;
            let lane = lane.map_err(|error| LinkEnd::of(&error))?;
            self.accepting = Some(accept(inbound));
            let place = self.open.partition_point(|open| open.class <= lane.class);
            self.open.insert(place, LaneIn::new(lane, BytesMut::new()));
        }
        Ok(())
    }

    /// Whether nothing can come any more.
    pub(crate) fn are_over(&self) -> bool {
        self.open.is_empty() && self.accepting.is_none()
    }
}

impl std::fmt::Debug for Lanes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lanes").field("open", &self.open).finish_non_exhaustive()
    }
}

fn accept(mut inbound: Inbound) -> Pin<Box<dyn Future<Output = Accepted> + Send>> {
    Box::pin(async move {
        let lane = inbound.accept().await;
        (inbound, lane)
    })
}

/// A lane that the node opened.
#[derive(Debug)]
struct LaneIn {
    class: Class,
    reader: LaneReader,
    inbox: Inbox,
    chunks: Chunks,
}

enum Read {
    Dry,
    More,
    Finished,
}

impl LaneIn {
    fn new(lane: Lane, rest: BytesMut) -> Self {
        Self {
            class: lane.class,
            reader: lane.reader,
            inbox: Inbox::new(rest),
            chunks: Reassembler::new(limits::BODY_BYTES_MAX as u64),
        }
    }

    /// Reads and hands out until there is nothing more, or a whole buffer came.
    fn read(
        &mut self,
        cx: &mut Context<'_>,
        runs: &mut Vec<Run>,
        dispatch: &mut Dispatch,
    ) -> Result<Read, LinkEnd> {
        // What came behind the handshake is there before the first read.
        self.cut(runs, dispatch)?;
        loop {
            let buffer = self.inbox.buffer();
            let room = buffer.capacity() - buffer.len();
            let read = match pin!(self.reader.read_buf(buffer)).poll(cx) {
                Poll::Ready(Ok(0)) if self.inbox.is_partial() => {
                    let reason = "the connection was closed in the middle of a frame";
                    return Err(LinkEnd::Lost(reason.to_owned()));
                }
                Poll::Ready(Ok(0)) => return Ok(Read::Finished),
                Poll::Ready(Ok(read)) => read,
                Poll::Ready(Err(error)) => return Err(LinkEnd::of(&error)),
                Poll::Pending => return Ok(Read::Dry),
            };
            self.inbox.handle_read(read);
            self.cut(runs, dispatch)?;
            if read == room {
                // Whoever got something takes it while it is in the cache; the rest waits a turn.
                return Ok(Read::More);
            }
        }
    }

    /// Hands out all whole frames.
    fn cut(&mut self, runs: &mut Vec<Run>, dispatch: &mut Dispatch) -> Result<(), LinkEnd> {
        if !self.inbox.is_partial() {
            return Ok(());
        }
        let (bytes, judged) = self.inbox.cut(runs);
        dispatch.handle(&bytes, runs, &mut self.chunks)?;
        match judged {
            Ok(()) => Ok(()),
            Err(Garbage::Frame(error)) => Err(protocol(error.code(), error.to_string())),
            Err(Garbage::Ext(error)) => Err(protocol(error.code(), error.to_string())),
        }
    }
}
