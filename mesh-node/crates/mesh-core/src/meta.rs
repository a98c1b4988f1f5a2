//! What a cluster knows of itself: its nodes, who is to hold which group, what is declared, which formats may be written.
//!
//! ```text
//!   Found ─► cluster UUID, shards, nodes 1..n           Meta ─► node, declaration, group: who, where
//!   Join, Report, Drain, Leave, Forget ─► nodes              └► feature level: what may be written
//!   Place (decided by the leader) ─► wanted members of a group
//!   Settled (told by a group's leader) ─► the members that it has
//!   Declare ─► lane of a name, on a shard
//! ```
//! A state machine: the same commands in the same order give the same state everywhere, also on nodes of different
//! versions. So nothing is decided in it that a later version may want to decide otherwise: where replicas go is planned
//! by the leader ([`place`]) and written down as a command. Fields that this version doesn't know are kept.

mod apply;
mod command;
mod declaration;
mod fields;
mod group;
mod id;
mod node;
pub mod place;
mod refusal;
mod reply;
mod state;

use std::collections::BTreeMap;

pub use self::{
    command::{Command, Found, Join, Report, Settled, Wanted},
    declaration::{Declaration, Kind},
    group::{Actual, Group},
    id::{GroupId, LaneId, NodeNumber, Uuid},
    node::{Node, NodeState, Role},
    refusal::Refusal,
    reply::Reply,
};
pub use crate::tagged::{Error as FormatError, Fields};
use mesh_wire::name::Name;

/// The highest feature level that this version can read and write.
pub const LEVEL: u32 = 1;
/// Most nodes of a cluster at a time.
pub const NODES_MAX: usize = 1024;
/// Most shards of a cluster.
pub const SHARDS_MAX: u32 = 1024;
/// Most declarations of a cluster.
pub const DECLARATIONS_MAX: usize = 1 << 18;
/// Most voters of a group, in the midst of a change of plan as well.
pub const VOTERS_MAX: usize = 7;
/// How many replicas a group may have.
pub const REPLICAS: [u32; 3] = [1, 3, 5];

/// The state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meta {
    cluster: Option<Uuid>,
    level: u32,
    replicas: u32,
    next_node: u64,
    next_lane: u64,
    nodes: BTreeMap<NodeNumber, Node>,
    groups: BTreeMap<GroupId, Group>,
    declarations: BTreeMap<(Kind, Name), Declaration>,
    rest: Fields,
}

impl Meta {
    /// Of a cluster that is not founded yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The cluster, once it is founded.
    #[must_use]
    pub fn cluster(&self) -> Option<Uuid> {
        self.cluster
    }

    /// What may be written: all nodes can read it. Rises only.
    #[must_use]
    pub fn level(&self) -> u32 {
        self.level
    }

    /// How many replicas each group is to have.
    #[must_use]
    pub fn replicas(&self) -> u32 {
        self.replicas
    }

    /// All nodes, by their numbers.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// The node of a number; none for one that was removed or never given.
    #[must_use]
    pub fn node(&self, number: NodeNumber) -> Option<&Node> {
        self.nodes.get(&number)
    }

    /// Whether a number was given to a node that is no more.
    #[must_use]
    pub fn is_removed(&self, number: NodeNumber) -> bool {
        number.0 > 0 && number.0 < self.next_node && !self.nodes.contains_key(&number)
    }

    /// The node of a name: the newest one, should an older one not be gone yet.
    #[must_use]
    pub fn node_named(&self, name: &str) -> Option<&Node> {
        self.nodes.values().rev().find(|node| node.name.as_str() == name)
    }

    /// The node with this data directory.
    #[must_use]
    pub fn node_of_directory(&self, directory: Uuid) -> Option<&Node> {
        self.nodes.values().find(|node| node.directory == Some(directory))
    }

    /// All groups, the meta group first.
    pub fn groups(&self) -> impl Iterator<Item = (GroupId, &Group)> {
        self.groups.iter().map(|(id, group)| (*id, group))
    }

    /// The shards: all groups but the meta group.
    pub fn shards(&self) -> impl Iterator<Item = GroupId> {
        self.groups.keys().copied().filter(|group| *group != GroupId::META)
    }

    /// A group.
    #[must_use]
    pub fn group(&self, group: GroupId) -> Option<&Group> {
        self.groups.get(&group)
    }

    /// All declarations, by kind and name.
    pub fn declarations(&self) -> impl ExactSizeIterator<Item = &Declaration> {
        self.declarations.values()
    }

    /// The first lane that was not given to a declaration yet; none is given twice.
    #[must_use]
    pub fn next_lane(&self) -> LaneId {
        LaneId(self.next_lane)
    }

    /// What is declared under a name.
    #[must_use]
    pub fn declaration(&self, kind: Kind, name: &Name) -> Option<&Declaration> {
        self.declarations.get(&(kind, name.clone()))
    }
}

#[cfg(test)]
mod tests;
