//! When to connect again.

use std::time::Duration;

/// How a client comes back after it lost its connection.
///
/// The first attempt waits for a random time of at most `min`; the n-th after that between half of and the whole of
/// `min × 2ⁿ⁻¹`, at most `max`. So the attempts of many clients spread from the first on, when they all lose the same
/// node at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReconnectPolicy {
    min_delay: Duration,
    max_delay: Duration,
    max_attempts: Option<u32>,
}

impl ReconnectPolicy {
    /// From 50 ms to 5 s between attempts, without end.
    pub const DEFAULT: Self =
        Self { min_delay: Duration::from_millis(50), max_delay: Duration::from_secs(5), max_attempts: None };

    /// Never: the client is closed when its connection is lost.
    #[must_use]
    pub const fn never() -> Self {
        Self { max_attempts: Some(0), ..Self::DEFAULT }
    }

    /// The delays between which attempts back off.
    #[must_use]
    pub const fn delays(self, min: Duration, max: Duration) -> Self {
        Self { min_delay: min, max_delay: max, ..self }
    }

    /// The attempts after which the client gives up and is closed.
    #[must_use]
    pub const fn max_attempts(self, attempts: u32) -> Self {
        Self { max_attempts: Some(attempts), ..self }
    }

    /// The wait before attempt number `attempt` (from 1), given any `random` number; `None` to give up.
    pub(crate) fn delay(&self, attempt: u32, random: u64) -> Option<Duration> {
        if self.max_attempts.is_some_and(|max| attempt > max) {
            return None;
        }
        let (least, spread) = if attempt <= 1 {
            (Duration::ZERO, self.min_delay.min(self.max_delay))
        } else {
            let doubled = self.min_delay.saturating_mul(1u32.checked_shl(attempt - 2).unwrap_or(u32::MAX));
            let half = doubled.min(self.max_delay) / 2;
            (half, half)
        };
        let nanos = u64::try_from(spread.as_nanos()).unwrap_or(u64::MAX);
        Some(least + Duration::from_nanos(random % nanos.saturating_add(1).max(1)))
    }
}

impl Default for ReconnectPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let policy = ReconnectPolicy::DEFAULT.delays(Duration::from_millis(100), Duration::from_secs(1));
        let table = [(1, 0, 100), (2, 50, 100), (3, 100, 200), (4, 200, 400), (5, 400, 800), (6, 500, 1000)];
        for (attempt, least, most) in table {
            for random in [0, 1, 12_345_678_901, u64::MAX] {
                let delay = policy.delay(attempt, random).unwrap();
                assert!(
                    (Duration::from_millis(least)..=Duration::from_millis(most)).contains(&delay),
                    "attempt {attempt}: {delay:?}"
                );
            }
        }
        assert!(policy.delay(u32::MAX, 7).unwrap() <= Duration::from_secs(1));
    }

    #[test]
    fn waits_spread() {
        let policy = ReconnectPolicy::DEFAULT;
        for attempt in [1, 5] {
            assert_ne!(policy.delay(attempt, 1), policy.delay(attempt, 1_000_000), "attempt {attempt}");
        }
    }

    #[test]
    fn attempts_are_bounded_when_told() {
        assert_eq!(ReconnectPolicy::never().delay(1, 0), None);
        let thrice = ReconnectPolicy::DEFAULT.max_attempts(3);
        assert!(thrice.delay(3, 0).is_some());
        assert_eq!(thrice.delay(4, 0), None);
    }

    #[test]
    fn no_wait_at_all_can_be_asked_for() {
        let policy = ReconnectPolicy::DEFAULT.delays(Duration::ZERO, Duration::ZERO);
        assert_eq!(policy.delay(9, u64::MAX), Some(Duration::ZERO));
    }
}
