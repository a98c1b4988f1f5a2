//! Who a node is to a cluster, and how one that has no number gets one.
//!
//! ```text
//!   data directory ─► start ─┬─ knows its number ─► Resume (and report)
//!                            ├─ empty, with --bootstrap or alone ─► Begin
//!                            └─ empty ─► Join: asks a peer, who asks the meta group's leader
//! ```

use mesh_core::meta::{Join, Meta, NodeNumber as Number, Uuid};
use mesh_replica::id::NodeNumber;
use mesh_wire::{code::Code, name::Name};

use crate::{bootstrap, convert};

/// What a data directory says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directory {
    /// Its UUID.
    pub uuid: Uuid,
    /// The cluster that it belongs to, once that is known.
    pub cluster: Option<Uuid>,
    /// The number that its node has, once it has one.
    pub number: Option<NodeNumber>,
}

/// How a node begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// It goes on as who it was.
    Resume(NodeNumber),
    /// It begins a cluster. The number has to be in the directory, durably, before any group is opened.
    Begin(bootstrap::Plan),
    /// It asks the nodes that it knows for a number.
    Join,
}

/// How a node begins: with `plan`, if its settings say that it may begin a cluster.
#[must_use]
pub fn start(directory: &Directory, plan: Option<bootstrap::Plan>) -> Start {
    match (directory.number, plan) {
        (Some(number), _) => Start::Resume(number),
        // A directory of a cluster never begins another one.
        (None, Some(plan)) if directory.cluster.is_none() => Start::Begin(plan),
        (None, _) => Start::Join,
    }
}

/// Who the other side of a link says that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its name, as the link has proved it.
    pub name: Name,
    /// The cluster that it belongs to, if it knows.
    pub cluster: Option<Uuid>,
    /// Its data directory.
    pub directory: Uuid,
    /// Its number, if it has one.
    pub number: Option<NodeNumber>,
    /// The highest feature level that it can read.
    pub level: u32,
}

/// Who it is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The node of this number; what it says in groups is heard.
    Known(NodeNumber),
    /// It has no number here yet: nothing but a request to join is heard.
    Unknown,
    /// Nothing is heard from it: told with this code.
    Refused(Code),
}

/// Who the other side of a link is, as far as is known here.
#[must_use]
pub fn judge(meta: &Meta, claim: &Claim) -> Verdict {
    if let (Some(ours), Some(theirs)) = (meta.cluster(), claim.cluster)
        && ours != theirs
    {
        return Verdict::Refused(Code::DataDirOtherCluster);
    }
    if claim.level < meta.level() {
        return Verdict::Refused(Code::FeatureLevelTooLow);
    }
    let Some(claimed) = claim.number else {
        // It may have asked already, and not have heard the answer.
        let known = meta.node_of_directory(claim.directory);
        return known.map_or(Verdict::Unknown, |node| Verdict::Known(convert::node(node.number)));
    };
    if meta.cluster().is_none() {
        // Before anything is known of anyone; only nodes that begin a cluster together are here.
        return Verdict::Known(claimed);
    }
    let number = Number(claimed.0);
    match meta.node(number) {
        Some(node) if node.name != claim.name => Verdict::Refused(Code::NodeNumberTaken),
        Some(node) if node.directory.is_some_and(|directory| directory != claim.directory) => {
            Verdict::Refused(Code::NodeNumberTaken)
        }
        Some(_) => Verdict::Known(claimed),
        None if meta.is_removed(number) => Verdict::Refused(Code::NodeNumberUnknown),
        // Later than what we have heard of.
        None => Verdict::Known(claimed),
    }
}

/// Whether a directory has to ask for a number although it has one: it was told that the number is another's, so what it
/// holds is of no use and has to go first. Never by itself: `None` unless it is empty.
#[must_use]
pub fn asks(directory: &Directory, about: Join) -> Option<Join> {
    directory.number.is_none().then_some(about)
}
