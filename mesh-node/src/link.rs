//! One client link: its handshake, its loops, and what they share with its subscriber actor.
//!
//! ```text
//!   lane ─► reader ─┬─ publishes ─► switch ─► batches ─► other links' actors
//!                   └─ the rest ──► this link's Subscriber actor ─► outbox of a class ─► writer ─► lane
//! ```
//! A Unix socket or TLS is one lane for everything; QUIC has a lane for each class, so a reader and an outbox for each.
//! Everything of a link lives on one data thread.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::SystemTime,
};

use actix::Actor;
use mesh_core::{
    outbox::Lanes,
    request::Ended,
    routing::{LinkId, SubscriptionId},
};
use mesh_transport::link::{self as transport, Handle};
use mesh_wire::{
    class::Class,
    code::Code,
    frame::{Flags, FrameError, Kind, Parts},
};
use tokio::sync::Notify;

use crate::{
    durable,
    metrics::Counter,
    router::Register,
    snapshot::{Gauge, LinkHandle},
    subscriber::{Subscriber, message::LinkClosed},
    supervisor::{LinkDown, LinkUp},
    thread::Thread,
};

mod handshake;
mod identity;
mod lanes;
mod reader;
mod recheck;
mod writer;

pub(crate) use handshake::turn_away;
pub(crate) use identity::Identity;
pub(crate) use recheck::{Lapsing, RECHECK_TIME};

/// What a large message in the outbox belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LargeKey {
    Subscription(SubscriptionId),
    Call,
    Reply,
}

/// How a link ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    /// What is queued is written first.
    AfterFlush,
    /// At once.
    Now,
}

/// What the loops and the actor of a link share; all on one thread.
pub(crate) struct Link {
    pub(crate) id: LinkId,
    pub(crate) name: String,
    pub(crate) library: String,
    pub(crate) identity: Identity,
    pub(crate) since: SystemTime,
    pub(crate) gauge: Arc<Gauge>,
    pub(crate) outbox: RefCell<Lanes<LargeKey>>,
    pub(crate) handle: Handle,
    /// Gathers that are over with the reply that is just being queued.
    pub(crate) ends: RefCell<Vec<Ended>>,
    /// Wakes the writer.
    pub(crate) wake: Notify,
    /// Bytes written that the subscription core has not been told of.
    pub(crate) written: Cell<usize>,
    pub(crate) traffic: Traffic,
    pending_bytes: Cell<usize>,
    wants_room: Cell<bool>,
    low_bytes: usize,
    closing: Cell<Option<Closing>>,
    /// What the other side is told where the carrier can; nothing when the link ends in good order.
    reason: RefCell<Option<(Code, String)>>,
    /// The client has said goodbye, and its other lanes are still to be read.
    goodbye: Notify,
    closed: Notify,
}

/// Counts of one link, for listings.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) in_messages: Cell<u64>,
    pub(crate) in_bytes: Cell<u64>,
    pub(crate) out_bytes: Cell<u64>,
}

impl Traffic {
    /// Counts messages from the client.
    pub(crate) fn count_in(&self, messages: u64) {
        self.in_messages.set(self.in_messages.get() + messages);
    }
}

impl Link {
    /// The actor says what it still holds, and whether it waits for room.
    pub(crate) fn held(&self, pending_bytes: usize, wants_room: bool) {
        self.pending_bytes.set(pending_bytes);
        self.wants_room.set(wants_room);
        self.tell_gauge();
    }

