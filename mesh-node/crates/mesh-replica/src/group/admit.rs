//! What the door is told of a replica.

use raft::StateRole;

use super::{Group, step::readable};
use crate::{
    door::{self, Admit, Facts, MessageKind, Refusal, Role, Terms},
    host::Work,
    machine::Machine,
    message::{Beat, Raft},
    storage::LogStore,
};

/// The terms of what is written or given to be written; and of what raft has taken in beyond that.
struct LogTerms<'a>(&'a raft::RaftLog<LogStore>);

impl Terms for LogTerms<'_> {
    fn term(&self, index: u64) -> Option<u64> {
        let known = (self.0.first_index() - 1..=self.0.last_index()).contains(&index);
        if known { self.0.term(index).ok() } else { None }
    }
}

impl<M: Machine> Group<M> {
    pub(super) fn with_facts<R>(&self, look: impl FnOnce(&Facts<'_>) -> R) -> R {
        let raft = &self.raft.raft;
        let role = match raft.state {
            StateRole::Follower => Role::Follower,
            StateRole::PreCandidate => Role::PreCandidate,
            StateRole::Candidate => Role::Candidate,
            StateRole::Leader => Role::Leader,
        };
        look(&Facts {
            own: self.own,
            members: &self.members,
            role,
            term: raft.term,
            leader: self.leader(),
            last: raft.raft_log.last_index(),
            persisted: raft.raft_log.persisted,
            commit: raft.raft_log.committed,
            priority: raft.priority,
            is_new: self.is_new,
            terms: &LogTerms(&raft.raft_log),
            is_readable: &readable,
        })
    }

    /// Whether a message may come in, and with which commit.
    pub(super) fn admit(&mut self, work: &mut Work<'_>, raft: &Raft) -> Option<u64> {
        let verdict = self.with_facts(|facts| {
            let beat = Beat {
                group: raft.group,
                term: raft.term,
                commit: raft.commit,
                rests: false,
                lost: false,
                read: 0,
            };
            match MessageKind::from_byte(raft.kind) {
                Some(MessageKind::Heartbeat) => door::check_beat(facts, raft.from, &beat),
                Some(MessageKind::HeartbeatResponse) => door::check_beat_reply(facts, raft.from, &beat),
                _ => door::check(facts, raft.from, raft),
            }
        });
        match verdict {
            Ok(Admit::AsIs) => Some(raft.commit),
            Ok(Admit::WithCommit(commit)) => Some(commit),
            Err(refusal) => {
                let owed = refusal.owed();
                work.refused(self.id, raft.from, refusal);
                if let Some(owed) = owed {
                    self.quarantine(work, owed);
                }
                None
            }
        }
    }

    /// Counts a message that was not let in.
    pub(super) fn refuse_message(&self, work: &mut Work<'_>, raft: &Raft, refusal: Refusal) {
        work.refused(self.id, raft.from, refusal);
    }
}
