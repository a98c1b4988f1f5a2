//! Messages from other replicas.

use bytes::Bytes;
use mesh_log::record::EntryKind;
use raft::eraftpb::{self, MessageType};

use super::{Group, Phase};
use crate::{
    door::Refusal,
    forming::Formed,
    host::Work,
    id::NodeNumber,
    machine::Machine,
    members::Change,
    message::{Beat, Raft},
    storage::handle_of,
};

impl<M: Machine> Group<M> {
    /// A heartbeat, or the answer to one.
    pub(crate) fn handle_beat(&mut self, work: &mut Work<'_>, from: NodeNumber, beat: Beat, answer: bool) {
        if !answer && self.phase == Phase::Quarantined {
            self.tell_loss(work, from, &beat);
            return;
        }
        if answer && beat.lost {
            self.hear_loss(work, from, &beat);
            return;
        }
        let kind = if answer { MessageType::MsgHeartbeatResponse } else { MessageType::MsgHeartbeat };
        let context =
            if beat.read == 0 { Bytes::new() } else { Bytes::copy_from_slice(&beat.read.to_le_bytes()) };
        let raft = Raft {
            group: self.id,
            from,
            to: self.own,
            kind: kind as u8,
            term: beat.term,
            log_term: 0,
            index: 0,
            commit: beat.commit,
            commit_term: 0,
            reject: false,
            reject_hint: 0,
            context,
            entries: Vec::new(),
            priority: 0,
            request_snapshot: 0,
        };
        // Those of a leader that rests, to a follower that does, wake nobody.
        let quiet = if answer { beat.rests } else { beat.rests && self.rest.rests() };
        if !self.take(work, raft, quiet) {
            return;
        }
        let current = beat.term == self.raft.raft.term;
        if answer && current && self.leads() {
            self.hear_whole(from);
            self.hear_taken(work, from, beat.rests);
        } else if !answer && current && self.leader() == Some(from) {
            if beat.rests && !self.rests() {
                // What it commits is applied before it is known whether there is anything left to do.
                self.drive(work);
            }
            self.hear_rest(work, beat.rests);
        }
    }

    /// A message of consensus.
    pub(crate) fn handle_raft(&mut self, work: &mut Work<'_>, raft: Raft) {
        let answer = raft.kind == MessageType::MsgAppendResponse as u8;
        let (from, term, index, refused) = (raft.from, raft.term, raft.index, raft.reject);
        if answer && !refused && self.is_of_before(from, term, index) {
            self.refuse_message(work, &raft, Refusal::Forgotten { index });
            self.begin_with_snapshot(from);
            return;
        }
        let clock = raft.context.as_ref().try_into().ok().map(u64::from_le_bytes).filter(|_| answer);
        if self.take(work, raft, false) && term == self.raft.raft.term {
            if let Some(wall_ms) = clock {
                self.hear_clock(work, from, wall_ms);
            }
            if answer && !refused {
                work.shared.pulls.leader.handle_acknowledged(self.id, from, index);
            }
        }
    }

    /// Steps raft by a message, if it may come in. `quiet` ones wake nobody.
    fn take(&mut self, work: &mut Work<'_>, raft: Raft, quiet: bool) -> bool {
        if self.phase != Phase::Running {
            if self.phase == Phase::Quarantined {
                self.refuse_message(work, &raft, Refusal::Quarantined);
            }
            return false;
        }
        let append = raft.kind == MessageType::MsgAppend as u8;
        if append && !raft.entries.is_empty() {
            // What can't be written is not taken; a leader sends it again.
            let writing = self.install.as_ref().is_some_and(super::Install::is_writing);
            if work.full || writing {
                return false;
            }
        }
        let Some(commit) = self.admit(work, &raft) else { return false };
        if !quiet {
            self.wake(work);
        }
        let message = self.make_raft(Raft { commit, ..raft }, append);
        // What raft refuses it has no use for; nothing has changed then.
        self.raft.step(message).is_ok()
    }

    fn make_raft(&mut self, raft: Raft, append: bool) -> eraftpb::Message {
        let mut message = eraftpb::Message {
            msg_type: i32::from(raft.kind),
            to: raft.to.0,
            from: raft.from.0,
            term: raft.term,
            log_term: raft.log_term,
            index: raft.index,
            commit: raft.commit,
            commit_term: raft.commit_term,
            reject: raft.reject,
            reject_hint: raft.reject_hint,
            priority: raft.priority,
            request_snapshot: raft.request_snapshot,
            ..eraftpb::Message::default()
        };
        let answer = message.get_msg_type() == MessageType::MsgAppendResponse;
        if !answer && !raft.context.is_empty() {
            message.context = raft.context.to_vec();
        }
        if append {
            message.entries = raft.entries.iter().map(handle_of).collect();
            for entry in raft.entries {
                self.incoming.insert((entry.index, entry.term), entry.payload);
            }
        }
        message
    }
}

/// Whether an entry can be applied once it is committed.
pub(super) fn readable(entry: &mesh_log::record::Entry) -> bool {
    match entry.kind {
        EntryKind::Commands => Formed::read(entry.payload.bytes()).is_ok(),
        EntryKind::Members => Change::decode(entry.payload.bytes()).is_ok(),
    }
}