    /// Bytes that wait for this link.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.outbox.borrow().queued_bytes() + self.pending_bytes.get()
    }

    fn tell_gauge(&self) {
        self.gauge.hold(self.queued_bytes(), self.low_bytes);
    }

    /// Closes the link once everything queued is written.
    pub(crate) fn finish(&self) {
        if self.closing.get().is_none() {
            self.closing.set(Some(Closing::AfterFlush));
            self.wake.notify_one();
        }
    }

    /// Closes the link at once.
    pub(crate) fn abort(&self) {
        self.closing.set(Some(Closing::Now));
        self.wake.notify_one();
        self.closed.notify_one();
    }

    /// Why the link ends, for the other side; the first reason holds.
    pub(crate) fn blame(&self, code: Code, cause: &str) {
        self.reason.borrow_mut().get_or_insert_with(|| (code, cause.to_owned()));
    }

    /// Whether this side ends the link for a reason.
    fn is_blamed(&self) -> bool {
        self.reason.borrow().is_some()
    }

    /// The client said goodbye. True when the link can end at once: on one lane nothing comes behind a goodbye.
    pub(crate) fn goodbye(&self) -> bool {
        let is_shared = self.outbox.borrow().is_shared();
        if !is_shared {
            self.goodbye.notify_one();
        }
        is_shared
    }

    /// Queues one small frame in the lane of `class`.
    pub(crate) fn push(&self, class: Class, parts: &Parts<'_>) -> Result<(), FrameError> {
        let pushed = self.outbox.borrow_mut().of(class).push_frame(parts);
        self.wake.notify_one();
        pushed
    }

    /// Writes one small reply of the node itself.
    pub(crate) fn write_reply(&self, id: u64, flags: Flags, aux: u32, body: &[u8]) {
        let parts = Parts { flags, aux, ..Parts::bare(Kind::Reply, id).body(body) };
        if self.push(Class::Request, &parts).is_ok() {
            return;
        }
        // Only a body over the frame limit gets here: it goes out in chunks.
        let large = mesh_core::large::Large {
            kind: Kind::Reply,
            flags,
            aux,
            id,
            ext: bytes::Bytes::new(),
            subject: bytes::Bytes::new(),
            headers: bytes::Bytes::new(),
            body: bytes::Bytes::copy_from_slice(body),
        };
        self.outbox.borrow_mut().of(Class::of_large(Kind::Reply)).push_large(LargeKey::Reply, large);
        self.wake.notify_one();
    }
}

/// A link's whole life, as one task of its data thread.
pub(crate) async fn run(carrier: transport::Link, thread: Rc<Thread>) {
    let transport::Link { mut inbound, outbound, handle } = carrier;
    let shared = &thread.shared;
    let greeted = handshake::greet(&mut inbound, &thread).await.and_then(|(greeting, first)| {
        let identity = Identity::of(&handle, greeting.hello.token.as_deref(), shared)?;
        Ok((greeting, first, identity))
    });
    let (greeting, first, identity) = match greeted {
        Ok(greeted) => greeted,
        Err(fault) => return handshake::refuse(outbound, &handle, fault, &thread).await,
    };
    let link = Rc::new(Link {
        id: shared.next_link(),
        name: greeting.hello.name,
        library: greeting.hello.library,
        identity,
        since: SystemTime::now(),
        gauge: Arc::default(),
        outbox: RefCell::new(if outbound.lanes() == 1 { Lanes::shared() } else { Lanes::separate() }),
        handle,
        ends: RefCell::default(),
        wake: Notify::new(),
        written: Cell::new(0),
        traffic: Traffic::default(),
        pending_bytes: Cell::new(0),
        wants_room: Cell::new(false),
        low_bytes: shared.config.pacing.high_water / 2,
        closing: Cell::new(None),
        reason: RefCell::new(None),
        goodbye: Notify::new(),
        closed: Notify::new(),
    });
    let subscriber = Subscriber::new(Rc::clone(&link), Rc::clone(&thread)).start();
    let handle = LinkHandle {
        id: link.id,
        carrier: link.handle.carrier(),
        subscriber: subscriber.clone(),
        gauge: Arc::clone(&link.gauge),
    };
    shared.supervisor().do_send(LinkUp(handle.clone()));
    // Until the router knows the link, a reply to it would find nobody.
    if shared.router.send(Register(handle)).await.is_err() {
        return;
    }
    thread.count(Counter::LinksOpened, 1);
    let (identity, carrier) = (&link.identity.text, link.handle.carrier().as_str());
    tracing::debug!(link = link.id.0, name = %link.name, identity, carrier, "link opened");
    handshake::welcome(&link, greeting.version, greeting.features, &thread);
    let writer =
        actix_rt::spawn(writer::run(outbound, Rc::clone(&link), Rc::clone(&thread), subscriber.clone()));
    thread.lapsing.add(&link, &subscriber);
    tokio::select! {
        () = lanes::read(inbound, first, greeting.rest, &link, &thread, &subscriber) => {}
        () = link.closed.notified() => {}
    }
    thread.lapsing.remove(link.id);
    durable::forget(link.id, &thread);
    subscriber.do_send(LinkClosed);
    if writer.await.is_err() {
        thread.count(Counter::InternalErrors, 1);
    }
    thread.count(Counter::LinksClosed, 1);
    shared.supervisor().do_send(LinkDown(link.id));
}
