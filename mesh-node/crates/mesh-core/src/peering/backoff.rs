//! How long to wait before an address is dialled again.

use std::time::Duration;

use crate::random::Random;

/// Waits that double up to a bound, each cut by a random part so that nodes that lost each other at the same moment
/// don't meet again at the same moment.
#[derive(Debug)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    random: Random,
}

impl Backoff {
    /// Waits from `min` to `max`, spread by `seed`.
    #[must_use]
    pub fn new(min: Duration, max: Duration, seed: u64) -> Self {
        Self { min, max: max.max(min), random: Random::new(seed) }
    }

    /// The wait after this many failed attempts before the last one: between half and all of `min << attempts`.
    pub fn after(&mut self, attempts: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempts).unwrap_or(u32::MAX);
        self.cut(self.min.saturating_mul(factor).min(self.max))
    }

    /// The longest wait.
    pub fn longest(&mut self) -> Duration {
        self.cut(self.max)
    }

    fn cut(&mut self, wait: Duration) -> Duration {
        let half = wait / 2;
        let span = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX);
        half + Duration::from_nanos(((u128::from(self.random.next()) * u128::from(span)) >> 64) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_bound() {
        let (min, max) = (Duration::from_millis(50), Duration::from_secs(5));
        let mut backoff = Backoff::new(min, max, 1);
        for attempts in 0..100 {
            let whole = min.saturating_mul(1 << attempts.min(20)).min(max);
            for _ in 0..100 {
                let wait = backoff.after(attempts);
                assert!(wait >= whole / 2 && wait <= whole, "{attempts}: {wait:?}");
            }
        }
        assert!(backoff.longest() >= max / 2);
    }

    #[test]
    fn waits_are_spread_and_follow_from_the_seed() {
        let waits = |seed| {
            let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5), seed);
            (0..1000).map(|_| backoff.after(3)).collect::<Vec<_>>()
        };
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
        let early = waits(7).iter().filter(|wait| **wait < Duration::from_millis(300)).count();
        assert!((400..600).contains(&early), "{early} of 1000 in the first half");
    }
}
