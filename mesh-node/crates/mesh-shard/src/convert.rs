//! The same numbers on both sides: the cores don't know of replicas.

use std::collections::BTreeSet;

use mesh_core::meta;
use mesh_log::id::{GroupId, LaneId};
use mesh_replica::id::NodeNumber;

pub(crate) fn group(group: meta::GroupId) -> GroupId {
    GroupId(group.0)
}

pub(crate) fn core_group(group: GroupId) -> meta::GroupId {
    meta::GroupId(group.0)
}

pub(crate) fn lane(lane: meta::LaneId) -> LaneId {
    LaneId(lane.0)
}

pub(crate) fn node(node: meta::NodeNumber) -> NodeNumber {
    NodeNumber(node.0)
}

pub(crate) fn core_node(node: NodeNumber) -> meta::NodeNumber {
    meta::NodeNumber(node.0)
}

pub(crate) fn nodes<'a>(nodes: impl IntoIterator<Item = &'a meta::NodeNumber>) -> BTreeSet<NodeNumber> {
    nodes.into_iter().copied().map(node).collect()
}

pub(crate) fn core_nodes<'a>(nodes: impl IntoIterator<Item = &'a NodeNumber>) -> BTreeSet<meta::NodeNumber> {
    nodes.into_iter().copied().map(core_node).collect()
}
