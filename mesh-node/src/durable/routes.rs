//! Which group keeps which lane, as the meta group says.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use mesh_core::meta::{self, Meta};
use mesh_log::id::{GroupId, LaneId};
use mesh_replica::{host::Host, id::NodeNumber};
use mesh_shard::ShardMachine;

/// What the meta group says, by lane: its own order is by name.
#[derive(Debug, Default)]
pub(super) struct Routes {
    lanes: HashMap<LaneId, GroupId, RandomState>,
    /// The last entry of the meta group that it was made from.
    as_of: u64,
}

/// What the cluster knows of itself, as far as it is known here.
pub(super) fn meta(host: Option<&Host<ShardMachine>>) -> Option<&Meta> {
    host.and_then(|host| host.machine(GroupId::META)?.meta())
}

impl Routes {
    /// The group that keeps a lane.
    pub(super) fn group_of(&mut self, lane: LaneId, host: Option<&Host<ShardMachine>>) -> Option<GroupId> {
        if let Some(group) = self.lanes.get(&lane) {
            return Some(*group);
        }
        // Only what was declared since can be missing.
        let applied = host?.group(GroupId::META)?.applied;
        if applied == self.as_of {
            return None;
        }
        let declared = meta(host)?.declarations();
        self.lanes = declared.map(|one| (LaneId(one.lane.0), GroupId(one.group.0))).collect();
        self.as_of = applied;
        self.lanes.get(&lane).copied()
    }
}

/// The nodes that are to have a replica of a group: none when this one is to have one that takes part (`or_own`: also
/// then), or when that is not known.
pub(super) fn members(group: GroupId, host: Option<&Host<ShardMachine>>, or_own: bool) -> Vec<NodeNumber> {
    let own = host.map(|host| host.options().own);
    let wanted = meta(host).and_then(|meta| Some(&meta.group(meta::GroupId(group.0))?.wanted));
    let wanted: Vec<_> = wanted.into_iter().flatten().map(|node| NodeNumber(node.0)).collect();
    let is_here = own.is_some_and(|own| wanted.contains(&own));
    let others = wanted.into_iter().filter(|node| Some(*node) != own);
    others.filter(|_| or_own || !is_here).collect()
}
