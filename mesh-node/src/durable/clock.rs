//! Both clocks of the node, as the host takes them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mesh_replica::clock::Now;

/// Reads clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(super) fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall_ms = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
        #[cfg(feature = "faults")]
        let wall_ms = super::faults::wall_ms(wall_ms);
        Now::new(self.start.elapsed(), wall_ms)
    }

    /// The instant of a time of the host's.
    pub(super) fn at(&self, monotonic: Duration) -> Instant {
        self.start + monotonic
    }
}
