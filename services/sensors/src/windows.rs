//! Tumbling windows over many series. Pure: time comes in as milliseconds since the epoch.
//!
//! ```text
//!            closed (late: counted)      open                          ahead (refused, counted)
//!  ──────────┼───────────┼───────────────┼───────────────┼─────────────┼──────────►  time of the reading
//!                        │<-- window --->│        ^ now  │<- window -->│
//!                        └ closes `grace` after its end  └ now + window
//! ```
//!
//! A reading belongs to the window that its own time falls into. A window stays open for a grace time after its end,
//! so that readings under way still count; what comes later is late. Everything is bounded: the open windows by grace
//! and look-ahead, the series of a window and the values of a series by [`Options`].

mod values;

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use self::values::Values;
use crate::aggregate::Aggregate;
use crate::reading::Reading;
use crate::series::Series;

/// How long windows are and how much they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Length of a window in milliseconds, at least 1.
    pub window_ms: u64,
    /// How long a window stays open after its end, in milliseconds.
    pub grace_ms: u64,
    /// Most series in one window.
    pub series: usize,
    /// Most readings of one series in one window.
    pub values: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { window_ms: 5_000, grace_ms: 1_000, series: 4_096, values: 4_096 }
    }
}

/// What became of the readings so far. Every reading is counted in exactly one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Readings that went into a window.
    pub accepted: u64,
    /// Readings whose window was closed already.
    pub late: u64,
    /// Readings from more than a window ahead of the clock.
    pub ahead: u64,
    /// Readings of a series for which a full window had no room.
    pub series_refused: u64,
    /// Readings of a series that had its share of values in the window.
    pub values_refused: u64,
    /// Messages that are no reading: an unknown subject or body, or a value that is not a finite number.
    pub invalid: u64,
}

/// The open windows and what came of the closed ones.
#[derive(Debug)]
pub struct Windows {
    options: Options,
    open: BTreeMap<u64, BTreeMap<Series, Values>>,
    /// Windows that start before this are closed.
    closed_until_ms: u64,
    outputs: VecDeque<(Series, Aggregate)>,
    counts: Counts,
}

impl Windows {
    /// No window is open.
    pub fn new(options: Options) -> Self {
        let options = Options { window_ms: options.window_ms.max(1), ..options };
        Self {
            options,
            open: BTreeMap::new(),
            closed_until_ms: 0,
            outputs: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// Input: a reading of a series. Windows that are due by `now_ms` close first.
    pub fn handle_reading(&mut self, now_ms: u64, series: Series, reading: Reading) {
        self.handle_timeout(now_ms);
        let count = self.place(now_ms, series, reading);
        *count(&mut self.counts) += 1;
    }

    /// Input: a message that is no reading.
    pub fn handle_invalid(&mut self) {
        self.counts.invalid += 1;
    }

    /// Input: the time. Closes every window whose grace is over.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        let over_ms = now_ms.saturating_sub(self.options.grace_ms);
        self.closed_until_ms = self.closed_until_ms.max(self.start_of(over_ms));
        while let Some(window) = self.open.first_entry() {
            let start_ms = *window.key();
            if start_ms >= self.closed_until_ms {
                break;
            }
            let end_ms = start_ms.saturating_add(self.options.window_ms);
            for (series, values) in window.remove() {
                self.outputs.push_back((series, values.aggregate(start_ms, end_ms)));
            }
        }
    }

    /// Output: the next aggregate of a window that closed, by window, then series.
    pub fn poll_output(&mut self) -> Option<(Series, Aggregate)> {
        self.outputs.pop_front()
    }

    /// When [`Windows::handle_timeout`] has something to do next.
    pub fn poll_timeout(&self) -> Option<u64> {
        let start_ms = self.open.keys().next()?;
        Some(start_ms.saturating_add(self.options.window_ms).saturating_add(self.options.grace_ms))
    }

    /// What became of the readings so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Series in the open windows together, a series once for each window it is in.
    pub fn open_series(&self) -> usize {
        self.open.values().map(BTreeMap::len).sum()
    }

    /// Puts a reading where it belongs and names the counter that it goes by.
    fn place(&mut self, now_ms: u64, series: Series, reading: Reading) -> fn(&mut Counts) -> &mut u64 {
        if !reading.value.is_finite() {
            return |counts| &mut counts.invalid;
        }
        if reading.taken_ms() > now_ms.saturating_add(self.options.window_ms) {
            return |counts| &mut counts.ahead;
        }
        let start_ms = self.start_of(reading.taken_ms());
        if start_ms < self.closed_until_ms {
            return |counts| &mut counts.late;
        }
        let window = self.open.entry(start_ms).or_default();
        let full = window.len() >= self.options.series;
        match window.get_mut(&series) {
            Some(values) if values.len() >= self.options.values => |counts| &mut counts.values_refused,
            Some(values) => {
                values.push(reading.value);
                |counts| &mut counts.accepted
            }
            None if full => |counts| &mut counts.series_refused,
            None => {
                window.insert(series, Values::of(reading.unit, reading.value));
                |counts| &mut counts.accepted
            }
        }
    }

    fn start_of(&self, at_ms: u64) -> u64 {
        at_ms - at_ms % self.options.window_ms
    }
}

#[cfg(test)]
mod tests;
