//! The door before consensus: what would make raft panic, or break what it rests on, does not get in.
//!
//! ```text
//!  peer's message ─► check(facts of the replica, message) ─┬─► Admit: step it
//!                                                          ├─► Refusal: dropped, counted under its code
//!                                                          └─► Refusal that proves loss: the replica goes into quarantine
//! ```
//! The crate `raft` takes its peers' word: it panics on a commit beyond its log, on entries with a gap, on terms at the
//! end of their range, on a grant that it never asked for. Messages travel, though, and nodes lose disks. Pure, and
//! allocates nothing. ADR 0116 says which panic each rule stands for; the tests bring them about with the door off.

mod append;
mod facts;
mod heartbeat;
mod kind;
mod offer;
mod refusal;
mod response;
mod vote;

pub use self::{
    facts::{Facts, Role, Terms},
    kind::MessageKind,
    offer::check_offer,
    refusal::Refusal,
};
use crate::{
    id::NodeNumber,
    manifest::NUMBER_MAX,
    message::{Beat, Raft},
};

/// A message may be so many terms ahead, and no more: terms rise by one with each election, and by nothing else.
pub const TERMS_AHEAD_MAX: u64 = 1 << 32;

/// How a message may be stepped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admit {
    /// As it is.
    AsIs,
    /// With its commit set to this: it says more than a replica that began anew can have been told.
    WithCommit(u64),
}

/// Judges a message of consensus that came on the link of `link`.
///
/// # Errors
/// [`Refusal`]: it must not be stepped. If [`Refusal::proves_loss`], the replica must take no part any more.
pub fn check(facts: &Facts<'_>, link: NodeNumber, message: &Raft) -> Result<Admit, Refusal> {
    sender(facts, link, message.from)?;
    if message.to != facts.own {
        return Err(Refusal::Receiver { to: message.to });
    }
    let kind = MessageKind::from_byte(message.kind).ok_or(Refusal::Kind { kind: message.kind })?;
    numbers(facts, message)?;
    if !message.entries.is_empty() && kind != MessageKind::Append {
        return Err(Refusal::Shape { what: "entries in a message that has none" });
    }
    if message.context.len() > crate::codec::CONTEXT_BYTES_MAX {
        return Err(Refusal::Shape { what: "a context that is too long" });
    }
    if message.request_snapshot != 0 {
        return Err(Refusal::Shape { what: "a snapshot asked for by index: nodes don't" });
    }
    if kind.is_of_members_only() && !facts.members.contains(message.from) {
        return Err(Refusal::NotMember { from: message.from });
    }
    match kind {
        MessageKind::Append => append::check(facts, message),
        MessageKind::Heartbeat => heartbeat::check(facts, message.from, message.term, message.commit),
        MessageKind::AppendResponse => response::check_append(facts, message),
        MessageKind::HeartbeatResponse => Ok(()),
        MessageKind::RequestVote | MessageKind::RequestPreVote => vote::check(facts, kind, message),
        MessageKind::RequestVoteResponse | MessageKind::RequestPreVoteResponse => {
            vote::check_response(facts, kind, message)
        }
        MessageKind::TimeoutNow => vote::check_timeout_now(facts, message),
    }
    .map(|()| Admit::AsIs)
    .or_else(|refusal| begins_anew(facts, refusal))
}

/// Judges a heartbeat out of a [`crate::message::Message::Beat`].
///
/// # Errors
/// As [`check`].
pub fn check_beat(facts: &Facts<'_>, link: NodeNumber, beat: &Beat) -> Result<Admit, Refusal> {
    sender(facts, link, link)?;
    term(facts, beat.term)?;
    index(beat.commit)?;
    heartbeat::check(facts, link, beat.term, beat.commit)
        .map(|()| Admit::AsIs)
        .or_else(|refusal| begins_anew(facts, refusal))
}

/// Judges the answer to a heartbeat out of a [`crate::message::Message::BeatReply`].
///
/// # Errors
/// As [`check`].
pub fn check_beat_reply(facts: &Facts<'_>, link: NodeNumber, beat: &Beat) -> Result<Admit, Refusal> {
    sender(facts, link, link)?;
    term(facts, beat.term)?;
    index(beat.commit)?;
    if facts.members.contains(link) { Ok(Admit::AsIs) } else { Err(Refusal::NotMember { from: link }) }
}

/// What proves a loss on a replica that acknowledged before proves nothing on one that has not: a heartbeat to the
/// replica that was here before may still be on its way.
fn begins_anew(facts: &Facts<'_>, refusal: Refusal) -> Result<Admit, Refusal> {
    match refusal {
        Refusal::LostTail { .. } if facts.is_new => Ok(Admit::WithCommit(facts.commit)),
        refusal => Err(refusal),
    }
}

fn sender(facts: &Facts<'_>, link: NodeNumber, from: NodeNumber) -> Result<(), Refusal> {
    if from != link || from == facts.own || from.0 == 0 {
        return Err(Refusal::Sender { from, link });
    }
    Ok(())
}

/// Numbers within the range in which nothing that raft adds to them overflows.
fn numbers(facts: &Facts<'_>, message: &Raft) -> Result<(), Refusal> {
    term(facts, message.term)?;
    for number in [message.index, message.commit, message.reject_hint] {
        index(number)?;
    }
    for term in [message.log_term, message.commit_term] {
        if term > message.term.max(facts.term) {
            return Err(Refusal::Shape { what: "an entry of a term that has not begun" });
        }
    }
    Ok(())
}

fn term(facts: &Facts<'_>, term: u64) -> Result<(), Refusal> {
    // Raft takes term 0 for its own messages to itself.
    if term == 0 || term > NUMBER_MAX || term > facts.term.saturating_add(TERMS_AHEAD_MAX) {
        return Err(Refusal::Term { term, own: facts.term });
    }
    Ok(())
}

fn index(index: u64) -> Result<(), Refusal> {
    if index > NUMBER_MAX {
        Err(Refusal::Shape { what: "an index beyond what there can be" })
    } else {
        Ok(())
    }
}

/// A leader speaks: of the term that is known, there is one.
fn leader(facts: &Facts<'_>, from: NodeNumber, term: u64) -> Result<(), Refusal> {
    let other = match (facts.role, facts.leader) {
        _ if term != facts.term => None,
        (Role::Leader, _) => Some(facts.own),
        (_, leader) => leader.filter(|leader| *leader != from),
    };
    match other {
        Some(other) => Err(Refusal::TwoLeaders { term, known: other, other: from }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
