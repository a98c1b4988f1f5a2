//! What a leader does about members that have lost what they had promised to keep.
//!
//! They count for nothing: their answers go by raft. While one of them may have been counted for something that it has lost,
//! because it votes or has acknowledged entries to this leader, it is shown as such, to be taken out of the members. One that
//! is a new learner is sent a snapshot.

use std::collections::{BTreeMap, BTreeSet};

use raft::{
    ProgressState,
    eraftpb::{self, MessageType},
};

use super::Group;
use crate::{door, host::Work, id::NodeNumber, machine::Machine, members::Members, message::Beat};

/// Members that have lost something, as a leader knows them.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// They are to be taken out.
    members: BTreeSet<NodeNumber>,
    /// They may be filled again, and what they call their loss.
    marks: BTreeMap<NodeNumber, u64>,
    /// They were taken out by this entry. Whatever they acknowledge up to it they said before they lost it.
    out: BTreeMap<NodeNumber, u64>,
}

impl Lost {
    /// Those that are to be taken out.
    pub(super) fn members(&self) -> BTreeSet<NodeNumber> {
        self.members.clone()
    }

    /// What a member calls its loss that may be filled again; 0 for others.
    pub(super) fn of(&self, node: NodeNumber) -> u64 {
        self.marks.get(&node).copied().unwrap_or(0)
    }

    /// A change of members is applied.
    pub(super) fn members_changed(&mut self, members: &Members, index: u64) {
        for node in std::mem::take(&mut self.members) {
            if members.contains(node) {
                self.members.insert(node);
            } else {
                self.out.insert(node, index);
            }
        }
        self.marks.retain(|node, _| members.contains(*node) && !votes(members, *node));
    }
}

fn votes(members: &Members, node: NodeNumber) -> bool {
    members.voters.contains(&node) || members.outgoing.contains(&node)
}

impl<M: Machine> Group<M> {
    /// A member says that it has lost something.
    pub(super) fn hear_loss(&mut self, work: &mut Work<'_>, from: NodeNumber, beat: &Beat) {
        if !self.leads() {
            return;
        }
        if let Err(refusal) = self.with_facts(|facts| door::check_beat_reply(facts, from, beat)) {
            work.refused(self.id, from, refusal);
            return;
        }
        let term = self.raft.raft.term;
        if beat.term < term {
            return;
        }
        self.wake(work);
        if beat.term > term {
            // It takes a snapshot of a term that it knows, or a later one.
            self.follow_term(from, beat.term);
            return;
        }
        let votes = votes(&self.members, from);
        let matched = self.raft.raft.prs().get(from.0).map_or(0, |progress| progress.matched);
        let raft = &self.raft.raft;
        // Who is a member is certain once an entry of this term is applied.
        let is_certain = raft.commit_to_current_term() && self.applied.0 >= raft.raft_log.committed;
        let Some(lead) = &mut self.lead else { return };
        if votes || matched > 0 {
            lead.lost.members.insert(from);
        } else if is_certain {
            lead.lost.marks.insert(from, beat.read);
            self.begin_with_snapshot(from);
        }
    }

    /// A member answers as members do.
    pub(super) fn hear_whole(&mut self, from: NodeNumber) {
        if let Some(lead) = &mut self.lead {
            lead.lost.members.remove(&from);
            lead.lost.marks.remove(&from);
        }
    }

    /// Whether a member has lost what it had acknowledged.
    pub(super) fn has_forgot(&self, node: NodeNumber) -> bool {
        self.lead.as_ref().is_some_and(|lead| lead.lost.members.contains(&node))
    }

    /// Whether an acknowledgement is of before its sender lost everything and was taken out.
    pub(super) fn is_of_before(&self, from: NodeNumber, term: u64, index: u64) -> bool {
        let out = self.lead.as_ref().and_then(|lead| lead.lost.out.get(&from));
        term == self.raft.raft.term && out.is_some_and(|out| index <= *out)
    }

    /// A member that has nothing is not to be searched for what it may have in common with this log.
    pub(super) fn begin_with_snapshot(&mut self, to: NodeNumber) {
        let Some(progress) = self.raft.raft.prs().get(to.0) else { return };
        if progress.state != ProgressState::Probe || progress.matched > 0 {
            return;
        }
        let mut nothing = eraftpb::Message {
            from: to.0,
            to: self.own.0,
            term: self.raft.raft.term,
            index: progress.next_idx.saturating_sub(1),
            reject: true,
            ..eraftpb::Message::default()
        };
        nothing.set_msg_type(MessageType::MsgAppendResponse);
        // What raft refuses changes nothing.
        _ = self.raft.step(nothing);
    }

    fn follow_term(&mut self, from: NodeNumber, term: u64) {
        let mut later =
            eraftpb::Message { from: from.0, to: self.own.0, term, ..eraftpb::Message::default() };
        later.set_msg_type(MessageType::MsgHeartbeatResponse);
        _ = self.raft.step(later);
    }
}
