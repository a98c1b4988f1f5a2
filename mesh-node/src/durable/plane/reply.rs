//! What came of requests, on its way to who asked.

use bytes::Bytes;
use mesh_core::{meta, register};
use mesh_log::id::GroupId;
use mesh_replica::{clock::Now, codec::Forwarded, id::Token, refused::Refused};
use mesh_wire::{
    code::Code,
    durable::{DeclaredV1, FetchedBuilder, PutOk},
};

use super::{
    super::{
        answer::{Answer, Refusal},
        waiting::{Asker, Fetch, Request, What},
    },
    Plane,
};

impl Plane {
    /// A command is through.
    pub(super) fn applied(&mut self, now: Now, token: Token, reply: Bytes) {
        _ = now;
        if let Some(request) = self.requests.end(token) {
            self.answer(request, Ok(reply));
        }
    }

    pub(super) fn refused(&mut self, token: Token, why: Refused) {
        let Some(request) = self.requests.end(token) else { return };
        // What was there when the lane was looked at may be gone since: that is an end, not an error.
        if let (What::Fetch(fetch), Refused::NoRecords) = (request.what, why) {
            let body = FetchedBuilder::new(fetch.from).finish(fetch.from);
            return self.answer(request, Ok(body));
        }
        self.answer(request, Err(why.into()));
    }

    /// Everything that was acknowledged before can be read now.
    pub(super) fn readable(&mut self, now: Now, token: Token) {
        let Some(request) = self.requests.end(token) else { return };
        let What::Readable(fetch) = request.what else { return };
        match self.routes.group_of(fetch.lane, self.host.as_ref()) {
            Some(group) => self.read_records(now, group, request, fetch),
            None => self.answer(request, Err(Refusal::of(Code::LaneUndeclared))),
        }
    }

    /// Reads records that are here.
    pub(super) fn read_records(&mut self, now: Now, group: GroupId, request: Request, fetch: Fetch) {
        let next = self.next_of(group, fetch);
        if fetch.from >= next {
            return self.answer(request, Ok(FetchedBuilder::new(fetch.from).finish(next)));
        }
        let request = Request { what: What::Fetch(fetch), ..request };
        let Some(token) = self.requests.begin(request) else {
            return self.answer(request, Err(Refusal::of(Code::CommitQueueFull)));
        };
        if let Some(host) = &mut self.host {
            host.fetch(now, group, token, fetch.lane, fetch.from, next - 1, fetch.max_bytes);
        }
    }

    /// The number that the next record of a lane gets.
    fn next_of(&self, group: GroupId, fetch: Fetch) -> u64 {
        let registers = self.host.as_ref().and_then(|host| host.machine(group)?.registers());
        registers.and_then(|registers| registers.view(meta::LaneId(fetch.lane.0))).map_or(1, |view| view.next)
    }

    pub(super) fn fetched(&mut self, token: Token, pieces: &[(u64, u32, Bytes)]) {
        let Some(request) = self.requests.end(token) else { return };
        let What::Fetch(fetch) = request.what else { return };
        let mut body = FetchedBuilder::new(fetch.from);
        for (first, count, bytes) in pieces {
            if !body.push(*first, *count, bytes) {
                break;
            }
        }
        let group = self.routes.group_of(fetch.lane, self.host.as_ref());
        let next = group.map_or(fetch.from, |group| self.next_of(group, fetch));
        self.answer(request, Ok(body.finish(next)));
    }

    /// Tells whoever asked. An outcome is what the machine replied, or the body of a `FETCHED`.
    pub(in crate::durable) fn answer(&mut self, request: Request, outcome: Result<Bytes, Refusal>) {
        match request.asker {
            Asker::Link(link) => {
                let kind = request.what.kind();
                let answer =
                    outcome.and_then(|reply| read(request.what, reply)).unwrap_or_else(Answer::Refused);
                if let Answer::Refused(refusal) = &answer {
                    self.counters.refused(refusal.code);
                }
                let outlets = &mut self.outlets;
                answer.frame(kind, request.id, |frame| outlets.push(link, frame));
            }
            Asker::Node(node) => {
                let (code, body) = match outcome {
                    Ok(body) => (0, body),
                    Err(Refusal { code, cause }) => (code.number().into(), Bytes::from(cause)),
                };
                let kind = request.what.kind() as u8;
                self.nodes.answer(node, &Forwarded { id: request.id, leader: None, code, kind, body });
            }
            Asker::Joining(link) => self.answer_joining(link, outcome),
            Asker::Operator => self.operators.end(request.id, outcome),
            Asker::Own => {
                if let Err(Refusal { code, cause }) = outcome {
                    tracing::debug!(%code, cause, "what the node wanted changed is not");
                }
            }
        }
    }
}

/// What a machine replied, for a client.
fn read(what: What, reply: Bytes) -> Result<Answer, Refusal> {
    let unreadable = || Refusal::new(Code::OutcomeUnknown, "the reply of the leader can't be read");
    match what {
        What::Put(lane) => match register::Reply::decode(&reply).map_err(|_| unreadable())? {
            register::Reply::Appended { first, count, duplicate } => {
                Ok(Answer::Put(PutOk { lane: lane.0, first, count, duplicate }))
            }
            register::Reply::Refused(refusal) => Err(Refusal::new(refusal.code(), refusal.to_string())),
            register::Reply::Trimmed | register::Reply::Forgotten => Err(unreadable()),
        },
        What::Meta => match meta::Reply::decode(&reply).map_err(|_| unreadable())? {
            meta::Reply::Declared { lane, group, new } => {
                Ok(Answer::Declared(DeclaredV1 { lane: lane.0, group: group.0, created: new }))
            }
            meta::Reply::Refused { code, cause } => {
                let code = Code::from_number(code.into()).unwrap_or(Code::MetaCommandInvalid);
                Err(Refusal::new(code, cause))
            }
            _ => Err(unreadable()),
        },
        What::Readable(_) | What::Fetch(_) => Ok(Answer::Fetched(reply)),
        What::Members | What::Forget => Err(unreadable()),
    }
}
