//! The board as text. Pure.

use std::time::Duration;

use crate::board::{Board, Row};

/// The board as the lines of a table.
pub(crate) fn table(board: &Board, elapsed: Duration, total: Duration) -> Vec<String> {
    let mut lines = vec![
        format!("mesh demo   {} of {} s", elapsed.as_secs(), total.as_secs()),
        String::new(),
        format!(
            "{:<12}{:>9}{:>9}{:>9}{:>9}{:>12}{:>11}{:>11}",
            "", "per s", "count", "good", "refused", "unexpected", "p50", "p99"
        ),
    ];
    lines.extend(
        board.rows().map(|(work, row)| format!("{:<12}{:>9.1}{}", work.name(), row.rate(), counts(row))),
    );
    lines
}

/// What a row came to, behind its name and rate.
pub(crate) fn counts(row: &Row) -> String {
    format!(
        "{:>9}{:>9}{:>9}{:>12}{:>11}{:>11}",
        row.count(),
        row.good,
        row.expected_errors,
        row.unexpected,
        time(row.percentile(50.0)),
        time(row.percentile(99.0)),
    )
}

/// The board in one line, for where nothing can be drawn over.
pub(crate) fn line(board: &Board, elapsed: Duration) -> String {
    let rows: Vec<String> = board
        .rows()
        .map(|(work, row)| format!("{} {:.1}/s p99 {}", work.name(), row.rate(), time(row.percentile(99.0))))
        .collect();
    let unexpected: u64 = board.rows().map(|(_, row)| row.unexpected).sum();
    format!("{:>4} s  {}  unexpected {unexpected}", elapsed.as_secs(), rows.join("  "))
}

/// A time in three digits or so.
pub(crate) fn time(time: Option<Duration>) -> String {
    let Some(time) = time else { return "-".to_owned() };
    let ms = time.as_secs_f64() * 1_000.0;
    match ms {
        0.0..1.0 => format!("{} µs", time.as_micros()),
        1.0..100.0 => format!("{ms:.1} ms"),
        100.0..10_000.0 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::{End, Observation, Work};

    fn board() -> Board {
        let mut board = Board::new().unwrap();
        for end in [End::Good, End::ExpectedError, End::Unexpected("x".to_owned())] {
            let took = Duration::from_millis(2);
            board.handle_observation(Observation { work: Work::Orders, took, end, label: "x" });
        }
        board.handle_tick(Duration::from_secs(1));
        board
    }

    #[test]
    fn the_table_has_a_line_for_each_kind_of_work() {
        let lines = table(&board(), Duration::from_secs(3), Duration::from_secs(20));
        assert_eq!(lines[0], "mesh demo   3 of 20 s");
        assert_eq!(lines.len(), 3 + Work::ALL.len());
        let orders: Vec<&str> = lines[4].split_whitespace().collect();
        assert_eq!(orders, ["orders", "3.0", "3", "1", "1", "1", "2.0", "ms", "2.0", "ms"]);
        let width = |line: &String| line.chars().count();
        assert!(
            lines[3..].iter().all(|line| width(line) == width(&lines[2])),
            "columns stand below each other"
        );
    }

    #[test]
    fn one_line_says_the_same_in_short() {
        let line = line(&board(), Duration::from_secs(3));
        assert!(line.contains("orders 3.0/s p99 2.0 ms") && line.ends_with("unexpected 1"), "{line}");
    }

    #[test]
    fn times_are_short() {
        for (us, expected) in [
            (7, "7 µs"),
            (999, "999 µs"),
            (1_000, "1.0 ms"),
            (48_200, "48.2 ms"),
            (748_200, "748 ms"),
            (12_345_678, "12.3 s"),
        ] {
            assert_eq!(time(Some(Duration::from_micros(us))), expected);
        }
        assert_eq!(time(None), "-");
    }
}
