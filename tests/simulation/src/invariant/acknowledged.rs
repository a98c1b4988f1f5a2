//! Nothing is acknowledged before a majority of the voters has it on disk.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mesh_log::id::GroupId;
use mesh_replica::{id::NodeNumber, machine::At, members::Members};

use super::Verdict;

/// Who had which entry on disk, ever. A node that loses its disk comes back as another one.
#[derive(Debug, Default)]
pub struct Durable {
    entries: HashMap<(GroupId, u64, u64), BTreeSet<u64>>,
    checkpoints: BTreeMap<(GroupId, u64), u64>,
}

impl Durable {
    /// The disk of a node holds an entry.
    pub fn entry(&mut self, group: GroupId, node: u64, index: u64, term: u64) {
        self.entries.entry((group, index, term)).or_default().insert(node);
    }

    /// The disk of a node holds a checkpoint with everything up to an index.
    pub fn checkpoint(&mut self, group: GroupId, node: u64, index: u64) {
        let last = self.checkpoints.entry((group, node)).or_default();
        *last = index.max(*last);
    }

    /// A command is acknowledged by a leader with these members.
    ///
    /// # Errors
    /// When a majority does not have it.
    pub fn acknowledged(&self, node: u64, at: &At, members: &Members) -> Verdict {
        let has = self.entries.get(&(at.group, at.index, at.term));
        let holds = |voter: &NodeNumber| {
            has.is_some_and(|nodes| nodes.contains(&voter.0))
                || self.checkpoints.get(&(at.group, voter.0)).is_some_and(|last| *last >= at.index)
        };
        for voters in [&members.voters, &members.outgoing] {
            let holding = voters.iter().filter(|voter| holds(voter)).count();
            if !voters.is_empty() && holding <= voters.len() / 2 {
                return Err(format!(
                    "node {node} acknowledged entry {} (term {}) of group {}, which {holding} of {} voters have on disk",
                    at.index,
                    at.term,
                    at.group,
                    voters.len()
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(index: u64) -> At {
        At { group: GroupId(1), index, term: 1, time_ms: 0 }
    }

    fn voters(nodes: &[u64]) -> BTreeSet<NodeNumber> {
        nodes.iter().copied().map(NodeNumber).collect()
    }

    #[test]
    fn a_majority_has_to_have_it() {
        let mut durable = Durable::default();
        let three = Members { voters: voters(&[1, 2, 3]), ..Members::default() };
        assert!(durable.acknowledged(1, &at(5), &three).is_err());
        durable.entry(GroupId(1), 1, 5, 1);
        durable.entry(GroupId(1), 4, 5, 1);
        durable.entry(GroupId(1), 2, 5, 2);
        assert!(durable.acknowledged(1, &at(5), &three).is_err());
        durable.checkpoint(GroupId(1), 3, 4);
        assert!(durable.acknowledged(1, &at(5), &three).is_err());
        durable.checkpoint(GroupId(1), 3, 5);
        durable.acknowledged(1, &at(5), &three).unwrap();
    }

    #[test]
    fn both_majorities_while_members_change() {
        let mut durable = Durable::default();
        let joint =
            Members { voters: voters(&[1, 2, 3]), outgoing: voters(&[3, 4, 5]), ..Members::default() };
        for node in [1, 2, 3] {
            durable.entry(GroupId(1), node, 5, 1);
        }
        assert!(durable.acknowledged(1, &at(5), &joint).is_err());
        durable.entry(GroupId(1), 4, 5, 1);
        durable.acknowledged(1, &at(5), &joint).unwrap();
    }
}
