use proptest::prelude::*;

use super::*;
use crate::reading::Unit;

const OPTIONS: Options = Options { window_ms: 1_000, grace_ms: 200, series: 3, values: 4 };

fn series(kind: &str) -> Series {
    Series::new("host", kind).unwrap()
}

fn reading(taken_ms: u64, value: f64) -> Reading {
    Reading { value, unit: Unit::Percent, taken_us: taken_ms.saturating_mul(1_000) }
}

fn outputs(windows: &mut Windows) -> Vec<(String, u64, u64)> {
    std::iter::from_fn(|| windows.poll_output())
        .map(|(series, aggregate)| (series.kind().to_owned(), aggregate.start_ms, aggregate.count))
        .collect()
}

#[test]
fn a_window_closes_when_its_grace_is_over_and_not_before() {
    let mut windows = Windows::new(OPTIONS);
    windows.handle_reading(5_000, series("cpu"), reading(5_000, 1.0));
    windows.handle_reading(5_999, series("cpu"), reading(5_999, 3.0));
    windows.handle_reading(6_000, series("cpu"), reading(6_000, 9.0));
    assert_eq!(windows.poll_timeout(), Some(6_200));
    windows.handle_timeout(6_199);
    assert_eq!(windows.poll_output(), None);
    windows.handle_timeout(6_200);
    let expected = Aggregate {
        start_ms: 5_000,
        end_ms: 6_000,
        unit: Unit::Percent,
        count: 2,
        min: 1.0,
        mean: 2.0,
        max: 3.0,
        p95: 3.0,
    };
    assert_eq!(windows.poll_output(), Some((series("cpu"), expected)));
    assert_eq!(windows.poll_output(), None);
    assert_eq!(windows.poll_timeout(), Some(7_200), "the next window is open");
}

#[test]
fn readings_in_the_grace_time_count_and_later_ones_are_late() {
    let mut windows = Windows::new(OPTIONS);
    windows.handle_reading(5_500, series("cpu"), reading(5_500, 1.0));
    windows.handle_reading(6_199, series("cpu"), reading(5_999, 1.0));
    windows.handle_reading(6_200, series("cpu"), reading(5_999, 1.0));
    assert_eq!(outputs(&mut windows), [("cpu".to_owned(), 5_000, 2)]);
    assert_eq!(windows.counts(), Counts { accepted: 2, late: 1, ..Counts::default() });
}

#[test]
fn a_window_without_readings_is_closed_too() {
    let mut windows = Windows::new(OPTIONS);
    windows.handle_timeout(9_000);
    windows.handle_reading(9_000, series("cpu"), reading(7_999, 1.0));
    assert_eq!((windows.counts().late, windows.open_series()), (1, 0));
}

#[test]
fn a_clock_that_goes_back_opens_no_closed_window() {
    let mut windows = Windows::new(OPTIONS);
    windows.handle_timeout(9_000);
    windows.handle_reading(3_000, series("cpu"), reading(3_000, 1.0));
    assert_eq!(windows.counts().late, 1);
}

#[test]
fn look_ahead_ends_after_one_window() {
    let mut windows = Windows::new(OPTIONS);
    windows.handle_reading(5_500, series("cpu"), reading(6_500, 1.0));
    windows.handle_reading(5_500, series("cpu"), reading(6_501, 1.0));
    windows.handle_reading(5_500, series("cpu"), reading(u64::MAX, 1.0));
    assert_eq!(windows.counts(), Counts { accepted: 1, ahead: 2, ..Counts::default() });
}

#[test]
fn series_of_a_window_are_bounded() {
    let mut windows = Windows::new(OPTIONS);
    for kind in ["a", "b", "c", "d", "a"] {
        windows.handle_reading(5_000, series(kind), reading(5_000, 1.0));
    }
    assert_eq!(windows.counts(), Counts { accepted: 4, series_refused: 1, ..Counts::default() });
    assert_eq!(windows.open_series(), OPTIONS.series);
    windows.handle_reading(6_000, series("d"), reading(6_000, 1.0));
    assert_eq!(windows.counts().accepted, 5, "the next window has room of its own");
}

#[test]
fn values_of_a_series_are_bounded() {
    let mut windows = Windows::new(OPTIONS);
    for _ in 0..5 {
        windows.handle_reading(5_000, series("a"), reading(5_000, 1.0));
    }
    assert_eq!(windows.counts(), Counts { accepted: 4, values_refused: 1, ..Counts::default() });
    windows.handle_timeout(7_000);
    assert_eq!(outputs(&mut windows), [("a".to_owned(), 5_000, 4)]);
}

#[test]
fn values_that_are_no_numbers_are_refused() {
    let mut windows = Windows::new(OPTIONS);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        windows.handle_reading(5_000, series("a"), reading(5_000, value));
    }
    windows.handle_invalid();
    assert_eq!(windows.counts(), Counts { invalid: 4, ..Counts::default() });
    assert_eq!(windows.poll_timeout(), None);
}

proptest! {
    /// Whatever comes in whatever order, each reading is counted once, and the aggregates hold all that was accepted.
    #[test]
    fn counts_add_up(inputs in prop::collection::vec((0..20_000u64, 0..20_000u64, 0..5u8), 0..200)) {
        let mut windows = Windows::new(OPTIONS);
        let mut now_ms = 0;
        for (clock_ms, taken_ms, kind) in &inputs {
            now_ms = now_ms.max(*clock_ms);
            windows.handle_reading(now_ms, series(&format!("k{kind}")), reading(*taken_ms, 1.0));
        }
        let counts = windows.counts();
        let sum = counts.accepted + counts.late + counts.ahead + counts.series_refused + counts.values_refused;
        prop_assert_eq!(sum, inputs.len() as u64);
        windows.handle_timeout(u64::MAX);
        let aggregated: u64 = outputs(&mut windows).iter().map(|(_, _, count)| count).sum();
        prop_assert_eq!(aggregated, counts.accepted);
        prop_assert_eq!(windows.open_series(), 0);
    }
}
