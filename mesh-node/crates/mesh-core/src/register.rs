//! Append-only registers: the smallest thing that keeps records, for the tests and benchmarks of what is below it.
//!
//! ```text
//!   Append{lane, batch} ─► header ─► producer's sequence ─┬─ next     ─► numbers first..first + count, batch kept
//!                                                         ├─ repeated ─► the numbers that it got, nothing kept
//!                                                         └─ else     ─► refused, nothing changed
//! ```
//! A lane numbers its records from 1, without gaps. A producer numbers its own from 0 in each lane and epoch, without
//! gaps too, and that is how a batch that is sent again is known: what is remembered of each producer is the runs of its
//! sequence that lie together in the lane. One producer alone is a single run, however much it appends.

mod append;
mod command;
mod gone;
mod lane;
mod producer;
mod refusal;
mod reply;
mod state;

use std::collections::BTreeMap;

use self::{gone::Gone, lane::Lane};
use crate::meta::LaneId;
use crate::tagged::Fields;

pub use self::{
    append::{Applied, Keep, Trim, check},
    command::{APPEND_OVERHEAD, Command, append_head},
    refusal::Refusal,
    reply::{REPLY_BYTES, Reply},
};
pub use crate::tagged::Error as FormatError;

/// Most lanes with records in one shard.
pub const LANES_MAX: usize = 65_536;
/// Most producers that are remembered of one lane.
pub const LANE_PRODUCERS_MAX: usize = 4_096;
/// Most producers that are remembered in one shard, over all its lanes.
pub const PRODUCERS_MAX: usize = 16_384;
/// Most runs that are remembered of one producer in one lane: so many batches may be under way at once, whoever else
/// puts to the lane.
pub const RUNS_MAX: usize = 4_096;
/// Most runs that are remembered in one shard. Beyond, a producer that has more than [`RUNS_KEPT`] forgets its oldest
/// with each new one.
pub const SHARD_RUNS_MAX: usize = 262_144;
/// Runs that a producer keeps, also when the shard has more than it should.
pub const RUNS_KEPT: usize = 64;
/// A producer that has put nothing for so long gives way to another one, in milliseconds of shard time: as long as a
/// deadline can be, so that nothing is sent again after it.
pub const PRODUCER_IDLE_MS: u64 = mesh_wire::limits::REQUEST_TIMEOUT_MS_MAX as u64;

/// The registers of one shard.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registers {
    lanes: BTreeMap<LaneId, Lane>,
    /// Lanes that are declared no more.
    gone: Gone,
    /// How many producers there are over all lanes.
    producers: usize,
    /// How many runs there are over all of them.
    runs: usize,
    /// Before this time no producer is idle for long enough: saves looking at all of them.
    none_idle_before_ms: u64,
    rest: Fields,
}

/// How far a lane goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The number of the first record that is kept.
    pub first: u64,
    /// The number that the next record gets.
    pub next: u64,
    /// Of all batches that were ever appended, in their order: the same on every replica.
    pub digest: u64,
}

impl Registers {
    /// Without any.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How far a lane goes; none for one that nothing was appended to.
    #[must_use]
    pub fn view(&self, lane: LaneId) -> Option<View> {
        self.lanes.get(&lane).map(Lane::view)
    }

    /// All lanes that something was appended to.
    pub fn views(&self) -> impl Iterator<Item = (LaneId, View)> {
        self.lanes.iter().map(|(id, lane)| (*id, lane.view()))
    }

    /// Over all lanes: the same on every replica that applied the same commands.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.lanes.iter().fold(0, |digest, (id, lane)| {
            let view = lane.view();
            [id.0, view.first, view.next, view.digest].into_iter().fold(digest, lane::mix)
        })
    }
}

#[cfg(test)]
mod tests;
