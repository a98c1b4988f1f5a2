//! Requests of this link's client: out to responders, and what comes back.

use std::time::{Duration, Instant};

use actix::{AsyncContext, Context, Handler};
use mesh_core::{
    large::Large,
    request::{Ended, Origin, Shape, Targets, Verdict},
    routing::{SubscriptionId, Target},
};
use mesh_wire::{
    class::Class,
    code::Code,
    ext::{Ext, Tag},
    frame::{Flags, Frame, Kind, Parts},
    header, limits,
    subject::{SubjectError, is_reserved},
};

use super::{
    Subscriber,
    message::{CallLarge, CallsEnded, Replies, ReplyLarge},
};
use crate::{link::LargeKey, metrics::Counter};

/// Where the parts of a forwarded frame's head begin to matter: flags at 5, id at 16.
const FLAGS_AT: usize = 5;

impl Subscriber {
    pub(super) fn request(&mut self, now: Instant, parts: &Parts<'_>, ctx: &mut Context<Self>) {
        let Some(plan) = self.plan_request(now, parts, ctx) else { return };
        let mut ext = std::mem::take(&mut self.ext);
        self.write_call_ext(parts.ext, &mut ext);
        let call = Parts {
            kind: Kind::Call,
            flags: parts.flags.without(Flags::GATHER.with(Flags::ROUTED)),
            ext: &ext,
            ..*parts
        };
        for &target in plan.targets() {
            if !self.thread.switch.borrow_mut().call(target, parts.id, plan.credit, &call) {
                self.end_gone(parts.id, target, Code::ResponderGone);
            }
        }
        self.ext = ext;
    }

    /// What the client put in, and who it is.
    fn write_call_ext(&self, ext: &[u8], out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(ext);
        out.extend_from_slice(&self.link.identity.entry);
    }

    pub(super) fn request_large(&mut self, now: Instant, large: Large, ctx: &mut Context<Self>) {
        let parts = Parts {
            kind: large.kind,
            flags: large.flags,
            aux: large.aux,
            id: large.id,
            ext: &large.ext,
            subject: &large.subject,
            headers: &large.headers,
            body: &large.body,
        };
        let Some(plan) = self.plan_request(now, &parts, ctx) else { return };
        let mut ext = Vec::new();
        self.write_call_ext(&large.ext, &mut ext);
        let large = Large { ext: ext.into(), ..large };
        let origin = Origin { link: self.link.id, request: large.id };
        for &target in plan.targets() {
            let large = Large {
                kind: Kind::Call,
                flags: large.flags.without(Flags::GATHER.with(Flags::ROUTED)),
                ..large.clone()
            };
            let call = CallLarge { origin, subscription: target.subscription, credit: plan.credit, large };
            let sent = self
                .thread
                .switch
                .borrow()
                .link(target.link)
                .is_some_and(|l| l.subscriber.try_send(call).is_ok());
            if !sent {
                self.end_gone(origin.request, target, Code::ResponderGone);
            }
        }
    }

    /// Decides who gets a request and opens it; every way in which it can't go is told to the client.
    fn plan_request(&mut self, now: Instant, parts: &Parts<'_>, ctx: &mut Context<Self>) -> Option<Plan> {
        self.thread.count(Counter::Requests, 1);
        self.link.traffic.count_in(1);
        match self.try_plan_request(now, parts, ctx) {
            Ok(plan) => plan,
            Err(code) => {
                self.thread.refused(code);
                self.end(parts.id, Some(code));
                None
            }
        }
    }

