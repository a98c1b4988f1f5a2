//! Time that goes on when something happens.

use std::{fmt, ops::Add, time::Duration};

use mesh_replica::clock::Now;

/// Nanoseconds since a run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Time(pub u64);

/// What correct clocks say when a run begins, in milliseconds since 1970.
const WALL_MS: u64 = 1_700_000_000_000;

impl Time {
    /// Since the run began.
    #[must_use]
    pub const fn elapsed(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// From an earlier time to this one; nothing when that is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// What a core is told, on a node whose clock is wrong by so much.
    #[must_use]
    pub const fn now(self, wrong_by_ms: i64) -> Now {
        Now::new(self.elapsed(), (WALL_MS + self.0 / 1_000_000).saturating_add_signed(wrong_by_ms))
    }
}

impl From<Duration> for Time {
    fn from(elapsed: Duration) -> Self {
        Self(elapsed.as_nanos() as u64)
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0 + duration.as_nanos() as u64)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000_000, self.0 / 1_000 % 1_000_000)
    }
}
