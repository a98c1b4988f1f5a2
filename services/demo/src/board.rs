//! What was seen of each kind of work: counts and times. Pure: observations and time come in.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Longest time that is told apart, in microseconds: one minute.
const TIME_US_MAX: u64 = 60_000_000;
/// Most unexpected things that are kept word by word.
const UNEXPECTED_KEPT: usize = 20;

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Work {
    /// Images sent to be resized.
    Thumbnails,
    /// Orders placed.
    Orders,
    /// Readings received.
    Readings,
    /// Aggregates received.
    Aggregates,
}

impl Work {
    /// All kinds, in the order in which they are shown.
    pub(crate) const ALL: [Self; 4] = [Self::Thumbnails, Self::Orders, Self::Readings, Self::Aggregates];

    /// The name that is shown.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Thumbnails => "thumbnails",
            Self::Orders => "orders",
            Self::Readings => "readings",
            Self::Aggregates => "aggregates",
        }
    }
}

/// How one piece of work ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// As it should.
    Good,
    /// It was refused, and that was right.
    ExpectedError,
    /// It should not have ended so.
    Unexpected(String),
}

/// One piece of work that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observation {
    /// What kind of work.
    pub(crate) work: Work,
    /// How long it took; for what is received, how long it was under way.
    pub(crate) took: Duration,
    /// How it ended.
    pub(crate) end: End,
    /// The sort of end, for the breakdown.
    pub(crate) label: &'static str,
}

/// What was seen of one kind of work.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    times_us: Histogram<u64>,
    /// Pieces that ended as they should.
    pub(crate) good: u64,
    /// Pieces that were refused, rightly.
    pub(crate) expected_errors: u64,
    /// Pieces that should have ended otherwise.
    pub(crate) unexpected: u64,
    /// Pieces by the sort of their end.
    pub(crate) labels: BTreeMap<&'static str, u64>,
    at_last_rate: u64,
    rate: f64,
}

impl Row {
    fn new() -> Result<Self, hdrhistogram::CreationError> {
        Ok(Self {
            times_us: Histogram::new_with_bounds(1, TIME_US_MAX, 3)?,
            good: 0,
            expected_errors: 0,
            unexpected: 0,
            labels: BTreeMap::new(),
            at_last_rate: 0,
            rate: 0.0,
        })
    }

    /// Pieces that ended.
    pub(crate) fn count(&self) -> u64 {
        self.good + self.expected_errors + self.unexpected
    }

    /// Pieces a second between the last two calls of [`Board::handle_tick`].
    pub(crate) fn rate(&self) -> f64 {
        self.rate
    }

    /// The time that so many of 100 pieces took at most; `None` when there was none.
    pub(crate) fn percentile(&self, percent: f64) -> Option<Duration> {
        (!self.times_us.is_empty())
            .then(|| Duration::from_micros(self.times_us.value_at_quantile(percent / 100.0)))
    }

    /// The longest time; `None` when there was none.
    pub(crate) fn longest(&self) -> Option<Duration> {
        (!self.times_us.is_empty()).then(|| Duration::from_micros(self.times_us.max()))
    }
}

/// What was seen of every kind of work.
#[derive(Debug, Clone)]
pub(crate) struct Board {
    rows: BTreeMap<Work, Row>,
    unexpected: Vec<String>,
}

impl Board {
    /// Nothing was seen yet.
    ///
    /// # Errors
    /// Never in practice: the bounds of the histograms are fixed.
    pub(crate) fn new() -> Result<Self, hdrhistogram::CreationError> {
        let rows = Work::ALL.into_iter().map(|work| Ok((work, Row::new()?))).collect::<Result<_, _>>()?;
        Ok(Self { rows, unexpected: Vec::new() })
    }

