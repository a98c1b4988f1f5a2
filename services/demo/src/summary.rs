//! What the run came to, for people and for programs. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::board::{Board, Row, Work};
use crate::table::counts;

/// A run of at least this length is to see aggregates: some windows end within it.
const AGGREGATES_AFTER: Duration = Duration::from_secs(10);

/// The whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// Whether nothing unexpected happened.
    pub(crate) ok: bool,
    /// How long it ran.
    pub(crate) seconds: f64,
    /// Each kind of work.
    pub(crate) services: BTreeMap<&'static str, Service>,
    /// What was unexpected.
    pub(crate) problems: Vec<String>,
}

/// One kind of work.
#[derive(Debug, Serialize)]
pub(crate) struct Service {
    /// Pieces that ended.
    pub(crate) count: u64,
    /// Pieces that ended as they should.
    pub(crate) good: u64,
    /// Pieces that were refused, rightly.
    pub(crate) errors_expected: u64,
    /// Pieces that should have ended otherwise.
    pub(crate) errors_unexpected: u64,
    /// Pieces a second over the whole run.
    pub(crate) per_second: f64,
    /// The time that half of them took at most, in microseconds.
    pub p50_us: Option<u64>,
    /// The time that 99 of 100 took at most, in microseconds.
    pub p99_us: Option<u64>,
    /// The longest time, in microseconds.
    pub(crate) max_us: Option<u64>,
    /// Pieces by the sort of their end.
    pub(crate) ends: BTreeMap<&'static str, u64>,
}

impl Summary {
    /// Sums up a run in which `started` pieces of work were begun, and other `problems` were found already.
    pub(crate) fn new(board: &Board, ran: Duration, started: &[(Work, u64)], problems: Vec<String>) -> Self {
        let mut all = board.unexpected().to_vec();
        all.extend(unfinished(board, started));
        all.extend(silent(board, ran));
        all.extend(problems);
        let services = board.rows().map(|(work, row)| (work.name(), Service::of(row, ran))).collect();
        Self { ok: all.is_empty(), seconds: round(ran.as_secs_f64()), services, problems: all }
    }

    /// The summary for people.
    pub(crate) fn text(&self, board: &Board) -> String {
        let mut text = format!(
            "ran for {:.1} s\n\n{:<12}{:>9}{:>9}{:>9}{:>9}{:>12}{:>11}{:>11}\n",
            self.seconds, "", "per s", "count", "good", "refused", "unexpected", "p50", "p99"
        );
        for (work, row) in board.rows() {
            let rate = self.services.get(work.name()).map_or(0.0, |service| service.per_second);
            text += &format!("{:<12}{rate:>9.1}{}\n", work.name(), counts(row));
        }
        if let Some(orders) = self.services.get(Work::Orders.name()) {
            let ends: Vec<String> = orders.ends.iter().map(|(end, count)| format!("{count} {end}")).collect();
            text += &format!("\norders: {}\n", ends.join(", "));
        }
        text += "readings: time since they were taken; aggregates: time since the end of their window\n\n";
        if self.ok {
            text +=
                "Everything was as expected: results were checked, and the books of all services add up.\n";
        } else {
            text += &format!("{} things were unexpected:\n", self.problems.len());
            for problem in &self.problems {
                text += &format!("  {problem}\n");
            }
        }
        text
    }
}

impl Service {
    fn of(row: &Row, ran: Duration) -> Self {
        let us =
            |time: Option<Duration>| time.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        Self {
            count: row.count(),
            good: row.good,
            errors_expected: row.expected_errors,
            errors_unexpected: row.unexpected,
            per_second: round(row.count() as f64 / ran.as_secs_f64().max(0.001)),
            p50_us: us(row.percentile(50.0)),
            p99_us: us(row.percentile(99.0)),
            max_us: us(row.longest()),
            ends: row.labels.clone(),
        }
    }
}

fn unfinished(board: &Board, started: &[(Work, u64)]) -> Vec<String> {
    let ended = |work| board.row(work).map_or(0, Row::count);
    started
        .iter()
        .filter(|(work, count)| ended(*work) != *count)
        .map(|(work, count)| format!("{}: {count} were begun and {} ended", work.name(), ended(*work)))
        .collect()
}

/// Kinds of work of which nothing good was seen, though the run was long enough for it.
fn silent(board: &Board, ran: Duration) -> Vec<String> {
    board
        .rows()
        .filter(|(work, row)| row.good == 0 && (*work != Work::Aggregates || ran >= AGGREGATES_AFTER))
        .map(|(work, _)| format!("{}: nothing good came in {:.0} s", work.name(), ran.as_secs_f64()))
        .collect()
}

fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{End, Observation};

    fn board(works: &[Work]) -> Board {
        let mut board = Board::new().unwrap();
        for work in works {
            let took = Duration::from_millis(2);
            board.handle_observation(Observation { work: *work, took, end: End::Good, label: "x" });
        }
        board
    }

    const RAN: Duration = Duration::from_secs(20);
    const STARTED: [(Work, u64); 2] = [(Work::Thumbnails, 1), (Work::Orders, 1)];

    #[test]
    fn a_good_run_is_ok() {
        let summary = Summary::new(&board(&Work::ALL), RAN, &STARTED, vec![]);
        assert!(summary.ok, "{:?}", summary.problems);
    }

    #[test]
    fn what_is_missing_is_a_problem() {
        for work in Work::ALL {
            let others: Vec<Work> = Work::ALL.into_iter().filter(|other| *other != work).collect();
            let summary = Summary::new(&board(&others), RAN, &[], vec![]);
            assert_eq!(summary.problems.len(), 1, "{work:?}");
            assert!(!summary.ok && summary.problems[0].starts_with(work.name()));
        }
        let without_aggregates = board(&[Work::Thumbnails, Work::Orders, Work::Readings]);
        assert!(
            Summary::new(&without_aggregates, Duration::from_secs(9), &STARTED, vec![]).ok,
            "too short for them"
        );
    }

    #[test]
    fn work_that_did_not_end_is_a_problem() {
        let summary = Summary::new(&board(&Work::ALL), RAN, &[(Work::Orders, 2)], vec![]);
        assert_eq!(summary.problems, ["orders: 2 were begun and 1 ended"]);
    }

    #[test]
    fn problems_found_elsewhere_count() {
        let board = board(&Work::ALL);
        let summary = Summary::new(&board, RAN, &STARTED, vec!["books".to_owned()]);
        assert!(!summary.ok && summary.text(&board).contains("  books\n"));
    }
}
