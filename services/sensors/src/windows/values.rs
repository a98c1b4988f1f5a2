//! The values of one series in one window.

use crate::aggregate::Aggregate;
use crate::reading::Unit;

/// At least one value, all finite.
#[derive(Debug)]
pub(super) struct Values {
    unit: Unit,
    values: Vec<f64>,
}

impl Values {
    pub(super) fn of(unit: Unit, first: f64) -> Self {
        Self { unit, values: vec![first] }
    }

    pub(super) fn push(&mut self, value: f64) {
        self.values.push(value);
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn aggregate(mut self, start_ms: u64, end_ms: u64) -> Aggregate {
        self.values.sort_unstable_by(f64::total_cmp);
        let count = self.values.len();
        // The mean is summed up in shares, so that no sum of huge values overflows to infinity.
        let mean = self.values.iter().map(|value| value / count as f64).sum();
        Aggregate {
            start_ms,
            end_ms,
            unit: self.unit,
            count: count as u64,
            min: self.values[0],
            mean,
            max: self.values[count - 1],
            p95: self.values[nearest_rank(count, 95) - 1],
        }
    }
}

/// The rank, from 1, of the smallest of `count` sorted values that `percent` of 100 do not exceed.
fn nearest_rank(count: usize, percent: usize) -> usize {
    (count * percent).div_ceil(100).clamp(1, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest_from_above() {
        for (count, rank) in [(1, 1), (2, 2), (10, 10), (19, 19), (20, 19), (21, 20), (100, 95), (101, 96)] {
            assert_eq!(nearest_rank(count, 95), rank, "of {count}");
        }
    }

    #[test]
    fn the_aggregate_does_not_depend_on_the_order() {
        let mut values = Values::of(Unit::Bytes, 20.0);
        (1..20).rev().for_each(|value| values.push(f64::from(value)));
        let made = values.aggregate(0, 5);
        assert_eq!((made.count, made.min, made.max, made.p95), (20, 1.0, 20.0, 19.0));
        assert!((made.mean - 10.5).abs() < 1e-9);
    }

    #[test]
    fn huge_values_have_a_finite_mean() {
        let mut values = Values::of(Unit::Bytes, f64::MAX);
        values.push(f64::MAX);
        assert!(values.aggregate(0, 5).mean.is_finite());
    }
}
