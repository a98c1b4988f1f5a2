//! Shard time: milliseconds that never go back, given by the leader, the same on every replica.
//!
//! A node's clock may be wrong. Within a leader's reign time runs with its monotonic clock. A new leader goes on from the
//! larger of the last stamp and its own clock; when that is further than [`JUMP_MS_MAX`], not its own clock counts but the
//! lower median of those that a quorum told with its acknowledgements.

use crate::clock::Now;

/// So far may the time of a group jump on one node's word, in milliseconds.
pub(crate) const JUMP_MS_MAX: u64 = 2_000;

/// The time of a group.
#[derive(Debug)]
pub(crate) struct ShardClock {
    last_ms: u64,
    /// While leading: shard time at a point in monotonic time.
    base: Option<(u64, std::time::Duration)>,
}

impl ShardClock {
    pub(crate) fn new(last_ms: u64) -> Self {
        Self { last_ms, base: None }
    }

    /// The last stamp.
    pub(crate) fn last_ms(&self) -> u64 {
        self.last_ms
    }

    /// An entry with this stamp was applied. Returns its time: never before that of an earlier one.
    pub(crate) fn applied(&mut self, time_ms: u64) -> u64 {
        self.last_ms = self.last_ms.max(time_ms);
        self.last_ms
    }

    /// Its replica leads from now on. `clocks` are those of a quorum, its own among them.
    pub(crate) fn lead(&mut self, now: Now, mut clocks: Vec<u64>) {
        let own = now.wall_ms;
        let start = if own.saturating_sub(self.last_ms) <= JUMP_MS_MAX {
            own
        } else {
            clocks.sort_unstable();
            clocks.get(clocks.len().saturating_sub(1) / 2).copied().unwrap_or(self.last_ms)
        };
        self.base = Some((start.max(self.last_ms), now.monotonic));
    }

    /// It does not lead any more.
    pub(crate) fn follow(&mut self) {
        self.base = None;
    }

    /// The stamp of an entry that is formed now; `None` when it does not lead.
    pub(crate) fn stamp(&mut self, now: Now) -> Option<u64> {
        let (base, at) = self.base?;
        let passed = u64::try_from(now.monotonic.saturating_sub(at).as_millis()).unwrap_or(u64::MAX);
        let runs = base.saturating_add(passed);
        // Monotonic clocks drift; a clock that agrees is followed.
        let time = if now.wall_ms.abs_diff(runs) <= JUMP_MS_MAX { now.wall_ms.max(base) } else { runs };
        let time = time.max(self.last_ms);
        self.base = Some((time, now.monotonic));
        Some(time)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn now(monotonic_ms: u64, wall_ms: u64) -> Now {
        Now::new(Duration::from_millis(monotonic_ms), wall_ms)
    }

    #[test]
    fn a_small_jump_is_taken_on_its_own_word_and_a_large_one_is_not() {
        for (own, others, expected) in [
            (100_000 + JUMP_MS_MAX, vec![], 100_000 + JUMP_MS_MAX),
            (100_001 + JUMP_MS_MAX, vec![100_000], 100_000),
            (3_700_000, vec![101_000, 102_000], 102_000),
            (3_700_000, vec![3_700_100], 3_700_000),
            (50_000, vec![90_000], 100_000),
        ] {
            let mut clock = ShardClock::new(100_000);
            let at = now(5, own);
            clock.lead(at, others.into_iter().chain([own]).collect());
            assert_eq!(clock.stamp(at), Some(expected), "{own}");
        }
    }

    #[test]
    fn time_runs_although_the_clock_is_set() {
        let mut clock = ShardClock::new(100_000);
        clock.lead(now(0, 100_000), vec![100_000]);
        assert_eq!(clock.stamp(now(500, 100_501)), Some(100_501), "it agrees");
        assert_eq!(clock.stamp(now(1_000, 3_700_000)), Some(101_001), "an hour ahead");
        assert_eq!(clock.stamp(now(1_500, 0)), Some(101_501), "long ago");
    }

    #[test]
    fn time_never_goes_back() {
        let mut clock = ShardClock::new(0);
        clock.lead(now(0, 1_000), vec![1_000]);
        let mut last = 0;
        for (monotonic, wall) in [(0, 1_000), (10, 900), (20, 1_100), (20, 500), (30, 1_000)] {
            let stamp = clock.stamp(now(monotonic, wall)).unwrap();
            assert!(stamp >= last, "{stamp} after {last}");
            last = stamp;
            clock.applied(stamp);
        }
        assert_eq!(clock.applied(0), last);
    }

    #[test]
    fn only_a_leader_stamps() {
        let mut clock = ShardClock::new(7);
        assert_eq!(clock.stamp(now(0, 9)), None);
        clock.lead(now(0, 9), vec![9]);
        clock.follow();
        assert_eq!(clock.stamp(now(0, 9)), None);
    }
}
