//! Messages of peers that were not let in.

use std::collections::BTreeMap;

use mesh_log::id::GroupId;
use mesh_wire::code::Code;

use super::Host;
use crate::{
    door::Refusal,
    id::NodeNumber,
    machine::Machine,
    message::{Beat, Message},
};

/// So many are held to be looked at; later ones are only counted.
const FIRST_MAX: usize = 64;

/// Messages of peers that were not let in. Nothing has changed by them, unless one proved a loss.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusals {
    /// How many there were, by code.
    pub counts: BTreeMap<Code, u64>,
    /// The first ones: the group, from whom, and why.
    pub first: Vec<(GroupId, NodeNumber, Refusal)>,
}

impl Refusals {
    pub(crate) fn note(&mut self, group: GroupId, from: NodeNumber, refusal: Refusal) {
        *self.counts.entry(refusal.code()).or_default() += 1;
        if self.first.len() < FIRST_MAX {
            self.first.push((group, from, refusal));
        }
    }
}

impl<M: Machine> Host<M> {
    /// Messages of peers that were not let in since this was last asked.
    pub fn take_refusals(&mut self) -> Refusals {
        std::mem::take(&mut self.shared.refusals)
    }

    /// Whether a message is from the node on the other side of its link, for this one, and of a group that is here. One
    /// that is not concerns nobody, and is counted.
    pub(super) fn is_addressed(&mut self, link: NodeNumber, message: &Message) -> bool {
        let own = self.options.own;
        let (group, from, to) = match message {
            Message::Raft(raft) => (raft.group, raft.from, raft.to),
            Message::Offer(offer) => (offer.group, offer.from, offer.to),
            Message::Pull(pull) => (pull.group, pull.from, own),
            Message::Part(part) => (part.group, part.from, own),
            Message::Beat(_) | Message::BeatReply(_) | Message::Alive => return true,
        };
        let refusal = if from != link {
            Refusal::Sender { from, link }
        } else if to != own {
            Refusal::Receiver { to }
        } else if !self.groups.contains_key(&group) {
            Refusal::NoGroup
        } else {
            return true;
        };
        self.shared.refused(group, link, refusal);
        false
    }

    /// Heartbeats of groups that are here; the others are counted.
    pub(super) fn known(&mut self, link: NodeNumber, mut beats: Vec<Beat>) -> Vec<Beat> {
        beats.retain(|beat| {
            let is_here = self.groups.contains_key(&beat.group);
            if !is_here {
                self.shared.refused(beat.group, link, Refusal::NoGroup);
            }
            is_here
        });
        beats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_held_and_all_are_counted() {
        let mut refusals = Refusals::default();
        for number in 0..=FIRST_MAX as u64 {
            refusals.note(GroupId(1), NodeNumber(number), Refusal::Unasked);
        }
        refusals.note(GroupId(1), NodeNumber(1), Refusal::NoGroup);
        assert_eq!(refusals.first.len(), FIRST_MAX);
        assert_eq!(refusals.first[FIRST_MAX - 1].1, NodeNumber(FIRST_MAX as u64 - 1));
        let counts = [(Code::GroupUnknown, 1), (Code::ReplicaMalformed, FIRST_MAX as u64 + 1)];
        assert_eq!(refusals.counts, BTreeMap::from(counts));
    }
}
