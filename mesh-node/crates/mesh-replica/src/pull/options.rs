//! Bounds of pulling.

use std::time::Duration;

/// How much is pulled, pinned and tried. Each bound has its unit in its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PullOptions {
    /// Bytes that one pull asks for.
    pub pull_bytes: u32,
    /// Bytes of all groups that were asked for, or came and are not stored yet. One pull there may always be.
    pub in_flight_bytes_max: u64,
    /// Bytes a second that are pulled, of all groups.
    pub bytes_per_second: u64,
    /// Once so much of a snapshot is stored, a checkpoint names it: what none names is fetched again after a restart.
    pub unnamed_bytes_max: u64,
    /// After such a time without an answer it is asked again.
    pub answer_time_max: Duration,
    /// So often in a row, before it is given up.
    pub tries_max: u32,
    /// An offered snapshot is kept so long after it was last asked for.
    pub pin_idle_max: Duration,
    /// And so long at most.
    pub pin_time_max: Duration,
    /// Snapshots that are pinned at once.
    pub pins_max: usize,
    /// Reads for one peer that are under way at once.
    pub reads_per_peer_max: usize,
    /// Damaged pieces that are known at once; the scrub finds the others again.
    pub damaged_max: usize,
    /// After all peers were asked for a damaged piece in vain, they are asked again.
    pub repair_again_after: Duration,
}

impl Default for PullOptions {
    fn default() -> Self {
        Self {
            pull_bytes: 1024 * 1024,
            in_flight_bytes_max: 8 * 1024 * 1024,
            bytes_per_second: 128 * 1024 * 1024,
            unnamed_bytes_max: 32 * 1024 * 1024,
            answer_time_max: Duration::from_secs(2),
            tries_max: 5,
            pin_idle_max: Duration::from_secs(30),
            pin_time_max: Duration::from_secs(3_600),
            pins_max: 64,
            reads_per_peer_max: 16,
            damaged_max: 4_096,
            repair_again_after: Duration::from_secs(30),
        }
    }
}
