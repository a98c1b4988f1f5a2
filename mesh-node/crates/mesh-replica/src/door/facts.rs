//! What the door has to know of a replica.

use mesh_log::record::Entry;

use crate::{id::NodeNumber, members::Members};

/// What a replica is at the moment, as raft has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It follows, or learns.
    Follower,
    /// It asks whether it would be elected.
    PreCandidate,
    /// It stands for election.
    Candidate,
    /// It leads.
    Leader,
}

/// The terms of a log's entries.
pub trait Terms {
    /// The term of an entry that is there, or of the last one that was cut off; `None` elsewhere.
    fn term(&self, index: u64) -> Option<u64>;
}

/// What the door has to know of a replica. All of it is in memory; made for each message.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// This node.
    pub own: NodeNumber,
    /// The members, as of the entries that are applied here: others may know later ones.
    pub members: &'a Members,
    /// What the replica is.
    pub role: Role,
    /// Its term.
    pub term: u64,
    /// Who leads in that term, as far as is known.
    pub leader: Option<NodeNumber>,
    /// Its last index, in memory.
    pub last: u64,
    /// Its last index that is durable.
    pub persisted: u64,
    /// The last index that is known to be committed.
    pub commit: u64,
    /// Its priority in elections.
    pub priority: i64,
    /// It has acknowledged nothing since it was made here, and was not found on disk.
    pub is_new: bool,
    /// The terms of its entries.
    pub terms: &'a dyn Terms,
    /// Whether the payload of an entry can be read when it will be applied.
    pub is_readable: &'a dyn Fn(&Entry) -> bool,
}

impl std::fmt::Debug for Facts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Facts")
            .field("own", &self.own)
            .field("role", &self.role)
            .field("term", &self.term)
            .field("leader", &self.leader)
            .field("last", &self.last)
            .field("persisted", &self.persisted)
            .field("commit", &self.commit)
            .finish_non_exhaustive()
    }
}

impl Facts<'_> {
    /// The term of the last entry.
    pub(super) fn last_term(&self) -> u64 {
        self.terms.term(self.last).unwrap_or(0)
    }
}
