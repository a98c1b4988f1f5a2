//! The same names on both sides: the cores know neither of replicas nor of disks.

use std::collections::BTreeSet;

use mesh_core::meta;
use mesh_log::{
    directory::Uuid,
    id::{GroupId, LaneId},
};
use mesh_replica::id::NodeNumber;

/// A group, for replicas.
#[must_use]
pub fn group(group: meta::GroupId) -> GroupId {
    GroupId(group.0)
}

/// A group, for cores.
#[must_use]
pub fn core_group(group: GroupId) -> meta::GroupId {
    meta::GroupId(group.0)
}

/// A lane, for replicas.
#[must_use]
pub fn lane(lane: meta::LaneId) -> LaneId {
    LaneId(lane.0)
}

/// A lane, for cores.
#[must_use]
pub fn core_lane(lane: LaneId) -> meta::LaneId {
    meta::LaneId(lane.0)
}

/// A node, for replicas.
#[must_use]
pub fn node(node: meta::NodeNumber) -> NodeNumber {
    NodeNumber(node.0)
}

/// A node, for cores.
#[must_use]
pub fn core_node(node: NodeNumber) -> meta::NodeNumber {
    meta::NodeNumber(node.0)
}

/// Nodes, for replicas.
#[must_use]
pub fn nodes<'a>(nodes: impl IntoIterator<Item = &'a meta::NodeNumber>) -> BTreeSet<NodeNumber> {
    nodes.into_iter().copied().map(node).collect()
}

/// Nodes, for cores.
#[must_use]
pub fn core_nodes<'a>(nodes: impl IntoIterator<Item = &'a NodeNumber>) -> BTreeSet<meta::NodeNumber> {
    nodes.into_iter().copied().map(core_node).collect()
}

/// A UUID, for disks.
#[must_use]
pub fn uuid(uuid: meta::Uuid) -> Uuid {
    Uuid(u128::from_be_bytes(uuid.0))
}

/// A UUID, for cores.
#[must_use]
pub fn core_uuid(uuid: Uuid) -> meta::Uuid {
    meta::Uuid(uuid.0.to_be_bytes())
}
