//! Who has a replica of a group.

mod change;

use std::collections::BTreeSet;

use raft::eraftpb::ConfState;

pub(crate) use self::change::Change;
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

    /// Whether a change is under way: two majorities count.
    #[must_use]
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// All nodes that have a replica.
    pub fn all(&self) -> impl Iterator<Item = NodeNumber> {
        let mut all = self.voters.clone();
        all.extend(self.learners.iter().chain(&self.outgoing).chain(&self.learners_next));
        all.into_iter()
    }

    pub(crate) fn to_conf_state(&self) -> ConfState {
        let numbers = |set: &BTreeSet<NodeNumber>| set.iter().map(|node| node.0).collect();
        ConfState {
            voters: numbers(&self.voters),
            learners: numbers(&self.learners),
            voters_outgoing: numbers(&self.outgoing),
            learners_next: numbers(&self.learners_next),
            auto_leave: false,
        }
    }

    pub(crate) fn from_conf_state(state: &ConfState) -> Self {
        let nodes = |numbers: &[u64]| numbers.iter().copied().map(NodeNumber).collect();
        Self {
            voters: nodes(&state.voters),
            learners: nodes(&state.learners),
            outgoing: nodes(&state.voters_outgoing),
            learners_next: nodes(&state.learners_next),
        }
    }
}
