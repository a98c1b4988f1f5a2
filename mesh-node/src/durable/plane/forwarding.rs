//! Requests for groups that another node leads.

use bytes::Bytes;
use mesh_log::id::GroupId;
use mesh_replica::{
    clock::Now,
    codec::{Forward, Forwarded},
    id::{NodeNumber, Token},
};
use mesh_wire::code::Code;

use super::{
    super::{
        answer::Refusal,
        waiting::{Asker, Request},
    },
    Plane,
};
use crate::metrics::Counter;

impl Plane {
    /// Sends a request on to the node that leads its group.
    pub(super) fn forward(
        &mut self,
        now: Now,
        node: NodeNumber,
        group: GroupId,
        request: Request,
        body: Bytes,
        timeout_ms: u32,
    ) -> Result<(), Refusal> {
        if matches!(request.asker, Asker::Node(_)) || !self.nodes.is_up(node) {
            return Err(Refusal::of(Code::NoLeader));
        }
        if !self.forwards.has_room() {
            return Err(Refusal::of(Code::CommitQueueFull));
        }
        let token = self.requests.begin(request).ok_or_else(|| Refusal::of(Code::CommitQueueFull))?;
        let kind = request.what.kind() as u8;
        let forward = Forward { id: token.0, group, timeout_ms, kind, body };
        if self.nodes.forward(node, &forward) {
            self.forwards.sent(now.monotonic, group, node, token);
            self.counters.add(Counter::Forwarded, 1);
            return Ok(());
        }
        self.requests.end(token);
        Err(Refusal::of(Code::CommitQueueFull))
    }

    /// Input: the answer of another node.
    pub(super) fn handle_forwarded(&mut self, answer: Forwarded) {
        let token = Token(answer.id);
        let Some(request) = self.requests.end(token) else { return };
        if answer.code == u32::from(Code::NoLeader.number())
            && let Some(group) = self.forwards.group_of(token)
        {
            self.leads.heard(group, answer.leader);
        }
        self.forwards.tidy(&self.requests);
        let outcome = match answer.code {
            0 => Ok(answer.body),
            code => Err(Refusal {
                code: Code::from_number(code).unwrap_or(Code::OutcomeUnknown),
                cause: String::from_utf8_lossy(&answer.body).into_owned(),
            }),
        };
        self.answer(request, outcome);
    }

    /// Nobody knows what became of these.
    pub(super) fn give_up(&mut self, tokens: impl IntoIterator<Item = Token>) {
        for token in tokens {
            if let Some(request) = self.requests.end(token) {
                self.answer(request, Err(Refusal::of(Code::OutcomeUnknown)));
            }
        }
    }

    /// Gives up what other nodes did not answer in time.
    pub(super) fn expire(&mut self, now: Now) {
        while let Some(token) = self.forwards.poll_expired(now.monotonic) {
            self.give_up([token]);
        }
    }
}
