//! The leader is there.

use super::{Facts, Refusal, leader};
use crate::id::NodeNumber;

/// A heartbeat's commit is what the leader knows to be committed *and* on this replica: it never says more than was
/// acknowledged from here in its term. (Raft: a panic on a commit beyond the log.)
pub(super) fn check(facts: &Facts<'_>, from: NodeNumber, term: u64, commit: u64) -> Result<(), Refusal> {
    if term < facts.term {
        return Ok(());
    }
    leader(facts, from, term)?;
    if commit > facts.last {
        return Err(Refusal::LostTail { commit, last: facts.last });
    }
    Ok(())
}
