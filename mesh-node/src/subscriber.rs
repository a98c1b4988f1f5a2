//! The actor of one client link: owns its subscriptions, the calls it holds and the requests it waits for.
//!
//! A thin shell: every decision is made by [`Subscriptions`], [`Calls`] and [`Requests`]; what they put out goes to the
//! link's outbox or to other links' actors. There is no task and no mailbox per subscription.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use actix::{Actor, ActorContext, Context, Handler, SpawnHandle};
use foldhash::fast::RandomState;
use mesh_core::{
    request::{Calls, Requests},
    routing::{Mode, SubscriptionId, Target},
    subscription::{Output, Subscriptions},
};
use mesh_wire::{
    body,
    class::Class,
    code::Code,
    frame::{Flags, Kind, Parts},
};

use crate::{
    link::{LargeKey, Link},
    metrics::Counter,
    router::{Change, LinkGone},
    snapshot::Gauge,
    subscriber::message::CallsEnded,
    thread::Thread,
};

mod answer;
mod call;
mod control;
mod deliver;
mod describe;
mod durable;
mod ingress;
mod interest;
pub(crate) mod message;
mod request;
mod service;

pub(crate) use describe::{Describe, DescribeResponders, DescribeSubscriptions};
use interest::Interest;
use service::ServiceStats;

/// Batches that may wait in the mailbox; beyond that a sender counts a drop.
const MAILBOX: usize = 4096;

/// See the module.
pub(crate) struct Subscriber {
    link: Rc<Link>,
    thread: Rc<Thread>,
    subscriptions: Subscriptions,
    calls: Calls,
    requests: Requests,
    services: HashMap<SubscriptionId, Box<ServiceStats>, RandomState>,
    /// Responders that the client gave up and the routing table may still name.
    leaving: HashSet<SubscriptionId, RandomState>,
    deadline: Option<(Instant, SpawnHandle)>,
    /// Calls and replies handed to the link.
    forwarded: u64,
    /// Requests under way that the node was told of.
    told_in_flight: usize,
    crowded: RefCell<Vec<Arc<Gauge>>>,
    /// Room for the extension area of a call.
    ext: Vec<u8>,
}

impl Subscriber {
    pub(crate) fn new(link: Rc<Link>, thread: Rc<Thread>) -> Self {
        let limits = &thread.shared.config.limits;
        Self {
            subscriptions: Subscriptions::new(limits.subscriptions_per_link, limits.link_outbox),
            calls: Calls::new(),
            requests: Requests::new(limits.requests_per_link),
            services: HashMap::default(),
            leaving: HashSet::default(),
            deadline: None,
            forwarded: 0,
            told_in_flight: 0,
            crowded: RefCell::default(),
            ext: Vec::new(),
            link,
            thread,
        }
    }

    fn target(&self, subscription: SubscriptionId) -> Target {
        Target::new(self.link.id, subscription)
    }

    /// Writes one small frame, in the lane of its kind.
    fn write(&self, parts: &Parts<'_>) {
        self.write_in(parts.kind.class(), parts);
    }

    /// Writes one small frame where it can't overtake what it is about.
    fn write_in(&self, class: Class, parts: &Parts<'_>) {
        if self.link.push(class, parts).is_err() {
            self.thread.count(Counter::InternalErrors, 1);
        }
    }

    /// The lane of what a subscription of this mode gets.
    fn class_of(mode: Mode) -> Class {
        match mode {
            Mode::Events => Kind::Deliver.class(),
            Mode::Responder => Kind::Call.class(),
        }
    }

    /// Tells the client that something it did is refused; the link goes on.
    fn refuse(&self, about: Kind, id: u64, code: Code, cause: impl Into<String>) {
        self.thread.refused(code);
        self.write_error(Class::Control, about as u8, id, code, cause.into(), Flags::NONE);
    }

    fn write_error(&self, class: Class, about: u8, id: u64, code: Code, cause: String, flags: Flags) {
        let error = body::ErrorV1 { about, cause, retry_after_ms: 0 };
        match body::encode(&error) {
            Ok(body) => self.write_in(
                class,
                &Parts { flags, aux: code.number().into(), ..Parts::bare(Kind::Error, id).body(&body) },
            ),
            Err(_) => self.thread.count(Counter::InternalErrors, 1),
        }
    }

