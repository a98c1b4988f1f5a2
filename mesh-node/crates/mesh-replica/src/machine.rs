//! What a group replicates.

use bytes::Bytes;
use mesh_log::id::{GroupId, LaneId};

/// Where in its group's history a command stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// The group.
    pub group: GroupId,
    /// The index of the entry.
    pub index: u64,
    /// The term of the entry.
    pub term: u64,
    /// Shard time in milliseconds: the same on every replica, never going back.
    pub time_ms: u64,
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The answer to whoever proposed it, if that was here.
    pub reply: Bytes,
    /// Parts of the command to be kept as records of a lane.
    pub keep: Vec<Keep>,
    /// Records that nobody wants any more.
    pub trim: Vec<Trim>,
}

/// A part of the command is records of a lane from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// The lane.
    pub lane: LaneId,
    /// The number of the first record; above all that the lane has.
    pub first: u64,
    /// How many records, at least 1.
    pub count: u32,
    /// Where in the command they begin, in bytes.
    pub offset: u32,
    /// How many bytes.
    pub len: u32,
}

/// The records of a lane below a number are not wanted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trim {
    /// The lane.
    pub lane: LaneId,
    /// The number of the first one that is.
    pub below: u64,
}

/// What of a lane a machine takes to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The lane.
    pub lane: LaneId,
    /// The number of the first record that is wanted.
    pub first: u64,
    /// The number of the next record that is kept.
    pub next: u64,
}

/// Why a machine can't go on from a state that it is given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StateError(pub String);

/// A state machine: the same commands in the same order give the same state and the same outcomes on every node.
pub trait Machine {
    /// Applies a command. One that can't be read, or that is refused, is an outcome too: every replica has it.
    fn apply(&mut self, at: At, command: &Bytes) -> Outcome;

    /// Everything that it needs to go on from here, but the records of lanes: a tagged, self-describing encoding.
    fn state(&self) -> Bytes;

    /// Takes the place of the state.
    ///
    /// # Errors
    /// When it can't be read; nothing has changed then.
    fn restore(&mut self, state: &Bytes) -> Result<(), StateError>;

    /// The records that there have to be, as far as the machine can say: what is missing of them is fetched from others,
    /// what is before them is not.
    fn wanted(&self) -> Vec<Wanted> {
        Vec::new()
    }
}
