//! What a disk does wrong.

use std::time::Duration;

/// Faults that can be told beforehand. Those that come with a crash, and flipped bits, are asked for when they are to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// Bytes that there are in all; more is `StorageFull`.
    pub capacity: u64,
    /// The write from now, counted from 1, that fails with an I/O error after a part of it; later ones do too.
    pub failing_write: Option<u64>,
    /// The sync from now, counted from 1, that fails with an I/O error. Later ones succeed, and what this one was to make
    /// durable never is.
    pub failing_sync: Option<u64>,
    /// The read from now, counted from 1, that fails with an I/O error; later ones don't.
    pub failing_read: Option<u64>,
    /// How many more operations that change something are done before the power goes, in the midst of whatever it is;
    /// the crash is for the caller to have then.
    pub power: Option<u64>,
    /// What a sync takes.
    pub sync_delay: Duration,
    /// What writing or reading a KiB takes.
    pub kib_delay: Duration,
    /// In how many of 1,000 cases a sector that is neither kept nor lost in a crash is torn.
    pub torn: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            capacity: u64::MAX,
            failing_write: None,
            failing_sync: None,
            failing_read: None,
            power: None,
            sync_delay: Duration::from_micros(100),
            kib_delay: Duration::from_micros(1),
            torn: 20,
        }
    }
}

/// Counts down to the operation that fails.
pub(super) fn fails(countdown: &mut Option<u64>) -> bool {
    match countdown {
        Some(left) => {
            *left = left.saturating_sub(1);
            *left == 0
        }
        None => false,
    }
}
