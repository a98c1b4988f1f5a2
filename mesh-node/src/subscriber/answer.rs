//! Replies of this link's client to the calls it holds.

use std::time::Instant;

use mesh_core::{
    large::Large,
    request::{Answer, ReplyRefusal},
    routing::SubscriptionId,
};
use mesh_wire::{
    code::Code,
    ext::Ext,
    frame::{Flags, Kind, Parts},
    header,
};

use super::{Subscriber, message::ReplyLarge};
use crate::metrics::Counter;

impl Subscriber {
    pub(super) fn reply(&mut self, now: Instant, parts: &Parts<'_>) {
        let Some((answer, subscription, more)) = self.judge_answer(now, parts) else { return };
        let flags = parts.flags.without(Flags::ROUTED);
        let reply = Parts { flags, subject: &[], ..*parts };
        let sent = self.thread.switch.borrow_mut().reply(answer.origin, subscription, more, &reply);
        if !sent {
            self.thread.count(Counter::LateReplies, 1);
        }
    }

    pub(super) fn reply_large(&mut self, now: Instant, large: Large) {
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
        let Some((answer, subscription, more)) = self.judge_answer(now, &parts) else { return };
        let request = answer.origin.request;
        let (from, load) = (self.target(subscription), self.calls.len() as u32);
        let switch = self.thread.switch.borrow();
        let large = Large { flags: large.flags.without(Flags::ROUTED), ..large };
        let reply = ReplyLarge { from, load, request, more, large };
        if switch.link(answer.origin.link).is_none_or(|link| link.subscriber.try_send(reply).is_err()) {
            self.thread.count(Counter::LateReplies, 1);
        }
    }

    /// Where a reply goes, or what is wrong with it, told to the client; either way the link goes on.
    fn judge_answer(&mut self, now: Instant, parts: &Parts<'_>) -> Option<(Answer, SubscriptionId, bool)> {
        self.thread.count(Counter::Replies, 1);
        self.link.traffic.count_in(1);
        let more = parts.flags.contains(Flags::MORE);
        let (subscription, number) = Self::split_call_id(parts.id);
        let formed = Ext::parse_from_client(parts.ext)
            .map_err(|e| e.code())
            .and_then(|_| header::validate(parts.headers).map_err(|e| e.code()));
        if let Err(code) = formed {
            self.refuse(Kind::Reply, parts.id, code, "the reply can't be read");
            return None;
        }
        match self.calls.handle_reply(now, number, subscription, more) {
            Ok(answer) => {
                if let (Some(took), Some(stats)) = (answer.took, self.services.get_mut(&subscription)) {
                    stats.answered(took, parts.flags.contains(Flags::FAILED));
                }
                Some((answer, subscription, more))
            }
            Err(ReplyRefusal::Late) => {
                self.thread.count(Counter::LateReplies, 1);
                None
            }
            Err(ReplyRefusal::Fault(code)) => {
                self.refuse(Kind::Reply, parts.id, code, fault(code));
                None
            }
        }
    }
}

fn fault(code: Code) -> &'static str {
    match code {
        Code::ReplyBeyondCredit => "the requester gave no credit for a further reply",
        Code::ReplyRepeated => "this call was answered before",
        _ => "this link holds no such call",
    }
}
