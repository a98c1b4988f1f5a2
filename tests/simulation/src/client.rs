//! A client: one producer that appends to one lane, and reads it.

use bytes::Bytes;
use mesh_log::{
    id::{GroupId, LaneId},
    vfs::simulated::SplitMix64,
};

use crate::invariant::model::RecordId;

/// What a client is at.
#[derive(Debug, Clone)]
pub enum Doing {
    /// Nothing.
    Idle,
    /// Appending, until it is told that it is done.
    Append {
        /// The first record.
        first: RecordId,
        /// How many.
        count: u64,
        /// The command, the same at each try.
        command: Bytes,
    },
    /// Giving up what is old, until it is told that it is done.
    Trim {
        /// Below which number.
        below: u64,
    },
    /// Reading, once.
    Read {
        /// What it has to see.
        must_see: u64,
    },
}

impl Doing {
    /// A word for it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Append { .. } => "append",
            Self::Trim { .. } => "trim",
            Self::Read { .. } => "read",
        }
    }
}

/// A client.
#[derive(Debug)]
pub struct Client {
    /// Its producer id.
    pub producer: u64,
    /// The group that it talks to.
    pub group: GroupId,
    /// The lane there.
    pub lane: LaneId,
    /// The number of its next record.
    pub next: u64,
    /// What it is at.
    pub doing: Doing,
    /// Counts what it was at.
    pub operation: u64,
    /// Counts its turns: only the one that was planned last counts.
    pub turn: u64,
    /// Who leads, as far as it knows.
    pub leader: Option<u64>,
    /// Whether it was told so just now, by the answer to its last try.
    pub told: bool,
    /// How many operations it still begins after everything is healed.
    pub left: u64,
    /// Its own chance.
    pub random: SplitMix64,
}

impl Client {
    /// A client that has done nothing.
    #[must_use]
    pub fn new(producer: u64, group: GroupId, lane: LaneId, random: SplitMix64) -> Self {
        Self {
            producer,
            group,
            lane,
            next: 0,
            doing: Doing::Idle,
            operation: 0,
            turn: 0,
            leader: None,
            told: false,
            left: 2,
            random,
        }
    }

    /// Whether it waits for nothing.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        matches!(self.doing, Doing::Idle)
    }
}
