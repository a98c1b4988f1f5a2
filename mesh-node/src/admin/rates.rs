//! Counts per second, for whoever asks and however often.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::info::{Rates, Totals};
use crate::metrics::{Counter, Metrics};

/// Rates over less time than this would jump about.
const SHORTEST: Duration = Duration::from_secs(1);

/// Remembers what the counts were when somebody last asked.
#[derive(Debug)]
pub(super) struct Meter(Mutex<Last>);

#[derive(Debug)]
struct Last {
    at: Instant,
    totals: Totals,
    rates: Rates,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Last { at: now, totals: Totals::default(), rates: Rates::default() }))
    }

    /// The rates since the last question; those of the last question if that was less than a second ago.
    pub(super) fn rates(&self, now: Instant, totals: Totals) -> Rates {
        let mut last = self.0.lock();
        let passed = now.saturating_duration_since(last.at);
        if passed >= SHORTEST {
            let rates = between(&last.totals, &totals, passed.as_secs_f64());
            *last = Last { at: now, totals, rates };
        }
        last.rates
    }
}

/// What a node's counters say together.
pub(super) fn totals(metrics: &Metrics) -> Totals {
    let sum = |counters: &[Counter]| counters.iter().map(|&counter| metrics.total(counter)).sum();
    Totals {
        messages_in: sum(&[Counter::Published, Counter::Requests, Counter::Replies]),
        messages_out: sum(&[Counter::Delivered, Counter::Calls, Counter::RepliesSent]),
        bytes_in: sum(&[Counter::InBytes]),
        bytes_out: sum(&[Counter::OutBytes]),
        requests: sum(&[Counter::Requests]),
        dropped: sum(&[
            Counter::DroppedOverflow,
            Counter::DroppedLinkGone,
            Counter::DroppedNoSubscription,
            Counter::DroppedMailboxFull,
            Counter::LateReplies,
        ]),
    }
}

fn between(before: &Totals, after: &Totals, seconds: f64) -> Rates {
    let per_second = |before: u64, after: u64| after.saturating_sub(before) as f64 / seconds;
    Rates {
        over_seconds: seconds,
        messages_in: per_second(before.messages_in, after.messages_in),
        messages_out: per_second(before.messages_out, after.messages_out),
        bytes_in: per_second(before.bytes_in, after.bytes_in),
        bytes_out: per_second(before.bytes_out, after.bytes_out),
        requests: per_second(before.requests, after.requests),
        dropped: per_second(before.dropped, after.dropped),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn rates_are_taken_between_questions_at_least_a_second_apart() {
        let start = Instant::now();
        let meter = Meter::new(start);
        let totals = |requests| Totals { requests, ..Totals::default() };
        assert_eq!(meter.rates(at(start, 999), totals(10)), Rates::default());
        assert_eq!(meter.rates(at(start, 2000), totals(10)).requests, 5.0);
        let soon = meter.rates(at(start, 2999), totals(1000));
        assert_eq!((soon.requests, soon.over_seconds), (5.0, 2.0), "asked again too soon: the same answer");
        assert_eq!(meter.rates(at(start, 3000), totals(1010)).requests, 1000.0);
    }

    #[test]
    fn totals_are_sums_over_kinds() {
        let metrics = Metrics::new(1);
        let thread = metrics.thread(0);
        for counter in Counter::ALL {
            thread.add(counter, 1);
        }
        let totals = totals(&metrics);
        assert_eq!((totals.messages_in, totals.messages_out, totals.dropped), (3, 3, 5));
        assert_eq!((totals.requests, totals.bytes_in, totals.bytes_out), (1, 1, 1));
    }
}
