//! Elections.

use super::{Facts, MessageKind, Refusal, Role};
use crate::message::Raft;

pub(super) fn check(facts: &Facts<'_>, kind: MessageKind, message: &Raft) -> Result<(), Refusal> {
    if (message.index == 0) != (message.log_term == 0) {
        return Err(Refusal::Shape { what: "a last entry without a term, or a term without an entry" });
    }
    // One that does not know the members has no part in them yet. It may have had one before it was removed: then it knows
    // nothing of what it acknowledged, and its vote would count for that.
    if facts.members.voters.is_empty() {
        return Err(Refusal::NotMember { from: message.from });
    }
    // Raft refuses a pre-vote with its own term, and panics on sending one that is 0.
    if kind == MessageKind::RequestPreVote && facts.term == 0 && !would_grant(facts, message) {
        return Err(Refusal::Stale { term: message.log_term, own: facts.last_term() });
    }
    Ok(())
}

fn would_grant(facts: &Facts<'_>, message: &Raft) -> bool {
    let own = (facts.last_term(), facts.last);
    (message.log_term, message.index) >= own
        && (message.index > facts.last || facts.priority <= message.priority)
}

pub(super) fn check_response(facts: &Facts<'_>, kind: MessageKind, message: &Raft) -> Result<(), Refusal> {
    if message.reject {
        return Ok(());
    }
    let (role, term) = match kind {
        MessageKind::RequestPreVoteResponse => (Role::PreCandidate, facts.term.saturating_add(1)),
        _ => (Role::Candidate, facts.term),
    };
    if message.term < term {
        return Err(Refusal::Stale { term: message.term, own: facts.term });
    }
    // A candidate asks once all that it has is durable. (Raft: asserts that when it wins.)
    if facts.role != role || message.term != term || facts.persisted != facts.last {
        return Err(Refusal::Unasked);
    }
    Ok(())
}

/// Only the leader of the term hands over.
pub(super) fn check_timeout_now(facts: &Facts<'_>, message: &Raft) -> Result<(), Refusal> {
    if message.term < facts.term {
        return Err(Refusal::Stale { term: message.term, own: facts.term });
    }
    // It does so once all of its log is acknowledged from here. (Raft: looks for a log that a snapshot has not replaced yet.)
    let is_ready = facts.persisted == facts.last;
    if message.term != facts.term || facts.leader != Some(message.from) || !is_ready {
        return Err(Refusal::Unasked);
    }
    Ok(())
}
