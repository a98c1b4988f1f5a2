//! Who leads which group, as far as is known here.

use std::collections::BTreeMap;

use mesh_log::id::GroupId;
use mesh_replica::{
    id::NodeNumber,
    view::{Role, View},
};

/// Who leads a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    /// This node.
    Here,
    /// Another one.
    There(NodeNumber),
    /// Nobody, as far as is known.
    Nobody,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Leads {
    here: BTreeMap<GroupId, Lead>,
    /// Of groups without a replica here: whoever led when last heard.
    elsewhere: BTreeMap<GroupId, NodeNumber>,
}

impl Leads {
    /// A replica here has changed; true when the lead has.
    pub(super) fn changed(&mut self, group: GroupId, view: Option<&View>) -> bool {
        // One in quarantine takes no part: others are asked as if it were not here.
        let Some(view) = view.filter(|view| !view.quarantined) else {
            return self.here.remove(&group).is_some();
        };
        let lead = match (view.role, view.leader) {
            (Role::Leader, _) => Lead::Here,
            (_, Some(leader)) => Lead::There(leader),
            (_, None) => Lead::Nobody,
        };
        self.here.insert(group, lead) != Some(lead)
    }

    /// Whether any group is led here.
    pub(super) fn any_here(&self) -> bool {
        self.here.values().any(|lead| *lead == Lead::Here)
    }

    /// Whether the group has no replica here that takes part.
    pub(super) fn is_elsewhere(&self, group: GroupId) -> bool {
        !self.here.contains_key(&group)
    }

    /// A member has said who leads a group that has no replica here; `None`: not the one that was taken for it.
    pub(super) fn heard(&mut self, group: GroupId, leader: Option<NodeNumber>) {
        match leader {
            Some(leader) => self.elsewhere.insert(group, leader),
            None => self.elsewhere.remove(&group),
        };
    }

    /// Who leads; of a group without a replica here, one of its members, who may know. `is_up`: whether a node can be
    /// reached. `members`: those that are to have the group; none when this node is one of them, or nobody knows.
    pub(super) fn of(
        &self,
        group: GroupId,
        is_up: impl Fn(NodeNumber) -> bool,
        members: impl FnOnce() -> Vec<NodeNumber>,
    ) -> Lead {
        match self.here.get(&group) {
            // A replica that its group has left behind hears of no leader any more, until it is given up.
            Some(Lead::Nobody) | None => {}
            Some(lead) => return *lead,
        }
        let members = members();
        if members.is_empty() {
            return Lead::Nobody;
        }
        let heard = self.elsewhere.get(&group).copied().filter(|node| is_up(*node));
        heard.or_else(|| members.into_iter().find(|node| is_up(*node))).map_or(Lead::Nobody, Lead::There)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: GroupId = GroupId(3);

    fn of(leads: &Leads, up: &[u64], members: &[u64]) -> Lead {
        let members = || members.iter().copied().map(NodeNumber).collect();
        leads.of(GROUP, |node| up.contains(&node.0), members)
    }

    #[test]
    fn of_a_group_that_is_elsewhere_a_member_is_asked_that_can_be_reached() {
        let mut leads = Leads::default();
        assert_eq!(of(&leads, &[4, 5], &[3, 4, 5]), Lead::There(NodeNumber(4)));
        leads.heard(GROUP, Some(NodeNumber(5)));
        assert_eq!(of(&leads, &[4, 5], &[3, 4, 5]), Lead::There(NodeNumber(5)), "the one that was named");
        assert_eq!(of(&leads, &[3, 4], &[3, 4, 5]), Lead::There(NodeNumber(3)), "which is gone");
        assert_eq!(of(&leads, &[], &[3, 4, 5]), Lead::Nobody);
        assert_eq!(of(&leads, &[5], &[]), Lead::Nobody);
    }

    #[test]
    fn a_replica_that_was_left_behind_does_not_keep_others_from_being_asked() {
        let mut leads = Leads::default();
        leads.here.insert(GROUP, Lead::Nobody);
        assert_eq!(of(&leads, &[4], &[4]), Lead::There(NodeNumber(4)));
        assert_eq!(of(&leads, &[4], &[]), Lead::Nobody, "this node is a member: it will hear who leads");
        leads.here.insert(GROUP, Lead::There(NodeNumber(2)));
        assert_eq!(of(&leads, &[4], &[4]), Lead::There(NodeNumber(2)));
    }
}
