//! When files are kept, moved and compacted.

use crate::lanes::Usage;

/// When files are kept, moved and compacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// So many full files wait before the oldest is dealt with: what is in them has time to be done with.
    pub sealed_files: usize,
    /// A file is kept when so many hundredths of it are wanted.
    pub keep_percent: u64,
    /// A file is kept when so many hundredths of it are wanted and stand in large pieces (`lanes::LARGE`).
    pub keep_large_percent: u64,
    /// A segment is compacted when no more than so many hundredths of it are wanted.
    pub compact_percent: u64,
    /// The most bytes that one job moves, if it moves more than one piece.
    pub move_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sealed_files: 3,
            keep_percent: 50,
            keep_large_percent: 25,
            compact_percent: 25,
            move_bytes: 8 << 20,
        }
    }
}

impl Options {
    /// Whether it is better kept where it is.
    pub(super) fn is_mostly_live(&self, bytes: u64, live: u64, large: u64) -> bool {
        live > 0
            && (percent(live, bytes) >= self.keep_percent || percent(large, bytes) >= self.keep_large_percent)
    }

    /// Whether the little that is wanted of it had better stand elsewhere.
    pub(super) fn is_mostly_dead(&self, usage: &Usage) -> bool {
        usage.live > 0 && percent(usage.live, usage.written) <= self.compact_percent
    }
}

fn percent(part: u64, of: u64) -> u64 {
    let hundredths = u128::from(part) * 100 / u128::from(of.max(1));
    u64::try_from(hundredths).unwrap_or(u64::MAX)
}
