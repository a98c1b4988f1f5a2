//! Why a group did not do what it was asked.

use crate::id::NodeNumber;

/// A refusal. [`Refused::Unknown`] is the only one after which a command may have taken effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// There is no such group here.
    #[error("no replica of this group is on this node")]
    NoGroup,
    /// Another node leads, or nobody does.
    #[error("this node does not lead the group")]
    NotLeader {
        /// Who does, as far as is known.
        leader: Option<NodeNumber>,
    },
    /// As much as may wait is waiting.
    #[error("too much waits to be committed")]
    Busy,
    /// The command is larger than an entry may be.
    #[error("a command of {size} bytes, more than {max}")]
    TooLarge {
        /// Its bytes.
        size: usize,
        /// The most that there may be.
        max: usize,
    },
    /// The disk is full.
    #[error("the disk of this node is full")]
    DiskFull,
    /// Leadership was lost, or time was up, while it was on its way: it may be committed, or may be yet.
    #[error("it is not known whether it was committed")]
    Unknown,
    /// A change of members is under way, or this one can't be.
    #[error("the members can't be changed like this now")]
    Members,
    /// The group here has lost what it had promised to keep, and takes no part.
    #[error("the replica of this group is in quarantine")]
    Quarantined,
    /// The records are not there: never were, or not any more.
    #[error("no such records")]
    NoRecords,
    /// What is on disk is not what was written, and no other replica that can be reached has an intact copy.
    #[error("the records are damaged on this node's disk, and nobody else gave an intact copy")]
    Lost,
    /// What is on disk is not what was written; a copy is being fetched from a peer, if there is one.
    #[error("the records are damaged on this node's disk")]
    Damaged,
}
