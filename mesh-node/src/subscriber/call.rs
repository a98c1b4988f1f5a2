//! Calls that this link's responders were chosen for.

use std::time::Instant;

use actix::{Context, Handler};
use bytes::{Bytes, BytesMut};
use mesh_core::{
    request::Origin,
    routing::{LinkId, SubscriptionId, Target},
};
use mesh_wire::{
    class::Class,
    code::Code,
    frame::{Kind, Parts},
};

use super::{
    Subscriber,
    message::{CallLarge, Calls, CallsEnded, CancelCall, GrantReplies},
};
use crate::{link::LargeKey, metrics::Counter};

/// Where the id stands in a frame's header.
const ID_AT: std::ops::Range<usize> = 16..24;

impl Handler<Calls> for Subscriber {
    type Result = ();

    /// Fills in each call's number and writes the whole batch; a call that is refused is cut out and given back.
    fn handle(&mut self, Calls { origin, mut frames, calls }: Calls, ctx: &mut Context<Self>) {
        let now = Instant::now();
        let mut refused = Vec::new();
        let mut accepted = BytesMut::new();
        for span in calls {
            let mut frame = frames.split_to(span.bytes as usize);
            let from = Origin { link: origin, request: span.request };
            match self.open_call(now, from, span.subscription, span.credit) {
                Ok(id) => {
                    frame[ID_AT].copy_from_slice(&id.to_le_bytes());
                    accepted.unsplit(frame);
                }
                Err(code) => {
                    self.write_calls(accepted.split().freeze());
                    refused.push((code, span.request, self.target(span.subscription)));
                }
            }
        }
        self.write_calls(accepted.freeze());
        self.give_back(origin, refused);
        self.settle(ctx);
    }
}

impl Handler<CallLarge> for Subscriber {
    type Result = ();

    fn handle(&mut self, call: CallLarge, ctx: &mut Context<Self>) {
        let CallLarge { origin, subscription, credit, mut large } = call;
        match self.open_call(Instant::now(), origin, subscription, credit) {
            Ok(id) => {
                large.id = id;
                let class = Class::of_large(Kind::Call);
                self.link.outbox.borrow_mut().of(class).push_large(LargeKey::Call, large);
                self.link.wake.notify_one();
            }
            Err(code) => {
                let target = self.target(subscription);
                self.give_back(origin.link, vec![(code, origin.request, target)]);
            }
        }
        self.settle(ctx);
    }
}

impl Handler<CancelCall> for Subscriber {
    type Result = ();

    fn handle(&mut self, CancelCall { origin, subscription }: CancelCall, ctx: &mut Context<Self>) {
        if let Some(number) = self.calls.handle_cancel(origin, subscription) {
            if let Some(stats) = self.services.get_mut(&subscription) {
                stats.in_flight = stats.in_flight.saturating_sub(1);
            }
            self.write(&Parts::bare(Kind::Cancel, call_id(subscription, number)));
        }
        self.settle(ctx);
    }
}

impl Handler<GrantReplies> for Subscriber {
    type Result = ();

    fn handle(&mut self, grant: GrantReplies, ctx: &mut Context<Self>) {
        let GrantReplies { origin, subscription, more } = grant;
        if let Some(number) = self.calls.handle_credit(origin, subscription, more) {
            self.write(&Parts::bare(Kind::ReplyCredit, call_id(subscription, number)).aux(more));
        }
        self.settle(ctx);
    }
}

impl Subscriber {
    fn open_call(
        &mut self,
        now: Instant,
        origin: Origin,
        subscription: SubscriptionId,
        credit: u32,
    ) -> Result<u64, Code> {
        let most = self.subscriptions.get(subscription).ok_or(Code::ResponderGone)?.credit;
        let number = self.calls.open(now, origin, subscription, most, credit)?;
        if let Some(stats) = self.services.get_mut(&subscription) {
            stats.requests += 1;
            stats.in_flight += 1;
        }
        self.thread.count(Counter::Calls, 1);
        self.forwarded += 1;
        Ok(call_id(subscription, number))
    }

    fn write_calls(&self, frames: Bytes) {
        if !frames.is_empty() {
            self.link.outbox.borrow_mut().of(Kind::Call.class()).push_frames(frames);
            self.link.wake.notify_one();
        }
    }

    fn give_back(&self, origin: LinkId, refused: Vec<(Code, u64, Target)>) {
        if refused.is_empty() {
            return;
        }
        let mut switch = self.thread.switch.borrow_mut();
        switch.begin();
        let Some(link) = switch.link(origin) else { return };
        for (code, request, target) in refused {
            link.subscriber.do_send(CallsEnded { ended: vec![(request, target)], code });
        }
    }
}

fn call_id(subscription: SubscriptionId, number: u32) -> u64 {
    u64::from(subscription.0) << 32 | u64::from(number)
}
