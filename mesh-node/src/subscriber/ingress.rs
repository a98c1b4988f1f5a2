//! What the client sends, other than publishes.

use std::time::Instant;

use actix::{AsyncContext, Context, Handler};
use mesh_core::routing::SubscriptionId;
use mesh_wire::{
    code::Code,
    frame::{Frame, Kind, Parts},
};

use super::{
    Subscriber,
    message::{Fail, Finish, Ingress, IngressLarge},
};
use crate::metrics::Counter;

impl Handler<Ingress> for Subscriber {
    type Result = ();

    /// The frames were checked to be whole by the reader.
    fn handle(&mut self, Ingress(frames): Ingress, ctx: &mut Context<Self>) {
        let now = Instant::now();
        self.thread.switch.borrow_mut().begin();
        let mut rest: &[u8] = &frames;
        let mut interest = Vec::new();
        while let Ok(Some(frame)) = Frame::decode(rest) {
            rest = &rest[frame.len()..];
            if frame.kind() != Kind::Subscribe && frame.kind() != Kind::Unsubscribe && !interest.is_empty() {
                self.change_interest(std::mem::take(&mut interest));
            }
            match frame.kind() {
                Kind::Request => self.request(now, &frame.parts(), ctx),
                Kind::Reply => self.reply(now, &frame.parts()),
                Kind::Credit => self.credit(&frame),
                Kind::Subscribe => interest.extend(self.subscribe(&frame)),
                Kind::Unsubscribe => interest.extend(self.unsubscribe(&frame)),
                Kind::Cancel => self.cancel(frame.id()),
                Kind::ReplyCredit => self.reply_credit(&frame),
                Kind::Ping => self.write(&Parts::bare(Kind::Pong, frame.id())),
                Kind::Pong => {}
                Kind::Goodbye if self.link.goodbye() => ctx.notify(Finish { code: None }),
                // The readers of the other lanes say when the link can end.
                Kind::Goodbye => {}
                Kind::Hello => self.fail(ctx, Code::HelloRepeated, "a second HELLO on one link"),
                kind => self.fail(ctx, Code::UnexpectedKind, format!("a client does not send {kind:?}")),
            }
        }
        if !interest.is_empty() {
            self.change_interest(interest);
        }
        self.flush();
        self.arm_deadline(ctx);
        self.settle(ctx);
    }
}

impl Handler<IngressLarge> for Subscriber {
    type Result = ();

    fn handle(&mut self, IngressLarge(large): IngressLarge, ctx: &mut Context<Self>) {
        let now = Instant::now();
        self.thread.switch.borrow_mut().begin();
        match large.kind {
            Kind::Request => self.request_large(now, large, ctx),
            Kind::Reply => self.reply_large(now, large),
            kind => self.fail(ctx, Code::UnexpectedKind, format!("{kind:?} can't travel in chunks")),
        }
        self.flush();
        self.arm_deadline(ctx);
        self.settle(ctx);
    }
}

impl Subscriber {
    fn credit(&mut self, frame: &Frame<'_>) {
        let id = u32::try_from(frame.id()).map(SubscriptionId);
        let result = match id {
            Ok(id) => self.subscriptions.handle_credit(id, frame.aux()),
            Err(_) => Err(Code::SubscriptionUnknown),
        };
        match result {
            Ok(()) => {}
            // It may just have been closed by its overflow policy: the client learns that by another frame.
            Err(Code::SubscriptionUnknown) => self.thread.count(Counter::StaleCredits, 1),
            Err(code) => self.refuse(Kind::Credit, frame.id(), code, "credit beyond the limit"),
        }
    }

    fn fail(&mut self, ctx: &mut Context<Self>, code: Code, cause: impl Into<String>) {
        ctx.notify(Fail { code, cause: cause.into() });
    }
}
