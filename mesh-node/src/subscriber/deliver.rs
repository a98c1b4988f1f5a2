//! Messages for this link's subscriptions.

use actix::{Context, Handler};

use super::{
    Subscriber,
    message::{Deliver, DeliverLarge, LargeSent, RoomAgain},
};

impl Handler<Deliver> for Subscriber {
    type Result = ();

    fn handle(&mut self, Deliver(batch): Deliver, ctx: &mut Context<Self>) {
        self.link.gauge.received(batch.frames.len());
        self.subscriptions.handle_batch(&batch);
        self.settle(ctx);
    }
}

impl Handler<DeliverLarge> for Subscriber {
    type Result = ();

    fn handle(&mut self, DeliverLarge { subscription, large }: DeliverLarge, ctx: &mut Context<Self>) {
        self.link.gauge.received(large.len());
        self.subscriptions.handle_large(subscription, large);
        self.settle(ctx);
    }
}

impl Handler<RoomAgain> for Subscriber {
    type Result = ();

    fn handle(&mut self, _: RoomAgain, ctx: &mut Context<Self>) {
        self.settle(ctx);
    }
}

impl Handler<LargeSent> for Subscriber {
    type Result = ();

    fn handle(&mut self, LargeSent(id): LargeSent, ctx: &mut Context<Self>) {
        self.subscriptions.handle_large_sent(id);
        self.settle(ctx);
    }
}