    fn try_plan_request(
        &mut self,
        now: Instant,
        parts: &Parts<'_>,
        ctx: &mut Context<Self>,
    ) -> Result<Option<Plan>, Code> {
        let ext = Ext::parse_from_client(parts.ext).map_err(|e| e.code())?;
        if parts.ext.len() + self.link.identity.entry.len() > limits::EXT_BYTES {
            return Err(Code::ExtMalformed);
        }
        header::validate(parts.headers).map_err(|e| e.code())?;
        self.requests.check(parts.id, parts.aux)?;
        if parts.subject.first() == Some(&b'$') && std::str::from_utf8(parts.subject).is_ok_and(is_reserved) {
            self.ask_node(parts, ctx);
            return Ok(None);
        }
        if self.thread.shared.is_draining() {
            return Err(Code::NodeDraining);
        }
        let credit = ext.get_u32(Tag::REPLY_CREDIT).unwrap_or(0);
        if credit > limits::CREDIT_MAX {
            return Err(Code::ReplyCreditOutOfRange);
        }
        let mut switch = self.thread.switch.borrow_mut();
        let routes = switch.responders(parts.subject).map_err(|e: SubjectError| e.code())?;
        let shape = if parts.flags.contains(Flags::GATHER) {
            let max = ext.get_u32(Tag::MAX_REPLIES).unwrap_or(u32::MAX);
            if max == 0 {
                return Err(Code::ReplyCreditOutOfRange);
            }
            let targets = switch.choose_all(now, &routes);
            if targets.is_empty() {
                return Err(Code::NoResponders);
            }
            Shape::Gather { targets, max }
        } else {
            Shape::Single(switch.choose_one(now, &routes).ok_or(Code::NoResponders)?)
        };
        let plan = Plan { shape: shape.clone(), credit };
        self.requests.open(now, parts.id, parts.aux, shape)?;
        for &target in plan.targets() {
            switch.balancer().on_sent(now, target);
        }
        Ok(Some(plan))
    }

    /// The client gave up.
    pub(super) fn cancel(&mut self, id: u64) {
        let targets = self.requests.cancel(id);
        let now = Instant::now();
        let mut switch = self.thread.switch.borrow_mut();
        for &target in &targets {
            switch.balancer().on_cancelled(now, target);
        }
        switch.cancel(Origin { link: self.link.id, request: id }, &targets);
        drop(switch);
        if !targets.is_empty() {
            self.thread.count(Counter::RequestsCancelled, 1);
        }
    }

    pub(super) fn reply_credit(&mut self, frame: &Frame<'_>) {
        if frame.aux() > limits::CREDIT_MAX {
            return self.refuse(
                Kind::ReplyCredit,
                frame.id(),
                Code::ReplyCreditOutOfRange,
                "credit over the limit",
            );
        }
        // None: the request is over, and the credit was on its way.
        if let Some(target) = self.requests.single_target(frame.id()) {
            let origin = Origin { link: self.link.id, request: frame.id() };
            self.thread.switch.borrow().grant(origin, target, frame.aux());
        }
    }

    /// Tells the client that a request is over without (further) replies.
    pub(super) fn end(&self, id: u64, code: Option<Code>) {
        self.write(&Parts::bare(Kind::End, id).aux(code.map_or(0, |code| code.number().into())));
    }

    pub(super) fn end_gone(&mut self, id: u64, target: Target, code: Code) {
        if !self.requests.waits_for(id, target) {
            return;
        }
        let mut switch = self.thread.switch.borrow_mut();
        match code {
            // Being full says nothing against a member.
            Code::ResponderBusy => switch.balancer().on_cancelled(Instant::now(), target),
            _ => switch.balancer().on_failure(Instant::now(), target),
        }
        drop(switch);
        if let Some(ended) = self.requests.handle_gone(id, target, code) {
            self.finish_request(&ended);
        }
    }

    fn finish_request(&self, ended: &Ended) {
        self.thread.switch.borrow().cancel(Origin { link: self.link.id, request: ended.id }, &ended.cancel);
        if let Some(code) = ended.code {
            self.thread.refused(code);
        }
        self.end(ended.id, ended.code);
    }

    /// Whether a reply goes to the client, and as what.
    fn judge_reply(&mut self, now: Instant, id: u64, from: Target, load: u32, more: bool) -> Option<bool> {
        match self.requests.handle_reply(now, id, from, more) {
            Verdict::Late => {
                self.thread.count(Counter::LateReplies, 1);
                None
            }
            Verdict::Forward { more, took, over } => {
                self.thread.count(Counter::RepliesSent, 1);
                self.forwarded += 1;
                if let Some(took) = took {
                    self.thread.answered(took);
                    self.thread.switch.borrow_mut().balancer().on_reply(now, from, Some(load));
                }
                if let Some(cancel) = over {
                    self.over_after_this(id, cancel);
                }
                Some(more)
            }
        }
    }

