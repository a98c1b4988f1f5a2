//! Who has a replica of a group.

use std::collections::BTreeSet;

use crate::id::NodeNumber;

/// The members of a group. `outgoing` is empty but in the midst of a change (joint consensus).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members {
    /// They vote.
    pub voters: BTreeSet<NodeNumber>,
    /// They have the log and don't vote.
    pub learners: BTreeSet<NodeNumber>,
    /// Voters of the members before, whose majority counts too until the change is through.
    pub outgoing: BTreeSet<NodeNumber>,
    /// Voters that become learners when the change is through.
    pub learners_next: BTreeSet<NodeNumber>,
}

impl Members {
    /// Voters only.
    #[must_use]
    pub fn of_voters(voters: impl IntoIterator<Item = NodeNumber>) -> Self {
        Self { voters: voters.into_iter().collect(), ..Self::default() }
    }

    /// Whether a node has a replica.
    #[must_use]
    pub fn contains(&self, node: NodeNumber) -> bool {
        [&self.voters, &self.learners, &self.outgoing, &self.learners_next]
            .iter()
            .any(|set| set.contains(&node))
    }
}