    /// Does what the subscription core says.
    fn drain_subscriptions(&mut self) {
        while let Some(output) = self.subscriptions.poll_output() {
            match output {
                Output::Frames(frames) => {
                    self.link.outbox.borrow_mut().of(Kind::Deliver.class()).push_frames(frames);
                }
                Output::Large(id, large) => {
                    let class = Class::of_large(Kind::Deliver);
                    let key = LargeKey::Subscription(id);
                    self.link.outbox.borrow_mut().of(class).push_large(key, *large);
                }
                Output::Dropped(id, count) => {
                    self.thread.count(Counter::DroppedOverflow, u64::from(count));
                    let dropped = Parts::bare(Kind::Dropped, u64::from(id.0)).aux(count);
                    self.write_in(Kind::Deliver.class(), &dropped);
                }
                Output::Closed(spec) => {
                    let cause = format!("subscription to \"{}\" could not keep up", spec.pattern.as_str());
                    let code = Code::SubscriptionOverflow;
                    self.thread.refused(code);
                    let (class, id) = (Self::class_of(spec.mode), u64::from(spec.id.0));
                    self.write_error(class, Kind::Subscribe as u8, id, code, cause, Flags::NONE);
                    self.services.remove(&spec.id);
                    self.change_interest(vec![Interest::Close(Change::from(spec))]);
                }
            }
        }
        let orphans = self.subscriptions.take_orphans();
        self.thread.count(Counter::DroppedNoSubscription, orphans);
        self.link.held(self.subscriptions.pending_bytes(), self.subscriptions.wants_room());
        self.link.wake.notify_one();
    }

    /// After each message: give the core the room that was written, and close a link that takes nothing.
    fn settle(&mut self, ctx: &mut Context<Self>) {
        let written = self.link.written.take();
        if written > 0 {
            self.subscriptions.handle_written(written);
        }
        self.drain_subscriptions();
        self.tell_in_flight();
        if self.link.outbox.borrow().queued_bytes() > self.thread.shared.outbox_hard_bytes() {
            self.thread.refused(Code::LinkStalled);
            self.link.blame(Code::LinkStalled, Code::LinkStalled.cause());
            self.link.abort();
            ctx.stop();
        }
    }

    fn tell_in_flight(&mut self) {
        let now = self.requests.len();
        if now != self.told_in_flight {
            self.thread.shared.in_flight.changed(self.told_in_flight, now);
            self.told_in_flight = now;
        }
    }

    /// Sends the batches of a round, and ends the requests that could not be sent.
    fn flush(&mut self) {
        let load = self.calls.len() as u32;
        let mut crowded = self.crowded.borrow_mut();
        let unsent = self.thread.switch.borrow_mut().flush(self.link.id, load, &mut crowded);
        crowded.clear();
        drop(crowded);
        self.thread.count(Counter::DroppedMailboxFull, unsent.messages + unsent.replies);
        self.thread.count_lookups();
        for (id, target, code) in unsent.calls {
            self.end_gone(id, target, code);
        }
    }
}

impl Actor for Subscriber {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }

    /// A dead client's subscriptions vanish, those who asked it are told, those it asked need not answer.
    fn stopped(&mut self, _: &mut Self::Context) {
        self.link.finish();
        let removed: Vec<Change> = self.subscriptions.drain().map(Change::from).collect();
        self.thread.shared.router.do_send(LinkGone { link: self.link.id, removed });
        let id = self.link.id;
        let mut switch = self.thread.switch.borrow_mut();
        switch.begin();
        switch.balancer().forget(id);
        let now = Instant::now();
        for (request, targets) in self.requests.drain() {
            targets.iter().for_each(|&target| switch.balancer().on_cancelled(now, target));
            switch.cancel(mesh_core::request::Origin { link: id, request }, &targets);
        }
        self.thread.shared.in_flight.changed(self.told_in_flight, 0);
        let mut by_link: HashMap<_, Vec<_>, RandomState> = HashMap::default();
        for (origin, subscription) in self.calls.drain() {
            by_link.entry(origin.link).or_default().push((origin.request, Target::new(id, subscription)));
        }
        for (origin, ended) in by_link {
            if let Some(link) = switch.link(origin) {
                link.subscriber.do_send(CallsEnded { ended, code: Code::ResponderGone });
            }
        }
    }
}

impl Handler<message::LinkClosed> for Subscriber {
    type Result = ();

    fn handle(&mut self, _: message::LinkClosed, ctx: &mut Self::Context) {
        ctx.stop();
    }
}
