//! Answers of the durable plane to this link.

use actix::{Context, Handler};

use super::{Subscriber, message::Answers};
use crate::durable;

impl Handler<Answers> for Subscriber {
    type Result = ();

    fn handle(&mut self, Answers { frames, large }: Answers, ctx: &mut Context<Self>) {
        durable::write(&self.link, frames, large);
        self.settle(ctx);
    }
}
