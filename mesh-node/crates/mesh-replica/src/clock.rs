//! What time it is, as an input.

use std::time::Duration;

/// The time of an input. Both clocks come from outside, so that a run with the same inputs is the same run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Time since a point that does not change while the process runs; never goes back.
    pub monotonic: Duration,
    /// What the node's clock says, in milliseconds since 1970. May be wrong, and may jump.
    pub wall_ms: u64,
}

impl Now {
    /// Both clocks.
    #[must_use]
    pub const fn new(monotonic: Duration, wall_ms: u64) -> Self {
        Self { monotonic, wall_ms }
    }
}
