//! What is known about one member.

use std::time::{Duration, Instant};

use super::Options;

/// The weight of a member that gets its full share.
pub(super) const FULL_WEIGHT: u32 = 256;
/// The weight with which a slow start begins: a tenth.
const FIRST_WEIGHT: u32 = FULL_WEIGHT / 10;

#[derive(Clone, Debug)]
pub(super) struct Member {
    in_flight: u32,
    /// What a reply told last, and when.
    told: Option<(u32, Instant)>,
    pub(super) tier: u8,
    health: Health,
    failures_in_a_row: u32,
    window: Window,
    /// Ejections since the member last served for long.
    ejections: u32,
    slow_start: Option<Instant>,
    seen: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    Serving { since: Instant },
    Ejected { until: Instant },
    Probing { since: Instant },
}

/// How a member may be used right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// For any call.
    Serving,
    /// For one call that tries it.
    Due,
    /// For none, until this time.
    Out(Instant),
}

#[derive(Clone, Copy, Debug)]
struct Window {
    since: Instant,
    results: u32,
    failures: u32,
}

impl Member {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            in_flight: 0,
            told: None,
            tier: 0,
            health: Health::Serving { since: now },
            failures_in_a_row: 0,
            window: Window { since: now, results: 0, failures: 0 },
            ejections: 0,
            slow_start: None,
            seen: now,
        }
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    pub(super) fn is_out(&self) -> bool {
        !matches!(self.health, Health::Serving { .. })
    }

    pub(super) fn standing(&self, now: Instant, options: &Options) -> Standing {
        match self.due_at(options) {
            None => Standing::Serving,
            Some(due) if due <= now => Standing::Due,
            Some(due) => Standing::Out(due),
        }
    }

    /// When a member that is out may be tried; `None` for one that serves.
    pub(super) fn due_at(&self, options: &Options) -> Option<Instant> {
        match self.health {
            Health::Serving { .. } => None,
            Health::Ejected { until } => Some(until),
            Health::Probing { since } => Some(since + options.probe_patience),
        }
    }

    /// What is in flight at the member, as far as known here.
    pub(super) fn load(&self, now: Instant, options: &Options) -> u32 {
        let told = self.told.map_or(0, |(load, at)| {
            let halvings = periods(now.saturating_duration_since(at), options.load_half_life);
            load.checked_shr(halvings).unwrap_or(0)
        });
        self.in_flight.max(told)
    }

    /// The member's share of the draws, up to [`FULL_WEIGHT`].
    pub(super) fn weight(&self, now: Instant, options: &Options) -> u32 {
        if self.is_out() {
            return FIRST_WEIGHT;
        }
        let Some(began) = self.slow_start else { return FULL_WEIGHT };
        let served = now.saturating_duration_since(began);
        if served >= options.slow_start {
            return FULL_WEIGHT;
        }
        let risen = u128::from(FULL_WEIGHT) * served.as_nanos() / options.slow_start.as_nanos();
        FIRST_WEIGHT.max(risen as u32)
    }

    /// Whether nothing would be lost by forgetting the member.
    pub(super) fn is_unseen(&self, now: Instant, unseen: Duration) -> bool {
        let out = matches!(self.health, Health::Ejected { until } if until > now);
        self.in_flight == 0 && self.tier == 0 && !out && now.saturating_duration_since(self.seen) >= unseen
    }

    pub(super) fn begin_slow_start(&mut self, now: Instant) {
        self.slow_start = Some(now);
        self.seen = now;
    }

    pub(super) fn begin_probe(&mut self, now: Instant) {
        self.health = Health::Probing { since: now };
    }

    pub(super) fn sent(&mut self, now: Instant) {
        self.in_flight = self.in_flight.saturating_add(1);
        self.seen = now;
    }

    pub(super) fn replied(&mut self, now: Instant, load: Option<u32>) {
        self.settled(now);
        self.failures_in_a_row = 0;
        if let Some(load) = load {
            self.told = Some((load, now));
        }
        match self.health {
            Health::Serving { .. } => self.window.results = self.window.results.saturating_add(1),
            // The answer to a call from before the ejection; it doesn't make up for the failures since.
            Health::Ejected { until } if until > now => {}
            Health::Ejected { .. } | Health::Probing { .. } => self.take_back(now),
        }
    }

    pub(super) fn failed(&mut self, now: Instant, options: &Options) {
        self.settled(now);
        match self.health {
            Health::Serving { since } => {
                self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
                self.window.fail(now, options.window);
                if self.failures_in_a_row >= options.failures_in_a_row || self.window.is_bad(options) {
                    if now.saturating_duration_since(since) >= options.backoff_max {
                        self.ejections = 0;
                    }
                    self.eject(now, options);
                }
            }
            // A call from before the ejection: its failure is part of the same trouble.
            Health::Ejected { until } if until > now => {}
            Health::Ejected { .. } | Health::Probing { .. } => self.eject(now, options),
        }
    }

    pub(super) fn cancelled(&mut self, now: Instant) {
        self.settled(now);
        if self.in_flight == 0 && matches!(self.health, Health::Probing { .. }) {
            // The call that tried the member says nothing now, so the next one may.
            self.health = Health::Ejected { until: now };
        }
    }

    fn settled(&mut self, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.seen = now;
    }

    fn eject(&mut self, now: Instant, options: &Options) {
        let factor = 1u32.checked_shl(self.ejections).unwrap_or(u32::MAX);
        let backoff = options.backoff_min.saturating_mul(factor).min(options.backoff_max);
        self.ejections = self.ejections.saturating_add(1);
        self.health = Health::Ejected { until: now + backoff };
    }

    fn take_back(&mut self, now: Instant) {
        self.health = Health::Serving { since: now };
        self.window = Window { since: now, results: 0, failures: 0 };
        self.begin_slow_start(now);
    }
}

impl Window {
    fn fail(&mut self, now: Instant, length: Duration) {
        if now.saturating_duration_since(self.since) >= length {
            *self = Self { since: now, results: 0, failures: 0 };
        }
        self.results = self.results.saturating_add(1);
        self.failures += 1;
    }

    fn is_bad(&self, options: &Options) -> bool {
        self.results >= options.window_results_min
            && u64::from(self.failures) * 100 >= u64::from(self.results) * u64::from(options.failure_percent)
    }
}

/// How many whole periods have passed; a period of zero has passed any number of times.
fn periods(passed: Duration, period: Duration) -> u32 {
    passed
        .as_nanos()
        .checked_div(period.as_nanos())
        .map_or(u32::MAX, |count| count.min(u128::from(u32::MAX)) as u32)
}
