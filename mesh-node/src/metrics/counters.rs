//! The counters of one thread, and their sum.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mesh_telemetry::metric::DURATION_BOUNDS_US;
use mesh_wire::code::Code;

use super::Counter;

/// Every code, by rising number: where a code stands here is where it is counted.
static CODES: LazyLock<Box<[Code]>> = LazyLock::new(|| Code::all().collect());

/// Buckets of durations: one for each bound and one above the last.
const BUCKETS: usize = DURATION_BOUNDS_US.len() + 1;

/// The counters of one thread. That thread alone counts with them; anybody may read.
///
/// Aligned so that two threads' counters never share a cache line, neighbouring lines fetched together included.
#[derive(Debug)]
#[repr(align(128))]
pub struct Counters {
    counts: [AtomicU64; Counter::ALL.len()],
    buckets: [AtomicU64; BUCKETS],
    took_us: AtomicU64,
    codes: Box<[AtomicU64]>,
    not_taken: Box<[AtomicU64]>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; Counter::ALL.len()],
            buckets: [const { AtomicU64::new(0) }; BUCKETS],
            took_us: AtomicU64::new(0),
            codes: zeroes(),
            not_taken: zeroes(),
        }
    }
}

impl Counters {
    /// Counts `n` of something.
    #[inline]
    pub fn add(&self, counter: Counter, n: u64) {
        add(&self.counts[counter as usize], n);
    }

    /// How many messages have gone through the thread, in either direction.
    #[must_use]
    pub fn messages(&self) -> u64 {
        let of = |counter: Counter| self.counts[counter as usize].load(Ordering::Relaxed);
        let all =
            [Counter::Published, Counter::Requests, Counter::Replies, Counter::Delivered, Counter::Calls];
        all.into_iter().fold(0, |sum, counter| sum.wrapping_add(of(counter)))
    }

    /// Counts an error that a client was told.
    pub fn refused(&self, code: Code) {
        if let Ok(index) = CODES.binary_search(&code) {
            add(&self.codes[index], 1);
        }
    }

    /// Counts messages of other nodes that were not taken.
    pub fn not_taken(&self, code: Code, n: u64) {
        if let Ok(index) = CODES.binary_search(&code) {
            add(&self.not_taken[index], n);
        }
    }

    /// Counts a request that was replied to, and how long that took.
    pub fn answered(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = DURATION_BOUNDS_US.iter().position(|&bound| us <= bound).unwrap_or(BUCKETS - 1);
        add(&self.buckets[bucket], 1);
        add(&self.took_us, us);
    }
}

/// One for each code.
fn zeroes() -> Box<[AtomicU64]> {
    CODES.iter().map(|_| AtomicU64::new(0)).collect()
}

/// One writer, so a load and a store suffice; a counter that overflows starts again, as scrapers expect.
#[inline]
fn add(cell: &AtomicU64, n: u64) {
    cell.store(cell.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
}

/// The sums over all threads. Not of one instant: each counter is read when its turn comes.
#[derive(Debug)]
pub(super) struct Totals {
    counts: [u64; Counter::ALL.len()],
    buckets: [u64; BUCKETS],
    took_us: u64,
    codes: Vec<u64>,
    not_taken: Vec<u64>,
}

impl Totals {
    pub(super) fn of<'a>(threads: impl Iterator<Item = &'a Counters>) -> Self {
        let mut totals = Self {
            counts: [0; Counter::ALL.len()],
            buckets: [0; BUCKETS],
            took_us: 0,
            codes: vec![0; CODES.len()],
            not_taken: vec![0; CODES.len()],
        };
        for thread in threads {
            sum(&mut totals.counts, &thread.counts);
            sum(&mut totals.buckets, &thread.buckets);
            sum(&mut totals.codes, &thread.codes);
            sum(&mut totals.not_taken, &thread.not_taken);
            totals.took_us = totals.took_us.wrapping_add(thread.took_us.load(Ordering::Relaxed));
        }
        totals
    }

    pub(super) fn count(&self, counter: Counter) -> u64 {
        self.counts[counter as usize]
    }

    /// How often clients were told this error.
    pub(super) fn code(&self, code: Code) -> u64 {
        CODES.binary_search(&code).map_or(0, |index| self.codes[index])
    }

    /// Every error that clients were told at least once.
    pub(super) fn codes(&self) -> impl Iterator<Item = (Code, u64)> {
        by_code(&self.codes)
    }

    /// Why messages of other nodes were not taken, and how often.
    pub(super) fn not_taken(&self) -> impl Iterator<Item = (Code, u64)> {
        by_code(&self.not_taken)
    }

    /// Requests that were replied to.
    pub(super) fn answered(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// How long they took together, in seconds.
    pub(super) fn took_seconds(&self) -> f64 {
        self.took_us as f64 / 1e6
    }

    /// Requests by how long they took: upper bound in seconds and number, not cumulative.
    pub(super) fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = DURATION_BOUNDS_US.iter().map(|&us| us as f64 / 1e6).chain([f64::INFINITY]);
        bounds.zip(self.buckets).collect()
    }
}

/// Those that were counted at least once.
fn by_code(counts: &[u64]) -> impl Iterator<Item = (Code, u64)> {
    CODES.iter().copied().zip(counts.iter().copied()).filter(|(_, count)| *count > 0)
}

fn sum(totals: &mut [u64], cells: &[AtomicU64]) {
    for (total, cell) in totals.iter_mut().zip(cells) {
        *total = total.wrapping_add(cell.load(Ordering::Relaxed));
    }
}
