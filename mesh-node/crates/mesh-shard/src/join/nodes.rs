//! Who the others are.

use mesh_core::meta::{self, Meta, NodeState};
use mesh_log::directory::Uuid;
use mesh_replica::{
    id::NodeNumber,
    ident::{Known, Registry},
};

use mesh_wire::code::Code;

use super::Directory;
use crate::{bootstrap::Plan, convert};

/// What a node does that is refused under its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It forgets its number and its groups, and joins.
    BeginAnew,
    /// Its groups take no part. What its directory holds was promised, and is for a person to look at.
    Stop,
}

/// What a node does that a peer refused with this code: the peer knows the number as another directory's, or as gone.
#[must_use]
pub fn refused(directory: &Directory, code: Code) -> Option<Refused> {
    match code {
        Code::NodeNumberTaken | Code::NodeNumberUnknown
            if directory.cluster.is_none() && !directory.agreed =>
        {
            Some(Refused::BeginAnew)
        }
        Code::NodeNumberTaken | Code::NodeNumberUnknown | Code::DataDirOtherCluster => Some(Refused::Stop),
        _ => None,
    }
}

/// What this node knows of the others: the meta group as it is applied here, or the first nodes before that.
#[derive(Debug, Clone, Copy)]
pub struct Nodes<'a> {
    /// The meta group's state.
    pub meta: &'a Meta,
    /// How the cluster is to begin, at one of the first nodes.
    pub plan: Option<&'a Plan>,
    /// The directories of nodes 1, 2, …, if this is one of the first nodes and they have agreed.
    pub founders: &'a [Uuid],
}

impl Nodes<'_> {
    fn first(&self, matches: impl Fn(NodeNumber, &str) -> bool) -> Option<Known> {
        let plan = self.plan.filter(|_| self.meta.cluster().is_none())?;
        let mut numbered = (1..).map(NodeNumber).zip(&plan.nodes);
        let (number, _) = numbered.find(|(number, name)| matches(*number, name.as_str()))?;
        Some(self.founder(number).unwrap_or(Known { number, directory: None, gone: false }))
    }

    /// One of those that have agreed, before the cluster says more of it.
    fn founder(&self, number: NodeNumber) -> Option<Known> {
        let at = usize::try_from(number.0).ok()?.checked_sub(1)?;
        let directory = self.founders.get(at).filter(|_| self.meta.cluster().is_none())?;
        Some(Known { number, directory: Some(*directory), gone: false })
    }
}

impl Registry for Nodes<'_> {
    fn by_number(&self, number: NodeNumber) -> Option<Known> {
        let core = convert::core_node(number);
        if self.meta.is_removed(core) {
            return Some(Known { number, directory: None, gone: true });
        }
        let of_meta = self.meta.node(core).map(known);
        of_meta.or_else(|| self.founder(number)).or_else(|| self.first(|other, _| other == number))
    }

    fn by_directory(&self, directory: Uuid) -> Option<Known> {
        let founder = || {
            let at = self.founders.iter().position(|founder| *founder == directory)?;
            self.founder(NodeNumber(at as u64 + 1))
        };
        self.meta.node_of_directory(convert::core_uuid(directory)).map(known).or_else(founder)
    }

    fn by_name(&self, name: &str) -> Option<Known> {
        self.meta.node_named(name).map(known).or_else(|| self.first(|_, other| other == name))
    }
}

fn known(node: &meta::Node) -> Known {
    Known {
        number: convert::node(node.number),
        directory: node.directory.map(convert::uuid),
        // One that is leaving still votes, until its groups have others.
        gone: node.state == NodeState::Lost,
    }
}
