//! What the write-ahead log holds.

use crate::{id::GroupId, payload::Payload};

/// What an entry is to its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EntryKind {
    /// Commands for the state machine; empty when a leader begins its term.
    Commands = 0,
    /// A change of members (joint form).
    Members = 1,
}

/// An entry of a group's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The term of the leader that formed it.
    pub term: u64,
    /// Its place, from 1.
    pub index: u64,
    /// What it is.
    pub kind: EntryKind,
    /// Its bytes.
    pub payload: Payload,
}

/// What a replica must never forget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HardState {
    /// The latest term it knows.
    pub term: u64,
    /// Whom it voted for in that term; 0 for nobody.
    pub vote: u64,
    /// An index that is known to be committed.
    pub commit: u64,
}

/// One thing to be written. Of a group, a later record counts more than an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// An entry; it takes the place of everything of its group from its index on.
    Entry {
        /// Whose.
        group: GroupId,
        /// The entry.
        entry: Entry,
    },
    /// The state of a replica.
    State {
        /// Whose.
        group: GroupId,
        /// The state.
        state: HardState,
    },
    /// The group's log begins behind `index`: everything up to there is in a checkpoint that is durable. When the entry
    /// at `index` is not there or has another term, nothing of the log behind it is left either (a snapshot came).
    Cut {
        /// Whose.
        group: GroupId,
        /// The last index that the checkpoint has.
        index: u64,
        /// Its term.
        term: u64,
    },
    /// The group has no replica here any more. Its last [`HardState`] is kept, so that no vote is given twice.
    Removed {
        /// Whose.
        group: GroupId,
    },
}

impl Record {
    /// Whose record it is.
    #[must_use]
    pub fn group(&self) -> GroupId {
        match self {
            Self::Entry { group, .. }
            | Self::State { group, .. }
            | Self::Cut { group, .. }
            | Self::Removed { group } => *group,
        }
    }
}
