//! Subscribing and unsubscribing.

use std::time::Instant;

use std::time::Duration;

use actix::{AsyncContext, Context, Handler};
use mesh_core::{
    routing::{Mode, SubscriptionId},
    subscription::{Overflow, PendingLimit, Spec},
};
use mesh_wire::{
    body::{self, ModeV1, OverflowV1, SubscribeV1},
    code::Code,
    frame::{Frame, Kind, Parts},
    name::Name,
    subject::Pattern,
};

use super::{Subscriber, message::Effective, service::ServiceStats};
use crate::router::{Change, ChangeInterest};

/// By then every round that looked at an older table is over: a round is one read of one link.
const ROUNDS_OVER: Duration = Duration::from_millis(10);

/// A change that the router is to make.
pub(super) enum Interest {
    Add(Change),
    Remove(Change),
    /// As `Remove`, but the client did not ask for it and waits for no answer.
    Close(Change),
}

impl Subscriber {
    /// Takes up a subscription, or tells the client what is wrong with it.
    pub(super) fn subscribe(&mut self, frame: &Frame<'_>) -> Option<Interest> {
        match self.try_subscribe(frame) {
            Ok(change) => Some(Interest::Add(change)),
            Err((code, cause)) => {
                self.refuse(Kind::Subscribe, frame.id(), code, cause);
                None
            }
        }
    }

    fn try_subscribe(&mut self, frame: &Frame<'_>) -> Result<Change, (Code, String)> {
        let id = u32::try_from(frame.id()).map(SubscriptionId).map_err(|_| {
            (Code::FieldOutOfRange, format!("subscription id {} is over 32 bits", frame.id()))
        })?;
        let pattern = Pattern::check_unreserved(frame.subject())
            .and_then(Pattern::new)
            .map_err(|e| (e.code(), e.to_string()))?;
        let body: SubscribeV1 = body::decode(frame.body()).map_err(|e| (e.code(), e.to_string()))?;
        let name = |text: &str| Name::new(text).map_err(|e| (e.code(), e.to_string()));
        let group = body.group.as_deref().map(name).transpose()?;
        if let Some(service) = &body.service {
            name(&service.name)?;
        }
        let mode = match body.mode {
            ModeV1::Events => Mode::Events,
            ModeV1::Responder if self.thread.shared.is_draining() => {
                return Err((Code::NodeDraining, "the node takes no new responders".into()));
            }
            ModeV1::Responder => Mode::Responder,
        };
        let limits = &self.thread.shared.config.limits;
        let or = |value: u32, default: u32| if value == 0 { default } else { value };
        let spec = Spec {
            id,
            pattern,
            group,
            mode,
            credit: body.credit,
            pending: PendingLimit {
                messages: or(body.pending_messages, limits.pending_messages as u32),
                bytes: or(body.pending_bytes, limits.pending_bytes as u32),
            },
            overflow: match body.overflow {
                OverflowV1::DropOldest => Overflow::DropOldest,
                OverflowV1::DropNewest => Overflow::DropNewest,
                OverflowV1::Close => Overflow::Close,
            },
        };
        let change = Change::from(&spec);
        self.subscriptions.subscribe(spec).map_err(|code| (code, code.cause().to_owned()))?;
        if mode == Mode::Responder {
            let target = self.target(id);
            self.thread.switch.borrow_mut().balancer().on_joined(Instant::now(), target);
            self.services.insert(id, Box::new(ServiceStats::new(body.service)));
        }
        Ok(change)
    }

    /// Drops a subscription; its `OK` comes when no message can be sent to it any more.
    ///
    /// A responder goes on until then: requests that chose it by the old table are still its own, and refusing them
    /// would lose them to a service that leaves in good order.
    pub(super) fn unsubscribe(&mut self, frame: &Frame<'_>) -> Option<Interest> {
        let id = u32::try_from(frame.id()).ok().map(SubscriptionId);
        let leaves = |id| !self.leaving.contains(&id) && self.services.contains_key(&id);
        if let Some(id) = id.filter(|&id| leaves(id))
            && let Some(spec) = self.subscriptions.get(id)
        {
            self.leaving.insert(id);
            return Some(Interest::Remove(Change::from(spec)));
        }
        match id.filter(|id| !self.leaving.contains(id)).and_then(|id| self.subscriptions.unsubscribe(id)) {
            Some(spec) => Some(Interest::Remove(Change::from(spec))),
            None => {
                self.refuse(Kind::Unsubscribe, frame.id(), Code::SubscriptionUnknown, "no such subscription");
                None
            }
        }
    }

    /// The table has followed: the responder is gone for good.
    fn leave(&mut self, id: SubscriptionId) {
        self.leaving.remove(&id);
        self.subscriptions.unsubscribe(id);
        if self.services.remove(&id).is_some() {
            let target = self.target(id);
            self.thread.switch.borrow_mut().balancer().forget_member(target);
        }
    }

    /// Says that a subscription is there or gone, where that can't overtake its messages.
    fn acknowledge(&self, id: SubscriptionId, mode: Mode, kind: Kind) {
        let ok = Parts::bare(Kind::Ok, u64::from(id.0)).aux(kind as u32);
        self.write_in(Self::class_of(mode), &ok);
    }

    /// Hands changes to the router, in their order; it answers by [`Effective`].
    pub(super) fn change_interest(&mut self, changes: Vec<Interest>) {
        let mut added = Vec::new();
        let mut removed = Vec::new();
        let mut unsubscribed = Vec::new();
        for change in changes {
            match change {
                Interest::Add(change) => added.push(change),
                Interest::Remove(change) => {
                    unsubscribed.push(change.subscription);
                    removed.push(change);
                }
                Interest::Close(change) => removed.push(change),
            }
        }
        // The router's mailbox is not bounded, its work is: a link has at most so many subscriptions, and a client
        // that changes them faster than the router follows waits for its acknowledgements.
        self.thread.shared.router.do_send(ChangeInterest {
            link: self.link.id,
            added,
            removed,
            unsubscribed,
        });
    }
}

impl Handler<Effective> for Subscriber {
    type Result = ();

    fn handle(&mut self, effective: Effective, ctx: &mut Context<Self>) {
        for id in effective.subscribed {
            let mode = self.subscriptions.get(id).map_or(Mode::Events, |spec| spec.mode);
            self.acknowledge(id, mode, Kind::Subscribe);
        }
        for id in effective.unsubscribed {
            if !self.leaving.contains(&id) {
                self.acknowledge(id, Mode::Events, Kind::Unsubscribe);
                continue;
            }
            // Rounds that began with the old table may still be under way, on this thread or another.
            ctx.run_later(ROUNDS_OVER, move |subscriber, ctx| {
                subscriber.leave(id);
                subscriber.acknowledge(id, Mode::Responder, Kind::Unsubscribe);
                subscriber.settle(ctx);
            });
        }
        self.settle(ctx);
    }
}
