//! Entries from a leader.

use super::{Facts, Refusal, leader};
use crate::message::Raft;

pub(super) fn check(facts: &Facts<'_>, message: &Raft) -> Result<(), Refusal> {
    shape(message)?;
    if message.term < facts.term {
        // Raft tells the sender of the later term and looks at nothing else.
        return Ok(());
    }
    leader(facts, message.from, message.term)?;
    match committed(facts, message) {
        Some(refusal) => Err(refusal),
        None => readable(facts, message),
    }
}

/// Entries follow each other and what they are said to follow, in terms that rise. (Raft: a gap makes it slice beyond the
/// end, or cut off what it has not.)
fn shape(message: &Raft) -> Result<(), Refusal> {
    let wrong = |what| Err(Refusal::Shape { what });
    if (message.index == 0) != (message.log_term == 0) {
        // Raft finds term 0 where it has no entry, and takes that for a match.
        return wrong("an entry before the entries without a term, or a term without an entry");
    }
    if message.log_term > message.term {
        return wrong("an entry of a later term than its leader's");
    }
    if message.reject {
        return wrong("an append that refuses");
    }
    let (mut index, mut term) = (message.index, message.log_term.max(1));
    for entry in &message.entries {
        if entry.index != index + 1 {
            return wrong("entries that don't follow each other");
        }
        if entry.term < term || entry.term > message.term {
            return wrong("entries whose terms don't rise, or are later than their leader's");
        }
        (index, term) = (entry.index, entry.term);
    }
    super::index(index)
}

/// What is committed here must be there too, and terms rise. (Raft: a panic where entries would take its place, and else
/// an answer as if they were the same; and a search for where the logs part that goes on below what was cut off.)
fn committed(facts: &Facts<'_>, message: &Raft) -> Option<Refusal> {
    let before = (message.index, message.log_term);
    let entries = message.entries.iter().map(|entry| (entry.index, entry.term));
    let differs = |(index, theirs)| {
        let own = facts.terms.term(index)?;
        (own != theirs).then_some(Refusal::Conflict { index, own, theirs })
    };
    let mut known = std::iter::once(before).chain(entries).take_while(|(index, _)| *index <= facts.commit);
    known.find_map(differs).or_else(|| {
        let (index, theirs) = (facts.commit, message.log_term);
        let own = facts.terms.term(index).filter(|own| message.index >= index && theirs < *own)?;
        Some(Refusal::Conflict { index, own, theirs })
    })
}

fn readable(facts: &Facts<'_>, message: &Raft) -> Result<(), Refusal> {
    match message.entries.iter().find(|entry| !(facts.is_readable)(entry)) {
        Some(entry) => Err(Refusal::Unreadable { index: entry.index }),
        None => Ok(()),
    }
}
