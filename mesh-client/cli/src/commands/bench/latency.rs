//! How long things took.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Longest latency that is told apart: longer ones count as this.
const LONGEST_NS: u64 = 3_600 * 1_000_000_000;
/// Decimal digits that are kept of each latency.
const DIGITS: u8 = 3;

/// Latencies, kept to three digits.
#[derive(Debug, Clone)]
pub(crate) struct Latencies(Histogram<u64>);

/// What is told about latencies, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Percentiles {
    /// Half were at most this.
    pub(crate) p50: f64,
    /// 99 % were.
    pub(crate) p99: f64,
    /// 99.9 % were.
    pub(crate) p999: f64,
    /// All were.
    pub(crate) max: f64,
}

impl Latencies {
    /// None so far.
    pub(crate) fn new() -> Self {
        match Histogram::new_with_max(LONGEST_NS, DIGITS) {
            Ok(histogram) => Self(histogram),
            Err(error) => unreachable!("the bounds are constants that fit: {error}"),
        }
    }

    /// Adds one.
    #[inline]
    pub(crate) fn record(&mut self, latency: Duration) {
        // Above the bound only when a process slept for hours; 2^64 ns are centuries.
        self.0.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// The percentiles; none of nothing.
    pub(crate) fn percentiles(&self) -> Option<Percentiles> {
        let at = |quantile| self.0.value_at_quantile(quantile) as f64 / 1_000.0;
        (!self.0.is_empty()).then(|| Percentiles {
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            max: self.0.max() as f64 / 1_000.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_ramp() {
        let mut latencies = Latencies::new();
        for us in 1..=1_000 {
            latencies.record(Duration::from_micros(us));
        }
        let Percentiles { p50, p99, p999, max } = latencies.percentiles().unwrap();
        for (got, want) in [(p50, 500.0), (p99, 990.0), (p999, 999.0), (max, 1_000.0)] {
            assert!((got - want).abs() <= want * 0.002, "{got} for {want}");
        }
    }

    #[test]
    fn nothing_has_no_percentiles() {
        assert_eq!(Latencies::new().percentiles(), None);
    }

    #[test]
    fn the_longest_is_cut_at_the_bound() {
        let mut latencies = Latencies::new();
        latencies.record(Duration::from_micros(10));
        latencies.record(Duration::from_secs(7_200));
        let Percentiles { p50, max, .. } = latencies.percentiles().unwrap();
        assert!((p50 - 10.0).abs() < 0.1);
        assert!((max - 3.6e9).abs() < 3.6e9 * 0.002, "{max}");
    }
}
