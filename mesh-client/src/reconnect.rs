//! When to connect again.

use std::time::Duration;

/// How a client comes back after it lost its connection.
///
/// The n-th attempt waits between half of and the whole of `min × 2ⁿ⁻¹`, at most `max`: attempts of many clients spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReconnectPolicy {
    min_delay: Duration,
    max_delay: Duration,
    max_attempts: Option<u32>,
}

impl ReconnectPolicy {
    /// From 50 ms to 5 s between attempts, without end.
    pub const DEFAULT: Self =
        Self { min_delay: Duration::from_millis(50), max_delay: Duration::from_secs(5), max_attempts: None };

    /// Never: the client is closed when its connection is lost.
    #[must_use]
    pub const fn never() -> Self {
        Self { max_attempts: Some(0), ..Self::DEFAULT }
    }

    /// The delays between which attempts back off.
    #[must_use]
    pub const fn delays(self, min: Duration, max: Duration) -> Self {
        Self { min_delay: min, max_delay: max, ..self }
    }

    /// The attempts after which the client gives up and is closed.
    #[must_use]
    pub const fn max_attempts(self, attempts: u32) -> Self {
        Self { max_attempts: Some(attempts), ..self }
    }
}

impl Default for ReconnectPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}
