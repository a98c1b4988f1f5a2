//! How much may be under way.

use std::time::Duration;

use super::PullOptions;

/// Bytes in flight, and a pace: each pull moves the moment of the next one by the time that its bytes may take.
#[derive(Debug)]
pub(super) struct Budget {
    in_flight: u64,
    next_at: Duration,
    in_flight_max: u64,
    per_second: u64,
}

impl Budget {
    pub(super) fn new(options: &PullOptions) -> Self {
        Self {
            in_flight: 0,
            next_at: Duration::ZERO,
            in_flight_max: options.in_flight_bytes_max,
            per_second: options.bytes_per_second.max(1),
        }
    }

    /// Whether so many bytes may be asked for now.
    pub(super) fn allows(&self, now: Duration, bytes: u64) -> bool {
        now >= self.next_at && (self.in_flight == 0 || self.in_flight + bytes <= self.in_flight_max)
    }

    /// They were asked for.
    pub(super) fn ask(&mut self, bytes: u64) {
        self.in_flight += bytes;
    }

    /// So many of them came, and are to be stored; the others won't come.
    pub(super) fn receive(&mut self, now: Duration, asked: u64, came: u64) {
        self.in_flight = self.in_flight.saturating_sub(asked) + came;
        let nanos = u128::from(came) * 1_000_000_000 / u128::from(self.per_second);
        let pause = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.next_at = self.next_at.max(now).saturating_add(pause);
    }

    /// They are stored, or won't come.
    pub(super) fn finish(&mut self, bytes: u64) {
        self.in_flight = self.in_flight.saturating_sub(bytes);
    }

    /// When the pace allows the next pull.
    pub(super) fn next_at(&self) -> Duration {
        self.next_at
    }

    /// Bytes that were asked for, or are not stored yet.
    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight
    }
}
