//! What a direction does to its datagrams.

use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use crate::Probability;

/// How long a reordered datagram is held back when nothing else is said.
pub const REORDER_DELAY: Duration = Duration::from_millis(5);
/// Most datagrams that wait in a direction when nothing else is said.
pub const QUEUE_DATAGRAMS: usize = 8 * 1024;

/// What a direction does to its datagrams. Each fault does what its name says and nothing else: jitter does not reorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Faults {
    /// How many never arrive.
    pub loss: Probability,
    /// How long each takes.
    pub delay: Delay,
    /// How many are held back longer, so that later ones overtake them.
    pub reorder: Probability,
    /// How much longer these are held back.
    pub reorder_delay: Duration,
    /// How many arrive twice.
    pub duplicate: Probability,
    /// How many arrive with flipped bits.
    pub corrupt: Probability,
    /// Most bytes per second; none for no limit.
    pub rate: Option<NonZeroU64>,
    /// Most datagrams that wait because of the above. What comes when so many wait is dropped and counted.
    pub queue_datagrams: usize,
}

impl Faults {
    /// None at all.
    pub const NONE: Self = Self {
        loss: Probability::NEVER,
        delay: Delay::NONE,
        reorder: Probability::NEVER,
        reorder_delay: REORDER_DELAY,
        duplicate: Probability::NEVER,
        corrupt: Probability::NEVER,
        rate: None,
        queue_datagrams: QUEUE_DATAGRAMS,
    };

    /// With losses.
    #[must_use]
    pub const fn loss(self, loss: Probability) -> Self {
        Self { loss, ..self }
    }

    /// With a delay between two durations.
    #[must_use]
    pub const fn delay(self, min: Duration, max: Duration) -> Self {
        Self { delay: Delay { min, max }, ..self }
    }

    /// With datagrams that others overtake.
    #[must_use]
    pub const fn reorder(self, reorder: Probability) -> Self {
        Self { reorder, ..self }
    }

    /// With another time to hold reordered datagrams back.
    #[must_use]
    pub const fn reorder_delay(self, reorder_delay: Duration) -> Self {
        Self { reorder_delay, ..self }
    }

    /// With copies.
    #[must_use]
    pub const fn duplicate(self, duplicate: Probability) -> Self {
        Self { duplicate, ..self }
    }

    /// With flipped bits.
    #[must_use]
    pub const fn corrupt(self, corrupt: Probability) -> Self {
        Self { corrupt, ..self }
    }

    /// With a limit on the rate, in bytes per second.
    #[must_use]
    pub const fn rate(self, rate: NonZeroU64) -> Self {
        Self { rate: Some(rate), ..self }
    }

    /// With another bound on what waits.
    #[must_use]
    pub const fn queue_datagrams(self, queue_datagrams: usize) -> Self {
        Self { queue_datagrams, ..self }
    }
}

/// How long a datagram takes: even between two durations. Order is kept, so that under load it is nearer to the longer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delay {
    /// At least.
    pub min: Duration,
    /// At most; `min` when it is less.
    pub max: Duration,
}

/// A delay that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no delay: say 5ms or 2ms..10ms")]
pub struct DelayError(String);

impl Delay {
    /// No time at all.
    pub const NONE: Self = Self { min: Duration::ZERO, max: Duration::ZERO };

    /// A delay by 64 random bits.
    #[must_use]
    pub fn pick(self, random: u64) -> Duration {
        let spread = self.max.saturating_sub(self.min);
        let part = u32::try_from(random >> 32).unwrap_or(u32::MAX);
        self.min + spread.mul_f64(f64::from(part) / f64::from(u32::MAX))
    }
}

impl FromStr for Delay {
    type Err = DelayError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let parse = |part: &str| humantime::parse_duration(part).map_err(|_| DelayError(text.into()));
        let delay = Self { min: parse(min)?, max: parse(max)? };
        if delay.min > delay.max { Err(DelayError(text.into())) } else { Ok(delay) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_delay_is_one_duration_or_two() {
        assert_eq!("5ms".parse(), Ok(Delay { min: 5 * MS, max: 5 * MS }));
        assert_eq!("2ms..10ms".parse(), Ok(Delay { min: 2 * MS, max: 10 * MS }));
        for text in ["", "5", "10ms..2ms", "2ms..", "..2ms", "2ms..3ms..4ms"] {
            assert_eq!(text.parse::<Delay>(), Err(DelayError(text.into())));
        }
    }

    #[test]
    fn a_picked_delay_reaches_both_ends_and_no_further() {
        let delay = Delay { min: 2 * MS, max: 10 * MS };
        assert_eq!((delay.pick(0), delay.pick(u64::MAX)), (2 * MS, 10 * MS));
        assert_eq!(Delay { min: 3 * MS, max: MS }.pick(u64::MAX), 3 * MS);
    }
}
