//! Raft's messages become ours: with the bytes of their entries, heartbeats merged.

use bytes::Bytes;
use mesh_log::record::Entry;
use raft::eraftpb::{self, MessageType};

use super::Group;
use crate::{
    host::Work,
    id::NodeNumber,
    machine::Machine,
    message::{Beat, Raft},
};

impl<M: Machine> Group<M> {
    pub(super) fn send(&mut self, work: &mut Work<'_>, message: eraftpb::Message) {
        let to = NodeNumber(message.to);
        match message.get_msg_type() {
            MessageType::MsgHeartbeat => {
                let beat = self.beat(&message, self.rest.offers());
                work.sends(to).beats.push(beat);
            }
            MessageType::MsgHeartbeatResponse => {
                let beat = Beat { commit: 0, ..self.beat(&message, self.rest.rests()) };
                work.sends(to).replies.push(beat);
            }
            MessageType::MsgSnapshot => self.send_offer(work, to, &message),
            // Proposals and reads are not forwarded by raft: whoever has them knows who leads.
            MessageType::MsgPropose | MessageType::MsgReadIndex | MessageType::MsgTransferLeader => {}
            _ => {
                if let Some(raft) = self.with_bytes(work, message) {
                    work.sends(to).raft.push(raft);
                }
            }
        }
    }

    fn beat(&self, message: &eraftpb::Message, rests: bool) -> Beat {
        let read = message.context.as_slice().try_into().map(u64::from_le_bytes).unwrap_or(0);
        Beat { group: self.id, term: message.term, commit: message.commit, rests, lost: false, read }
    }

    /// `None` when an entry in it is not the one that is there by now: such a message is as good as lost.
    fn with_bytes(&self, work: &Work<'_>, message: eraftpb::Message) -> Option<Raft> {
        let mut entries = Vec::with_capacity(message.entries.len());
        for handle in &message.entries {
            entries.push(self.entry(handle.index, handle.term)?);
        }
        let kind = u8::try_from(message.msg_type).ok()?;
        let context = if message.get_msg_type() == MessageType::MsgAppendResponse {
            Bytes::copy_from_slice(&work.now.wall_ms.to_le_bytes())
        } else {
            Bytes::from(message.context)
        };
        Some(Raft {
            group: self.id,
            from: self.own,
            to: NodeNumber(message.to),
            kind,
            term: message.term,
            log_term: message.log_term,
            index: message.index,
            commit: message.commit,
            commit_term: message.commit_term,
            reject: message.reject,
            reject_hint: message.reject_hint,
            context,
            entries,
            priority: message.priority,
            request_snapshot: message.request_snapshot,
        })
    }

    fn entry(&self, index: u64, term: u64) -> Option<Entry> {
        let held = self.raft.store().get(index)?;
        (held.entry.term == term).then(|| held.entry.clone())
    }
}
