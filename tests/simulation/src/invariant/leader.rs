//! Of a term there is at most one leader ("Election Safety" in the Raft paper).

use std::collections::BTreeMap;

use mesh_log::id::GroupId;

use super::Verdict;

/// Who led which term.
#[derive(Debug, Default)]
pub struct OneLeader(BTreeMap<(GroupId, u64), u64>);

impl OneLeader {
    /// A node says that it leads a term.
    ///
    /// # Errors
    /// When another one has.
    pub fn leads(&mut self, group: GroupId, term: u64, node: u64) -> Verdict {
        match *self.0.entry((group, term)).or_insert(node) {
            other if other == node => Ok(()),
            other => Err(format!("nodes {other} and {node} both led term {term} of group {group}")),
        }
    }

    /// How many terms had a leader.
    #[must_use]
    pub fn elections(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_in_a_term_are_one_too_many() {
        let mut one = OneLeader::default();
        for (group, term, node) in [(1, 1, 1), (1, 2, 2), (2, 1, 2), (1, 1, 1)] {
            one.leads(GroupId(group), term, node).unwrap();
        }
        assert!(one.leads(GroupId(1), 2, 1).is_err());
        assert_eq!(one.elections(), 3);
    }
}