    /// Input: something ended.
    pub(crate) fn handle_observation(&mut self, observation: Observation) {
        let Some(row) = self.rows.get_mut(&observation.work) else { return };
        let took_us = u64::try_from(observation.took.as_micros()).unwrap_or(u64::MAX);
        row.times_us.saturating_record(took_us.clamp(1, TIME_US_MAX));
        *row.labels.entry(observation.label).or_default() += 1;
        match observation.end {
            End::Good => row.good += 1,
            End::ExpectedError => row.expected_errors += 1,
            End::Unexpected(what) => {
                row.unexpected += 1;
                if self.unexpected.len() < UNEXPECTED_KEPT {
                    self.unexpected.push(format!("{}: {what}", observation.work.name()));
                }
            }
        }
    }

    /// Input: so much time went by since the last tick.
    pub(crate) fn handle_tick(&mut self, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64();
        for row in self.rows.values_mut() {
            let count = row.count();
            row.rate = if seconds > 0.0 { (count - row.at_last_rate) as f64 / seconds } else { 0.0 };
            row.at_last_rate = count;
        }
    }

    /// What was seen of each kind of work, in the order in which it is shown.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Work, &Row)> {
        self.rows.iter().map(|(work, row)| (*work, row))
    }

    /// What was seen of one kind of work.
    pub(crate) fn row(&self, work: Work) -> Option<&Row> {
        self.rows.get(&work)
    }

    /// The first unexpected things, word by word.
    pub(crate) fn unexpected(&self) -> &[String] {
        &self.unexpected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(took_ms: u64, end: End) -> Observation {
        Observation { work: Work::Orders, took: Duration::from_millis(took_ms), end, label: "x" }
    }

    #[test]
    fn ends_are_counted_by_kind() {
        let mut board = Board::new().unwrap();
        board.handle_observation(observed(1, End::Good));
        board.handle_observation(observed(2, End::ExpectedError));
        board.handle_observation(observed(3, End::Unexpected("why".to_owned())));
        let row = board.row(Work::Orders).unwrap();
        assert_eq!((row.good, row.expected_errors, row.unexpected, row.count()), (1, 1, 1, 3));
        assert_eq!(row.labels.get("x"), Some(&3));
        assert_eq!(board.unexpected(), ["orders: why"]);
        assert_eq!(board.row(Work::Readings).unwrap().count(), 0);
    }

    #[test]
    fn unexpected_things_are_kept_up_to_a_bound() {
        let mut board = Board::new().unwrap();
        for _ in 0..=UNEXPECTED_KEPT {
            board.handle_observation(observed(1, End::Unexpected("why".to_owned())));
        }
        assert_eq!(board.unexpected().len(), UNEXPECTED_KEPT);
        assert_eq!(board.row(Work::Orders).unwrap().unexpected, UNEXPECTED_KEPT as u64 + 1);
    }

    #[test]
    fn rates_are_of_the_time_since_the_last_tick() {
        let mut board = Board::new().unwrap();
        let rate = |board: &Board| board.row(Work::Orders).unwrap().rate();
        (0..10).for_each(|_| board.handle_observation(observed(1, End::Good)));
        board.handle_tick(Duration::from_millis(500));
        assert_eq!(rate(&board), 20.0);
        board.handle_tick(Duration::from_millis(500));
        assert_eq!(rate(&board), 0.0);
    }

    #[test]
    fn times_are_sorted_into_percentiles() {
        let mut board = Board::new().unwrap();
        assert_eq!(board.row(Work::Orders).unwrap().percentile(50.0), None);
        (1..=100).for_each(|took_ms| board.handle_observation(observed(took_ms, End::Good)));
        board.handle_observation(observed(10_000_000, End::Good));
        let row = board.row(Work::Orders).unwrap();
        let near = |percent, expected_ms: u64| {
            let took = row.percentile(percent).unwrap().as_millis() as u64;
            assert!(took.abs_diff(expected_ms) <= 1, "p{percent} is {took} ms");
        };
        near(50.0, 51);
        near(99.0, 100);
        assert!(row.longest().unwrap() >= Duration::from_secs(60), "longer times count as the longest");
    }
}
