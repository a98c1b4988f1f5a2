//! Faults, farewell, and requests to the node itself.

use actix::{ActorContext, AsyncContext, Context, Handler, WrapFuture};
use mesh_wire::{
    class::Class,
    code::Code,
    frame::{Flags, Kind, Parts},
};

use super::{
    Subscriber,
    message::{AnnounceDrain, Fail, Finish, Refuse},
};

impl Handler<Refuse> for Subscriber {
    type Result = ();

    fn handle(&mut self, refuse: Refuse, ctx: &mut Context<Self>) {
        self.thread.refused(refuse.code);
        let Refuse { about, id, code, cause } = refuse;
        self.write_error(Class::Control, about, id, code, cause, Flags::NONE);
        self.settle(ctx);
    }
}

impl Handler<Fail> for Subscriber {
    type Result = ();

    fn handle(&mut self, Fail { code, cause }: Fail, ctx: &mut Context<Self>) {
        self.thread.refused(code);
        let (id, identity) = (self.link.id.0, &self.link.identity.text);
        tracing::warn!(link = id, name = %self.link.name, identity, %code, cause, "link closed");
        self.link.blame(code, &cause);
        self.write_error(Class::Control, 0, 0, code, cause, Flags::FATAL);
        self.link.finish();
        ctx.stop();
    }
}

impl Handler<AnnounceDrain> for Subscriber {
    type Result = ();

    fn handle(&mut self, _: AnnounceDrain, _: &mut Context<Self>) {
        self.write(&Parts::bare(Kind::Draining, 0));
    }
}

impl Handler<Finish> for Subscriber {
    type Result = ();

    fn handle(&mut self, Finish { code }: Finish, ctx: &mut Context<Self>) {
        self.write(&Parts::bare(Kind::Goodbye, 0).aux(code.map_or(0, |code| code.number().into())));
        self.link.finish();
        ctx.stop();
    }
}

impl Subscriber {
    /// Requests under `$mesh.`: answered by the node, by the same handlers as the admin HTTP.
    pub(super) fn ask_node(&self, parts: &Parts<'_>, ctx: &mut Context<Self>) {
        let Some(api) = self.thread.shared.api().cloned() else {
            return self.end(parts.id, Some(Code::NoResponders));
        };
        let subject = String::from_utf8_lossy(parts.subject).into_owned();
        let body = bytes::Bytes::copy_from_slice(parts.body);
        let (id, link) = (parts.id, std::rc::Rc::clone(&self.link));
        let answer = async move {
            match api.request(&subject, &body, link.identity.is_operator).await {
                Ok(json) => link.write_reply(id, Flags::NONE, 0, json.as_bytes()),
                Err(refusal) => {
                    let (code, text) = (refusal.code(), refusal.to_string());
                    link.write_reply(id, Flags::FAILED, code.number().into(), text.as_bytes());
                }
            }
        };
        ctx.spawn(answer.into_actor(self));
    }
}
