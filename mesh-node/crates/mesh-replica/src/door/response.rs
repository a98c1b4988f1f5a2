//! Answers to a leader's entries.

use super::{Facts, Refusal, Role};
use crate::message::Raft;

/// In its own term a leader has every entry that there is. (Raft: counts an acknowledgement of more, and takes for
/// committed later what that follower never had.)
pub(super) fn check_append(facts: &Facts<'_>, message: &Raft) -> Result<(), Refusal> {
    if facts.role != Role::Leader || message.term != facts.term {
        return Ok(());
    }
    if !message.reject && message.index > facts.last {
        return Err(Refusal::AckBeyondLog { index: message.index, last: facts.last });
    }
    if message.reject && message.reject_hint > message.index {
        return Err(Refusal::Shape { what: "a refusal that points beyond what it refuses" });
    }
    Ok(())
}
