//! What is committed stays committed: all nodes that know an index to be committed have the same entry there, and each
//! new leader has every committed entry ("State Machine Safety" and "Leader Completeness").

use std::collections::BTreeMap;

use mesh_log::id::GroupId;

use super::Verdict;
use crate::shadow::ShadowLog;

/// Term and checksum of an entry, and the term in which it was first known to be committed.
type Known = ((u64, u32), u64);

/// What is committed, by group and index.
#[derive(Debug, Default)]
pub struct Committed {
    groups: BTreeMap<GroupId, BTreeMap<u64, Known>>,
    total: u64,
}

impl Committed {
    /// A node, in a term, takes all up to `commit` for committed; it said so up to `known` before.
    ///
    /// # Errors
    /// When another node has, or had, something else there.
    pub fn commits(
        &mut self,
        group: GroupId,
        (node, term): (u64, u64),
        log: &ShadowLog,
        known: u64,
        commit: u64,
    ) -> Verdict {
        let committed = self.groups.entry(group).or_default();
        for index in known + 1..=commit {
            // What is in a checkpoint is compared by what was applied.
            let Some(entry) = log.entry(index) else { continue };
            let (first, _) = *committed.entry(index).or_insert_with(|| {
                self.total += 1;
                (entry, term)
            });
            if first != entry {
                return Err(format!(
                    "node {node} takes the entry of term {} at index {index} of group {group} for committed; that of \
                     term {} was (checksums {:x} and {:x})",
                    entry.0, first.0, entry.1, first.1
                ));
            }
        }
        Ok(())
    }

    /// A node has come to lead a term. It may be an old one, for a node that was slow to hear of its votes.
    ///
    /// # Errors
    /// When it lacks something that was committed in a term before.
    pub fn leads(&self, group: GroupId, (node, term): (u64, u64), log: &ShadowLog) -> Verdict {
        let Some(committed) = self.groups.get(&group) else { return Ok(()) };
        let missing = committed
            .range(log.cut().0 + 1..)
            .find(|(index, (entry, seen))| *seen <= term && log.entry(**index) != Some(*entry))
            .map(|(index, _)| *index);
        match missing {
            None => Ok(()),
            Some(index) => Err(format!(
                "node {node} leads term {term} of group {group} without the committed entry {index}; its log is {log}"
            )),
        }
    }

    /// How many entries are committed in all groups together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The last index that is known to be committed.
    #[must_use]
    pub fn last(&self, group: GroupId) -> u64 {
        self.groups.get(&group).and_then(|all| all.keys().next_back().copied()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shadow::tests::log;

    #[test]
    fn another_entry_at_a_committed_index_is_found() {
        let group = GroupId(1);
        let mut committed = Committed::default();
        committed.commits(group, (1, 2), &log(&[1, 1, 1]), 0, 2).unwrap();
        committed.commits(group, (2, 2), &log(&[1, 1, 2]), 0, 2).unwrap();
        assert_eq!((committed.total(), committed.last(group)), (2, 2));
        assert!(committed.commits(group, (3, 2), &log(&[1, 2]), 0, 2).is_err());
    }

    #[test]
    fn a_leader_without_a_committed_entry_is_found() {
        let group = GroupId(1);
        let mut committed = Committed::default();
        committed.commits(group, (1, 2), &log(&[1, 1, 1]), 0, 2).unwrap();
        committed.leads(group, (2, 3), &log(&[1, 1])).unwrap();
        committed.leads(group, (2, 3), &log(&[1, 1, 2])).unwrap();
        assert!(committed.leads(group, (3, 3), &log(&[1])).is_err());
        assert!(committed.leads(group, (3, 3), &log(&[1, 3])).is_err());
        committed.leads(group, (3, 1), &log(&[1])).unwrap();
    }
}
