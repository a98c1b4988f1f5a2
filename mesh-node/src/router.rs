//! The one writer of the routing table.
//!
//! Changes are gathered for at most a millisecond and published as an immutable snapshot; who made them is told when
//! they are effective everywhere in the node.

use std::{collections::HashMap, sync::Arc, time::Instant};

use actix::{Actor, AsyncContext, Context, Handler, Message, ResponseFuture};
use foldhash::fast::RandomState;
use mesh_core::{
    routing::{LinkId, Mode, SubscriptionId, TableWriter, Target},
    subscription::Spec,
};
use mesh_wire::{name::Name, subject::Pattern};
use tokio::sync::oneshot;

use crate::{
    metrics::{Counter, Counters},
    shared::Shared,
    snapshot::{LinkHandle, Links, Snapshot},
    subscriber::message::Effective,
};

/// See the module.
pub(crate) struct Router {
    shared: Option<(Arc<Shared>, Arc<Counters>)>,
    writer: TableWriter,
    links: Links,
    links_changed: bool,
    scheduled: bool,
    /// Who waits for the next snapshot.
    effective: HashMap<LinkId, Effective, RandomState>,
    registered: Vec<oneshot::Sender<()>>,
}

impl Router {
    /// An empty table under the process's secret.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            shared: None,
            writer: TableWriter::new(seed),
            links: Links::default(),
            links_changed: false,
            scheduled: false,
            effective: HashMap::default(),
            registered: Vec::new(),
        }
    }

    fn add(&mut self, now: Instant, link: LinkId, change: &Change) {
        let target = Target::new(link, change.subscription);
        self.writer.insert(now, &change.pattern, target, change.mode, change.group.as_ref());
    }

    fn remove(&mut self, now: Instant, link: LinkId, change: &Change) {
        let target = Target::new(link, change.subscription);
        self.writer.remove(now, &change.pattern, target, change.mode, change.group.as_ref());
    }

    /// Publishes now if that is due, else once it is.
    fn publish(&mut self, ctx: &mut Context<Self>) {
        let now = Instant::now();
        let due = match self.writer.poll_timeout() {
            Some(due) => due,
            None if self.links_changed => now,
            // What was asked changes nothing, so it is effective already.
            None => return self.tell(),
        };
        if due <= now {
            return self.publish_now(now);
        }
        if !self.scheduled {
            self.scheduled = true;
            ctx.run_later(due - now, |router, ctx| {
                router.scheduled = false;
                router.publish(ctx);
            });
        }
    }

    fn publish_now(&mut self, now: Instant) {
        let Some((shared, counters)) = &self.shared else { return };
        let table = match self.writer.take_snapshot(now) {
            Some(table) => table,
            // Only links changed: the table as it was published last.
            None => shared.snapshot.load().table.clone(),
        };
        shared.snapshot.store(Arc::new(Snapshot { table, links: self.links.clone() }));
        counters.add(Counter::Snapshots, 1);
        self.links_changed = false;
        self.tell();
    }

    fn tell(&mut self) {
        for (link, effective) in self.effective.drain() {
            if let Some(link) = self.links.get(&link) {
                link.subscriber.do_send(effective);
            }
        }
        for registered in self.registered.drain(..) {
            // A link that went away meanwhile does not wait.
            registered.send(()).ok();
        }
    }
}

impl Actor for Router {
    type Context = Context<Self>;
}

/// What all threads share, told once it exists.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Begin(pub(crate) Arc<Shared>, pub(crate) Arc<Counters>);

impl Handler<Begin> for Router {
    type Result = ();

    fn handle(&mut self, Begin(shared, counters): Begin, _: &mut Self::Context) {
        self.shared = Some((shared, counters));
    }
}

/// One subscription, as the table knows it.
pub(crate) struct Change {
    pub(crate) subscription: SubscriptionId,
    pattern: Pattern,
    mode: Mode,
    group: Option<Name>,
}

impl From<&Spec> for Change {
    fn from(spec: &Spec) -> Self {
        Self::from(spec.clone())
    }
}

impl From<Spec> for Change {
    fn from(spec: Spec) -> Self {
        Self { subscription: spec.id, pattern: spec.pattern, mode: spec.mode, group: spec.group }
    }
}

/// A link's subscriptions changed.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct ChangeInterest {
    pub(crate) link: LinkId,
    pub(crate) removed: Vec<Change>,
    pub(crate) added: Vec<Change>,
    /// Those of `removed` that the client asked for.
    pub(crate) unsubscribed: Vec<SubscriptionId>,
}

impl Handler<ChangeInterest> for Router {
    type Result = ();

    fn handle(&mut self, change: ChangeInterest, ctx: &mut Self::Context) {
        let now = Instant::now();
        change.removed.iter().for_each(|c| self.remove(now, change.link, c));
        change.added.iter().for_each(|c| self.add(now, change.link, c));
        let effective = self.effective.entry(change.link).or_default();
        effective.subscribed.extend(change.added.iter().map(|c| c.subscription));
        effective.unsubscribed.extend(change.unsubscribed);
        self.publish(ctx);
    }
}

/// A link is there. Answered when every thread can reach it.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Register(pub(crate) LinkHandle);

impl Handler<Register> for Router {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Register(handle): Register, ctx: &mut Self::Context) -> Self::Result {
        self.links.insert(handle.id, handle);
        self.links_changed = true;
        let (sender, receiver) = oneshot::channel();
        self.registered.push(sender);
        self.publish(ctx);
        Box::pin(async move {
            receiver.await.ok();
        })
    }
}

/// A link is gone, with all its subscriptions.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct LinkGone {
    pub(crate) link: LinkId,
    pub(crate) removed: Vec<Change>,
}

impl Handler<LinkGone> for Router {
    type Result = ();

    fn handle(&mut self, LinkGone { link, removed }: LinkGone, ctx: &mut Self::Context) {
        let now = Instant::now();
        removed.iter().for_each(|change| self.remove(now, link, change));
        self.links.remove(&link);
        self.effective.remove(&link);
        self.links_changed = true;
        self.publish(ctx);
    }
}
