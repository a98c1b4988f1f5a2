//! Where answers go: gathered by link, and written once for each link and turn.

use std::{collections::HashMap, rc::Rc};

use actix::Addr;
use bytes::BytesMut;
use foldhash::fast::RandomState;
use mesh_core::{large::Large, routing::LinkId};
use mesh_wire::{
    chunk,
    class::Class,
    code::Code,
    frame::{Kind, Parts},
};

use crate::{
    link::{LargeKey, Link},
    subscriber::{Subscriber, message::Answers},
};

/// How a link is reached.
pub(crate) enum Outlet {
    /// It lives on this thread.
    Here(Rc<Link>),
    /// It lives on another one.
    There(Addr<Subscriber>),
}

/// The links that have asked for something.
pub(super) struct Outlets {
    links: HashMap<LinkId, Waiting, RandomState>,
    /// Those with something to be written.
    ready: Vec<LinkId>,
    /// Bytes that wait for a link beyond which it is cut off: it asks, and does not read the answers.
    hard_bytes: usize,
}

struct Waiting {
    outlet: Outlet,
    frames: BytesMut,
    large: Vec<Large>,
    is_ready: bool,
}

impl Outlets {
    pub(super) fn new(hard_bytes: usize) -> Self {
        Self { links: HashMap::default(), ready: Vec::new(), hard_bytes }
    }

    /// A link asks; `outlet` is made when it is a new one.
    pub(super) fn know(&mut self, link: LinkId, outlet: impl FnOnce() -> Outlet) {
        self.links.entry(link).or_insert_with(|| Waiting {
            outlet: outlet(),
            frames: BytesMut::new(),
            large: Vec::new(),
            is_ready: false,
        });
    }

    /// A link is over: what was not written to it is lost.
    pub(super) fn forget(&mut self, link: LinkId) {
        self.links.remove(&link);
    }

    /// Adds an answer. Nothing happens when the link is gone, or the answer is over a limit of frames.
    pub(super) fn push(&mut self, link: LinkId, answer: &Parts<'_>) {
        let Some(waiting) = self.links.get_mut(&link) else { return };
        if chunk::needs_chunks(answer.body.len()) {
            if let Ok(large) = Large::new(answer, bytes::Bytes::copy_from_slice(answer.body)) {
                waiting.large.push(large);
            }
        } else if answer.encode(&mut waiting.frames).is_err() {
            tracing::error!(kind = ?answer.kind, "an answer of the durable plane is over a limit of frames");
        }
        if !std::mem::replace(&mut waiting.is_ready, true) {
            self.ready.push(link);
        }
    }

    /// Whether nothing was added.
    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// Writes what was added, in one go for each link.
    pub(super) fn flush(&mut self) {
        for link in self.ready.drain(..) {
            let Some(waiting) = self.links.get_mut(&link) else { continue };
            waiting.is_ready = false;
            let (frames, large) = (waiting.frames.split().freeze(), std::mem::take(&mut waiting.large));
            match &waiting.outlet {
                Outlet::Here(link) => {
                    write(link, frames, large);
                    if link.queued_bytes() > self.hard_bytes {
                        link.blame(Code::LinkStalled, Code::LinkStalled.cause());
                        link.abort();
                    }
                }
                Outlet::There(subscriber) => subscriber.do_send(Answers { frames, large }),
            }
        }
    }
}

/// Puts answers into the outbox of a link, on its own thread.
pub(crate) fn write(link: &Link, frames: bytes::Bytes, large: Vec<Large>) {
    let mut lanes = link.outbox.borrow_mut();
    if !frames.is_empty() {
        lanes.of(Kind::PutOk.class()).push_frames(frames);
    }
    for large in large {
        lanes.of(Class::of_large(large.kind)).push_large(LargeKey::Reply, large);
    }
    drop(lanes);
    link.wake.notify_one();
}
