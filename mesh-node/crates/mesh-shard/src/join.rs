//! How a node begins, who it is to a cluster, and how one that has no number gets one.
//!
//! ```text
//!   data directory ─► start ─┬─ has a number ─────────────────────► Resume
//!                            ├─ empty, alone or with --bootstrap ─► Begin
//!                            └─ empty ────────────────────────────► Join: ask ─► a peer: admit ─► meta group: answer
//! ```
//! A node that lost its directory begins like any empty one. With `--bootstrap` it takes itself for one of the first,
//! until one that remembers another directory under its number tells it so. As long as it has not agreed with the other
//! founders (see [`crate::founding`]) it has promised nothing to anyone, so it may forget its number then, and join.

mod nodes;
mod number;

use mesh_log::directory::Uuid;
use mesh_replica::id::NodeNumber;

use crate::bootstrap::Plan;

pub use self::{
    nodes::{Nodes, Refused, refused},
    number::{admit, answer, ask},
};

/// What a data directory says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Directory {
    /// The cluster that it belongs to, once that is known.
    pub cluster: Option<Uuid>,
    /// The number that its node has, once it has one.
    pub number: Option<NodeNumber>,
    /// Whether its node has agreed with the other founders of the cluster.
    pub agreed: bool,
}

/// How a node begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// It goes on as who it was. With the plan when its cluster was not founded, as far as it knows.
    Resume(NodeNumber, Option<Plan>),
    /// It begins a cluster. The number has to be in the directory, durably, before any group is opened.
    Begin(Plan),
    /// It asks the nodes that it knows for a number.
    Join,
}

/// How a node begins: with `plan`, if its settings say that it may begin a cluster.
#[must_use]
pub fn start(directory: &Directory, plan: Option<Plan>) -> Start {
    // A directory of a cluster never begins another one.
    let plan = plan.filter(|_| directory.cluster.is_none());
    match (directory.number, plan) {
        (Some(number), plan) => Start::Resume(number, plan.filter(|plan| plan.own == number)),
        (None, Some(plan)) => Start::Begin(plan),
        (None, None) => Start::Join,
    }
}

#[cfg(test)]
mod tests;
