//! How a cluster begins: on one node by itself, or on those that `--bootstrap` names.
//!
//! All first nodes make the same plan from the same list, so that they agree before there is anything to agree with: the
//! members of every group. What they can't agree on without a leader, the cluster's UUID, is the first command of the
//! meta group, by its first leader. A data directory that belongs to a cluster never begins another one.

use std::collections::BTreeSet;

use mesh_core::meta::{self, Found, LEVEL, NODES_MAX, REPLICAS, SHARDS_MAX, Uuid, place};
use mesh_log::id::GroupId;
use mesh_replica::{id::NodeNumber, members::Members};
use mesh_wire::{
    code::Code,
    name::{Name, NameError},
};

use crate::convert;

/// How a cluster begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// This node's number.
    pub own: NodeNumber,
    /// The nodes 1, 2, … by their names.
    pub nodes: Vec<Name>,
    /// The members of each group, the meta group's first.
    pub groups: Vec<(GroupId, Members)>,
    replicas: u32,
    voters: Vec<BTreeSet<meta::NodeNumber>>,
}

/// What a cluster is to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many shards it has, for good.
    pub shards: u32,
    /// How many replicas each group has, when there are so many nodes: 1, 3 or 5.
    pub replicas: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { shards: 16, replicas: 3 }
    }
}

/// Why a cluster can't begin like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name is malformed.
    #[error("the name of a node: {0}")]
    Name(#[from] NameError),
    /// A name is there twice.
    #[error("`{0}` is there twice")]
    Twice(Name),
    /// The node's own name is not there.
    #[error("the node itself, `{0}`, is not among them")]
    NotAmong(Name),
    /// None, or more than there may be.
    #[error("{0} nodes, not 1 to {NODES_MAX}")]
    Nodes(usize),
    /// None, or more than there may be.
    #[error("{0} shards, not 1 to {SHARDS_MAX}")]
    Shards(u32),
    /// Not one of those that there may be.
    #[error("{0} replicas, not 1, 3 or 5")]
    Replicas(u32),
}

impl Error {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::BootstrapInvalid
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same can succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}

/// The plan of a node that stands alone.
///
/// # Errors
/// When the options can't be.
pub fn standalone(name: Name, options: Options) -> Result<Plan, Error> {
    static_(&name.clone(), vec![name], options)
}

/// The plan of one of several first nodes: the same for all of them, but for whose it is. Each group has as many
/// replicas as is asked for, or the most of 1, 3 and 5 that there are nodes for.
///
/// # Errors
/// When the list or the options can't be.
pub fn static_(own: &Name, nodes: Vec<Name>, options: Options) -> Result<Plan, Error> {
    if !(1..=NODES_MAX).contains(&nodes.len()) {
        return Err(Error::Nodes(nodes.len()));
    }
    if !(1..=SHARDS_MAX).contains(&options.shards) {
        return Err(Error::Shards(options.shards));
    }
    if !REPLICAS.contains(&options.replicas) {
        return Err(Error::Replicas(options.replicas));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = nodes.iter().find(|name| !seen.insert(*name)) {
        return Err(Error::Twice(twice.clone()));
    }
    let at = nodes.iter().position(|name| name == own).ok_or_else(|| Error::NotAmong(own.clone()))?;
    let possible = REPLICAS.into_iter().filter(|count| *count <= options.replicas);
    let replicas = possible.filter(|count| *count as usize <= nodes.len()).max().unwrap_or(1);
    let numbers: Vec<_> = (1..=nodes.len() as u64).map(|number| (meta::NodeNumber(number), None)).collect();
    let voters = place::begin(&numbers, options.shards + 1, replicas);
    let groups =
        (0..).map(GroupId).zip(voters.iter().map(|voters| Members::of_voters(convert::nodes(voters))));
    let mut groups: Vec<_> = groups.collect();
    if let Some((_, members)) = groups.first_mut() {
        // Every node knows the cluster.
        members.learners =
            (1..=nodes.len() as u64).map(NodeNumber).filter(|node| !members.voters.contains(node)).collect();
    }
    Ok(Plan { own: NodeNumber(at as u64 + 1), nodes, groups, replicas, voters })
}

impl Plan {
    /// The first command of the meta group, which its leader proposes as long as there is no cluster. `directories`: those
    /// of the nodes, as they have agreed.
    #[must_use]
    pub fn found(&self, cluster: Uuid, directories: Vec<Uuid>) -> meta::Command {
        meta::Command::Found(Found {
            cluster,
            nodes: self.nodes.clone(),
            directories,
            replicas: self.replicas,
            level: LEVEL,
            groups: self.voters.clone(),
        })
    }

    /// The groups that this node has a replica of.
    pub fn own_groups(&self) -> impl Iterator<Item = &(GroupId, Members)> {
        self.groups.iter().filter(|(_, members)| members.contains(self.own))
    }
}

#[cfg(test)]
mod tests;
