//! What can be seen of a group.

use std::collections::{BTreeMap, BTreeSet};

use crate::{id::NodeNumber, members::Members};

/// What a replica is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It leads.
    Leader,
    /// It follows, or would if there were a leader.
    Follower,
    /// It stands for election.
    Candidate,
    /// It has the log and does not vote.
    Learner,
}

/// A replica of a group as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Who leads, as far as is known here.
    pub leader: Option<NodeNumber>,
    /// The term.
    pub term: u64,
    /// What this replica is.
    pub role: Role,
    /// The members, as of the entries that are applied here.
    pub members: Members,
    /// The first index whose entry is in memory.
    pub first: u64,
    /// The last index.
    pub last: u64,
    /// The last index that is durable here.
    pub persisted: u64,
    /// The last index that is known to be committed.
    pub commit: u64,
    /// The last index that is applied.
    pub applied: u64,
    /// The index of the last durable checkpoint.
    pub checkpoint: u64,
    /// At a leader: how many entries each other member lacks.
    pub lag: BTreeMap<NodeNumber, u64>,
    /// Whether it rests: nothing to do, no ticks.
    pub rests: bool,
    /// It has lost what it had promised to keep: it neither votes nor acknowledges, until it was taken out of the members and
    /// is filled from a snapshot.
    pub quarantined: bool,
    /// A snapshot is being fetched.
    pub fetching: bool,
    /// A change of members is under way.
    pub changing: bool,
    /// At a leader: a majority knows durably that these are the members. Until then some may have to ask who was a member
    /// before, to elect anybody.
    pub settled: bool,
    /// Bytes of the log in memory.
    pub log_bytes: usize,
    /// At a leader: members that have lost what they had promised to keep, and say so. They count for nothing, and come back
    /// once they were taken out of the members.
    pub forgot: BTreeSet<NodeNumber>,
    /// Pieces of its records that are damaged or missing here, and are fetched from others.
    pub damaged: usize,
    /// Those of them of which nobody had an intact copy when they were last asked for.
    pub lost: usize,
}
