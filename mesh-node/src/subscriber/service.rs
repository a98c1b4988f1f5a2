//! What a responder did, for `service ls|stats`.

use std::time::Duration;

use mesh_wire::body::ServiceV1;

/// Powers of two in microseconds, from below 1 µs to above half an hour.
const BUCKETS: usize = 32;

/// Counts of one responder subscription.
#[derive(Debug)]
pub(super) struct ServiceStats {
    pub(super) service: Option<ServiceV1>,
    pub(super) requests: u64,
    pub(super) errors: u64,
    pub(super) in_flight: u32,
    took: [u32; BUCKETS],
}

impl ServiceStats {
    pub(super) fn new(service: Option<ServiceV1>) -> Self {
        Self { service, requests: 0, errors: 0, in_flight: 0, took: [0; BUCKETS] }
    }

    pub(super) fn answered(&mut self, took: Duration, failed: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.errors += u64::from(failed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = (u64::BITS - micros.leading_zeros()) as usize;
        let count = &mut self.took[bucket.min(BUCKETS - 1)];
        *count = count.saturating_add(1);
    }

    /// The time that a share of the calls stayed below, in microseconds, as a bound of its power-of-two bucket.
    pub(super) fn quantile_us(&self, share: f64) -> u64 {
        let total: u64 = self.took.iter().map(|&n| u64::from(n)).sum();
        let wanted = (total as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (bucket, &n) in self.took.iter().enumerate() {
            seen += u64::from(n);
            if n > 0 && seen >= wanted {
                return 1 << bucket;
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_the_upper_bound_of_their_bucket() {
        let mut stats = ServiceStats::new(None);
        assert_eq!(stats.quantile_us(0.5), 0);
        stats.in_flight = 3;
        for (us, failed) in [(100, false), (100, false), (3000, true)] {
            stats.answered(Duration::from_micros(us), failed);
        }
        assert_eq!((stats.quantile_us(0.5), stats.quantile_us(0.99)), (128, 4096));
        assert_eq!((stats.errors, stats.in_flight), (1, 0));
        stats.answered(Duration::MAX, false);
        assert_eq!((stats.quantile_us(1.0), stats.in_flight), (1 << 31, 0));
    }
}
