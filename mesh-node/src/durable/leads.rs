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

    /// Who leads; of a group without a replica here, one of its members, who may know.
    pub(super) fn of(&self, group: GroupId, members: impl FnOnce() -> Option<NodeNumber>) -> Lead {
        match self.here.get(&group) {
            Some(lead) => *lead,
            None => self.elsewhere.get(&group).copied().or_else(members).map_or(Lead::Nobody, Lead::There),
        }
    }
}
