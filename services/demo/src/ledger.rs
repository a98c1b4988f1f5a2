//! Checks aggregates against the readings they are made of. Pure.
//!
//! Readings and aggregates come to us from the same node; whatever an aggregate says about a window that we saw the
//! whole of, we can say ourselves.

use std::collections::BTreeMap;

use mesh_sensors::{Aggregate, Reading, Series};

/// How long a reading is kept for aggregates to come, in milliseconds.
pub(crate) const KEPT_MS: u64 = 60_000;
/// Most readings kept; beyond them no more aggregates are checked.
pub(crate) const KEPT: usize = 200_000;

/// The readings of the last minute, and how aggregates compared to them.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Windows that start later than this were seen whole.
    from_ms: u64,
    readings: BTreeMap<u64, Vec<(Series, f64)>>,
    kept: usize,
    overrun: bool,
    totals: Totals,
}

/// How aggregates compared to the readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Aggregates of windows that were seen whole.
    pub(crate) checked: u64,
    /// Readings that an aggregate lacks.
    pub(crate) missing: u64,
    /// Readings that an aggregate has too many.
    pub(crate) surplus: u64,
    /// Aggregates with the right count that say something else than their readings.
    pub(crate) wrong: u64,
}

impl Ledger {
    /// Starts at `now_ms`: what was taken before may have been missed.
    pub(crate) fn new(now_ms: u64) -> Self {
        Self {
            from_ms: now_ms,
            readings: BTreeMap::new(),
            kept: 0,
            overrun: false,
            totals: Totals::default(),
        }
    }

    /// Input: a reading came.
    pub(crate) fn handle_reading(&mut self, series: Series, reading: Reading) {
        self.forget(reading.taken_ms().saturating_sub(KEPT_MS));
        if self.kept == KEPT {
            self.overrun = true;
            return;
        }
        self.kept += 1;
        self.readings.entry(reading.taken_ms()).or_default().push((series, reading.value));
    }

    /// Input: an aggregate came. Gives what is wrong with it, where it is wrong in itself.
    pub(crate) fn handle_aggregate(&mut self, series: &Series, aggregate: &Aggregate) -> Option<String> {
        if aggregate.start_ms < self.from_ms || self.overrun {
            return None;
        }
        let window = self.readings.range(aggregate.start_ms..aggregate.end_ms);
        let values: Vec<f64> = window
            .flat_map(|(_, taken)| taken)
            .filter(|(of, _)| of == series)
            .map(|(_, value)| *value)
            .collect();
        self.totals.checked += 1;
        let seen = values.len() as u64;
        self.totals.missing += seen.saturating_sub(aggregate.count);
        self.totals.surplus += aggregate.count.saturating_sub(seen);
        if seen != aggregate.count || agrees(aggregate, values) {
            return None;
        }
        self.totals.wrong += 1;
        Some(format!("{series}: {aggregate:?} is not what the readings come to"))
    }

    /// How aggregates compared so far.
    pub(crate) fn totals(&self) -> Totals {
        self.totals
    }

    fn forget(&mut self, before_ms: u64) {
        while let Some(oldest) = self.readings.first_entry() {
            if *oldest.key() >= before_ms {
                break;
            }
            self.kept -= oldest.remove().len();
        }
    }
}

/// Whether an aggregate of as many values says what the values say.
fn agrees(aggregate: &Aggregate, mut values: Vec<f64>) -> bool {
    values.sort_unstable_by(f64::total_cmp);
    let (Some(min), Some(max)) = (values.first(), values.last()) else { return false };
    let rank = (values.len() * 95).div_ceil(100).max(1);
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0);
    close(aggregate.min, *min)
        && close(aggregate.max, *max)
        && close(aggregate.mean, mean)
        && values.get(rank - 1).is_some_and(|p95| close(aggregate.p95, *p95))
}

#[cfg(test)]
mod tests {
    use mesh_sensors::Unit;

    use super::*;

    fn series(kind: &str) -> Series {
        Series::new("host", kind).unwrap()
    }

    fn reading(taken_ms: u64, value: f64) -> Reading {
        Reading { value, unit: Unit::Load, taken_us: taken_ms * 1_000 }
    }

    fn aggregate(start_ms: u64, count: u64, min: f64, mean: f64, max: f64) -> Aggregate {
        Aggregate { start_ms, end_ms: start_ms + 1_000, unit: Unit::Load, count, min, mean, max, p95: max }
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::new(5_000);
        for (kind, taken_ms, value) in
            [("a", 5_999, 9.0), ("a", 6_000, 1.0), ("b", 6_500, 7.0), ("a", 6_999, 3.0), ("a", 7_000, 9.0)]
        {
            ledger.handle_reading(series(kind), reading(taken_ms, value));
        }
        ledger
    }

    #[test]
    fn a_true_aggregate_is_found_true() {
        let mut ledger = ledger();
        assert_eq!(ledger.handle_aggregate(&series("a"), &aggregate(6_000, 2, 1.0, 2.0, 3.0)), None);
        assert_eq!(ledger.totals(), Totals { checked: 1, ..Totals::default() });
    }

    #[test]
    fn a_false_aggregate_is_found_false() {
        let mut ledger = ledger();
        for false_one in [
            aggregate(6_000, 2, 1.5, 2.0, 3.0),
            aggregate(6_000, 2, 1.0, 2.1, 3.0),
            aggregate(6_000, 2, 1.0, 2.0, 9.0),
            Aggregate { p95: 1.0, ..aggregate(6_000, 2, 1.0, 2.0, 3.0) },
        ] {
            assert!(ledger.handle_aggregate(&series("a"), &false_one).is_some(), "{false_one:?}");
        }
        assert_eq!(ledger.totals().wrong, 4);
    }

    #[test]
    fn counts_that_differ_are_added_up() {
        let mut ledger = ledger();
        assert_eq!(ledger.handle_aggregate(&series("a"), &aggregate(6_000, 1, 1.0, 1.0, 1.0)), None);
        assert_eq!(ledger.handle_aggregate(&series("b"), &aggregate(6_000, 4, 1.0, 1.0, 1.0)), None);
        assert_eq!(ledger.totals(), Totals { checked: 2, missing: 1, surplus: 3, wrong: 0 });
    }

    #[test]
    fn windows_that_were_not_seen_whole_are_not_judged() {
        let mut ledger = ledger();
        assert_eq!(ledger.handle_aggregate(&series("a"), &aggregate(4_999, 50, 1.0, 1.0, 1.0)), None);
        assert_eq!(ledger.totals(), Totals::default());
    }

    #[test]
    fn readings_are_kept_for_a_minute_and_up_to_a_bound() {
        let mut ledger = Ledger::new(0);
        ledger.handle_reading(series("a"), reading(1_000, 1.0));
        ledger.handle_reading(series("a"), reading(1_000 + KEPT_MS, 1.0));
        assert_eq!(ledger.kept, 2);
        ledger.handle_reading(series("a"), reading(1_001 + KEPT_MS, 1.0));
        assert_eq!(ledger.kept, 2, "the first is forgotten");
        for _ in 0..=KEPT {
            ledger.handle_reading(series("a"), reading(1_001 + KEPT_MS, 1.0));
        }
        assert_eq!((ledger.kept, ledger.overrun), (KEPT, true));
        assert_eq!(ledger.handle_aggregate(&series("a"), &aggregate(1_000, 5, 1.0, 1.0, 1.0)), None);
        assert_eq!(ledger.totals().checked, 0, "not judged on half of the readings");
    }
}
