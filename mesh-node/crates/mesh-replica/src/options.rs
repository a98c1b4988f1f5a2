//! What a host is told when it is made.

use std::time::Duration;

use mesh_log::{bug::Bugs, rollover};

use crate::{id::NodeNumber, pull::PullOptions};

/// Options of a [`crate::host::Host`]. Every bound has its unit in its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostOptions {
    /// The node's number.
    pub own: NodeNumber,
    /// Where all that looks random comes from.
    pub seed: u64,
    /// How long a tick is.
    pub tick: Duration,
    /// A leader is heard from every so many ticks.
    pub heartbeat_ticks: u32,
    /// A follower that heard nothing for so many ticks, and up to as many more less one, stands for election.
    pub election_ticks: u32,
    /// A group that had nothing to do for so many ticks rests; 0 for never.
    pub rest_ticks: u32,
    /// Nodes whose groups rest say that they are there every so often.
    pub alive_every: Duration,
    /// A node that nothing was heard from for so long is not there; its groups wake.
    pub alive_silence: Duration,
    /// A leader whose disk takes so long while others are faster hands over.
    pub slow_disk: Duration,
    /// Bounds.
    pub bounds: Bounds,
    /// When full files of the log are kept, moved and released.
    pub rollover: rollover::Options,
    /// How snapshots and damaged records are fetched.
    pub pull: PullOptions,
    /// Bugs that are back, for tests.
    pub bugs: Bugs,
}

impl HostOptions {
    /// Those of a node: elections within 300 to 600 ms.
    #[must_use]
    pub fn new(own: NodeNumber, seed: u64) -> Self {
        Self {
            own,
            seed,
            tick: Duration::from_millis(50),
            heartbeat_ticks: 2,
            election_ticks: 6,
            rest_ticks: 100,
            alive_every: Duration::from_millis(500),
            alive_silence: Duration::from_millis(1_500),
            slow_disk: Duration::from_millis(250),
            bounds: Bounds::default(),
            rollover: rollover::Options::default(),
            pull: PullOptions::default(),
            bugs: Bugs::default(),
        }
    }
}

/// How much of everything there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of one command. A larger one is refused.
    pub command_bytes_max: usize,
    /// Commands of an entry.
    pub entry_commands_max: usize,
    /// Bytes of an entry's commands together; a larger command goes alone.
    pub entry_bytes_max: usize,
    /// Entries of a leader that are not committed, per group.
    pub entries_in_flight_max: usize,
    /// The same as long as what waits makes at least half of a full one: large entries are bound by their bytes, and two
    /// are too few to keep a disk busy.
    pub large_entries_in_flight_max: usize,
    /// Commands that wait in a group to be put in an entry.
    pub waiting_commands_max: usize,
    /// Their bytes.
    pub waiting_bytes_max: usize,
    /// Bytes that wait in all groups.
    pub host_waiting_bytes_max: usize,
    /// Bytes of a group's log in memory; half of it brings a checkpoint about.
    pub log_bytes_max: usize,
    /// Bytes of all groups' logs in memory.
    pub host_log_bytes_max: usize,
    /// Reads that wait in a group.
    pub waiting_reads_max: usize,
    /// Fetches that are under way in a group.
    pub fetches_max: usize,
    /// Bytes of entries in one message to a follower; a larger entry goes alone.
    pub message_bytes_max: usize,
    /// Messages with entries that are under way to a follower.
    pub messages_in_flight_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            command_bytes_max: (1 << 20) + (64 << 10),
            entry_commands_max: 4_096,
            entry_bytes_max: 512 << 10,
            entries_in_flight_max: 2,
            large_entries_in_flight_max: 8,
            waiting_commands_max: 65_536,
            waiting_bytes_max: 16 << 20,
            host_waiting_bytes_max: 64 << 20,
            log_bytes_max: 64 << 20,
            host_log_bytes_max: 256 << 20,
            waiting_reads_max: 65_536,
            fetches_max: 1_024,
            message_bytes_max: 1 << 20,
            messages_in_flight_max: 16,
        }
    }
}
