//! What became of the datagrams of a direction.

use serde::Serialize;

/// What became of the datagrams of a direction.
///
/// `received + duplicated` is always `forwarded + lost + cut + overflowed + unsent + waiting`: none goes uncounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// Came to the proxy.
    pub received: u64,
    /// Went on from it, copies counted too.
    pub forwarded: u64,
    /// Were lost, as asked.
    pub lost: u64,
    /// Went on later than they came, by a delay, a limit on the rate, or because they were behind one that did.
    pub delayed: u64,
    /// Were held back so that others overtake them.
    pub reordered: u64,
    /// Copies that were made.
    pub duplicated: u64,
    /// Had bits flipped.
    pub corrupted: u64,
    /// Were dropped because the direction was cut.
    pub cut: u64,
    /// Were dropped because too many waited.
    pub overflowed: u64,
    /// The system did not take them, or their client was forgotten.
    pub unsent: u64,
    /// Wait now.
    pub waiting: u64,
}