    /// A gather is complete: its `END` is written behind the reply, which is still to be queued.
    fn over_after_this(&self, id: u64, cancel: Targets) {
        let now = Instant::now();
        let mut switch = self.thread.switch.borrow_mut();
        cancel.iter().for_each(|&target| switch.balancer().on_cancelled(now, target));
        drop(switch);
        self.link.ends.borrow_mut().push(Ended { id, code: None, cancel });
    }

    fn write_ends(&self) {
        let ends = self.link.ends.take();
        ends.iter().for_each(|ended| self.finish_request(ended));
    }

    /// Sets one timer for the earliest deadline; it stays until it fires, since most requests end long before.
    pub(super) fn arm_deadline(&mut self, ctx: &mut Context<Self>) {
        let Some(at) = self.requests.poll_timeout() else { return };
        match self.deadline.take() {
            Some((armed, handle)) if armed <= at => self.deadline = Some((armed, handle)),
            earlier => {
                if let Some((_, handle)) = earlier {
                    ctx.cancel_future(handle);
                }
                let wait = at.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
                self.deadline = Some((at, ctx.run_later(wait, Self::expire)));
            }
        }
    }

    fn expire(&mut self, ctx: &mut Context<Self>) {
        self.deadline = None;
        let now = Instant::now();
        self.thread.switch.borrow_mut().begin();
        while let Some(ended) = self.requests.poll_expired(now) {
            for &target in &ended.cancel {
                self.thread.switch.borrow_mut().balancer().on_failure(now, target);
            }
            self.finish_request(&ended);
        }
        self.arm_deadline(ctx);
        self.settle(ctx);
    }
}

/// Who gets a request.
struct Plan {
    shape: Shape,
    credit: u32,
}

impl Plan {
    fn targets(&self) -> &[Target] {
        match &self.shape {
            Shape::Single(target) => std::slice::from_ref(target),
            Shape::Gather { targets, .. } => targets,
        }
    }
}

impl Handler<Replies> for Subscriber {
    type Result = ();

    fn handle(&mut self, Replies { from, load, mut frames, replies }: Replies, ctx: &mut Context<Self>) {
        let now = Instant::now();
        for span in replies {
            let mut frame = frames.split_to(span.bytes as usize);
            let target = Target::new(from, span.subscription);
            let Some(more) = self.judge_reply(now, span.request, target, load, span.more) else { continue };
            if more != span.more {
                let flags = Flags::from_bits(frame[FLAGS_AT]);
                frame[FLAGS_AT] = flags.with(Flags::MORE).bits();
            }
            self.link.outbox.borrow_mut().of(Kind::Reply.class()).push_frames(frame.freeze());
            self.write_ends();
        }
        self.link.wake.notify_one();
        self.settle(ctx);
    }
}

impl Handler<ReplyLarge> for Subscriber {
    type Result = ();

    fn handle(&mut self, reply: ReplyLarge, ctx: &mut Context<Self>) {
        let ReplyLarge { from, load, request, more, large } = reply;
        if let Some(goes_on) = self.judge_reply(Instant::now(), request, from, load, more) {
            let flags = if goes_on { large.flags.with(Flags::MORE) } else { large.flags };
            let large = Large { flags, id: request, ..large };
            let mut lanes = self.link.outbox.borrow_mut();
            let outbox = lanes.of(Class::of_large(Kind::Reply));
            if goes_on {
                // Replies of a series keep their order, so nothing may overtake this one.
                if outbox.push_large_in_order(large).is_err() {
                    self.thread.count(Counter::InternalErrors, 1);
                }
            } else {
                outbox.push_large(LargeKey::Reply, large);
            }
            drop(lanes);
            self.write_ends();
        }
        self.link.wake.notify_one();
        self.settle(ctx);
    }
}

impl Handler<CallsEnded> for Subscriber {
    type Result = ();

    fn handle(&mut self, CallsEnded { ended, code }: CallsEnded, ctx: &mut Context<Self>) {
        self.thread.switch.borrow_mut().begin();
        for (id, target) in ended {
            self.end_gone(id, target, code);
        }
        self.settle(ctx);
    }
}

impl Subscriber {
    /// Which subscription and call a client means by the id of a reply.
    pub(super) fn split_call_id(id: u64) -> (SubscriptionId, u32) {
        (SubscriptionId((id >> 32) as u32), id as u32)
    }
}
