//! Who a node is to its cluster: what its data directory says of that, which is durable as soon as it is written.

use std::collections::BTreeMap;

use mesh_core::meta;
use mesh_log::{
    id::GroupId,
    keeper,
    log::{Damage, RecoveredGroup},
};
use mesh_replica::members::Members;
use mesh_shard::bootstrap::Plan;
use mesh_wire::name::Name;

/// See the module.
#[derive(Debug, Clone)]
pub struct Home {
    /// The node's name.
    pub name: Name,
    /// Where it is.
    pub zone: Option<Name>,
    /// Its directory.
    pub directory: meta::Uuid,
    /// How the cluster begins, on one of its first nodes.
    pub plan: Option<Plan>,
    /// The cluster, once it is known.
    pub cluster: Option<meta::Uuid>,
    /// Whether the node has its number.
    pub numbered: bool,
}

impl Home {
    /// What the node tells of itself at a start.
    #[must_use]
    pub fn about(&self, incarnation: u64) -> meta::Join {
        meta::Join {
            name: self.name.clone(),
            directory: self.directory,
            incarnation,
            role: meta::Role::CORE,
            zone: self.zone.clone(),
            level: meta::LEVEL,
            rest: meta::Fields::new(),
        }
    }

    /// How the cluster begins, as long as the node does not know that it has begun.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref().filter(|_| self.cluster.is_none())
    }

    /// The groups that the node opens at a start whether its disk has them or not, with their first members, if it is to
    /// begin them.
    #[must_use]
    pub fn groups(&self) -> BTreeMap<GroupId, Option<Members>> {
        let own = self.plan().into_iter().flat_map(Plan::own_groups);
        let own = own.map(|(group, members)| (*group, Some(members.clone())));
        [(GroupId::META, None)].into_iter().chain(own).collect()
    }

    /// Marks groups of which something may have been lost that nothing else shows.
    pub fn doubt(
        &self,
        groups: &mut BTreeMap<GroupId, RecoveredGroup>,
        checkpoints: impl Iterator<Item = GroupId>,
        (files, log): (&[keeper::Damage], &[Damage]),
    ) {
        let damaged = files.iter().filter_map(keeper::Damage::lost_state);
        // Where it can't be said who has lost something, that may be all of what was said of a group.
        let is_blind = log.iter().any(|damage| damage.groups.is_none());
        let own = self.plan().into_iter().flat_map(Plan::own_groups).map(|(group, _)| *group);
        let doubted = checkpoints.chain(own).filter(|_| is_blind);
        for group in damaged.chain(doubted) {
            groups.entry(group).or_default().suspect = true;
        }
    }
}
