//! Latencies, kept one by one: a race takes at most some hundred thousand per driver.

use std::time::Duration;

use serde_json::{Value, json};

/// How long each of a driver's requests took.
#[derive(Debug, Default)]
pub struct Latencies {
    nanos: Vec<u64>,
}

impl Latencies {
    /// Room for `count` latencies, so that recording allocates nothing.
    pub fn with_capacity(count: usize) -> Self {
        Self { nanos: Vec::with_capacity(count) }
    }

    /// Adds one.
    pub fn record(&mut self, took: Duration) {
        self.nanos.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Sums of each two in a row: the first and second, the third and fourth, and so on.
    pub fn pairs(&self) -> Self {
        Self { nanos: self.nanos.chunks_exact(2).map(|pair| pair.iter().sum()).collect() }
    }

    /// What lies at `quantile` (0 to 1), in microseconds; 0 when there are none.
    pub fn micros_at(&mut self, quantile: f64) -> f64 {
        self.nanos.sort_unstable();
        let at = (quantile * self.nanos.len() as f64) as usize;
        let nanos = self.nanos.get(at).or(self.nanos.last()).copied().unwrap_or(0);
        nanos as f64 / 1e3
    }

    /// The line that a requesting driver ends with: rate over `elapsed`, then quantiles in microseconds.
    pub fn report(mut self, elapsed: Duration) -> Value {
        let seconds = elapsed.as_secs_f64();
        json!({
            "count": self.nanos.len(),
            "seconds": seconds,
            "rate": self.nanos.len() as f64 / seconds,
            "p50_us": self.micros_at(0.50),
            "p99_us": self.micros_at(0.99),
            "p999_us": self.micros_at(0.999),
            "max_us": self.micros_at(1.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        micros.into_iter().for_each(|m| latencies.record(Duration::from_micros(m)));
        latencies
    }

    #[test]
    fn quantiles_are_of_the_sorted_whole() {
        let mut latencies = of((1..=100).rev());
        assert_eq!(latencies.micros_at(0.0), 1.0);
        assert_eq!(latencies.micros_at(0.5), 51.0);
        assert_eq!(latencies.micros_at(0.99), 100.0);
        assert_eq!(latencies.micros_at(1.0), 100.0);
    }

    #[test]
    fn none_at_all_is_zero() {
        assert_eq!(Latencies::default().micros_at(0.5), 0.0);
    }

    #[test]
    fn pairs_are_in_order_of_recording_and_an_odd_one_is_left_out() {
        let mut pairs = of([1, 9, 2, 3, 7]).pairs();
        assert_eq!(pairs.micros_at(0.0), 5.0);
        assert_eq!(pairs.micros_at(1.0), 10.0);
    }

    #[test]
    fn report_has_rate_and_quantiles() {
        let report = of([10, 20, 30, 40]).report(Duration::from_secs(2));
        assert_eq!(report["count"], 4);
        assert_eq!(report["rate"], 2.0);
        assert_eq!(report["p50_us"], 30.0);
        assert_eq!(report["max_us"], 40.0);
    }
}
