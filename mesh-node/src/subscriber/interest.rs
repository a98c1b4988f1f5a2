//! Subscribing and unsubscribing.

use std::time::Instant;

use actix::{Context, Handler};
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
    pub(super) fn unsubscribe(&mut self, frame: &Frame<'_>) -> Option<Interest> {
        let gone =
            u32::try_from(frame.id()).ok().and_then(|id| self.subscriptions.unsubscribe(SubscriptionId(id)));
        match gone {
            Some(spec) => {
                if self.services.remove(&spec.id).is_some() {
                    let target = self.target(spec.id);
                    self.thread.switch.borrow_mut().balancer().forget_member(target);
                }
                Some(Interest::Remove(Change::from(spec)))
            }
            None => {
                self.refuse(Kind::Unsubscribe, frame.id(), Code::SubscriptionUnknown, "no such subscription");
                None
            }
        }
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
        let acknowledge = |ids: Vec<SubscriptionId>, kind: Kind| {
            ids.into_iter()
                .for_each(|id| self.write(&Parts::bare(Kind::Ok, u64::from(id.0)).aux(kind as u32)));
        };
        acknowledge(effective.subscribed, Kind::Subscribe);
        acknowledge(effective.unsubscribed, Kind::Unsubscribe);
        self.settle(ctx);
    }
}
