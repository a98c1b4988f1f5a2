//! Handing over the lead.

use raft::StateRole;

use super::Group;
use crate::{host::Work, id::NodeNumber, machine::Machine};

/// So slow may a leader's disk be found, in points: two for each slow write that others were faster with, one less for each
/// that was not slow.
const SLOW_POINTS_MAX: u32 = 6;

impl<M: Machine> Group<M> {
    /// Hands over to a member; nothing happens when it can't be.
    pub(crate) fn transfer(&mut self, work: &mut Work<'_>, to: NodeNumber) {
        if !self.leads() || to == self.own || !self.members.voters.contains(&to) {
            return;
        }
        self.wake(work);
        self.raft.transfer_leader(to.0);
    }

    /// Hands over to whoever has most of the log. `false` when there is nobody else.
    pub(crate) fn step_down(&mut self, work: &mut Work<'_>) -> bool {
        let Some(to) = self.best_voter(|_| true) else { return false };
        self.transfer(work, to);
        true
    }

    /// The voter beside this one that has most of the log, among those that were heard of.
    pub(super) fn best_voter(&self, fits: impl Fn(NodeNumber) -> bool) -> Option<NodeNumber> {
        if self.raft.raft.state != StateRole::Leader {
            return None;
        }
        let progress = |node: &NodeNumber| self.raft.raft.prs().get(node.0);
        let others = self.members.voters.iter().copied().filter(|node| *node != self.own && fits(*node));
        let active = others.filter(|node| progress(node).is_some_and(|progress| progress.recent_active));
        active.max_by_key(|node| {
            (progress(node).map_or(0, |progress| progress.matched), std::cmp::Reverse(*node))
        })
    }

    /// What a leader looks at from time to time.
    pub(super) fn tick_lead(&mut self, work: &mut Work<'_>) {
        let slow = self.lead.as_ref().is_some_and(|lead| lead.slow >= SLOW_POINTS_MAX);
        if slow
            && self.step_down(work)
            && let Some(lead) = &mut self.lead
        {
            lead.slow = 0;
        }
        self.tick_offers(work);
    }
}
