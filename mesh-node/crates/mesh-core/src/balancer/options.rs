//! How a balancer judges its members.

use std::time::Duration;

/// How a balancer judges its members. The defaults fit calls of milliseconds to seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// So many failures in a row eject a member.
    pub failures_in_a_row: u32,
    /// So many percent of failures in a window eject a member, if the window has enough results.
    pub failure_percent: u32,
    /// How long a window is.
    pub window: Duration,
    /// How many results a window needs before its percentage means something.
    pub window_results_min: u32,
    /// How long the first ejection lasts; each further one lasts twice as long as the one before.
    pub backoff_min: Duration,
    /// The longest ejection. A member that served for so long begins again with the shortest.
    pub backoff_max: Duration,
    /// How many percent of a group may be out at once, rounded down to members.
    pub ejected_percent_max: u32,
    /// How long a probe, or the one call that tries a member, may keep the member from being tried again.
    pub probe_patience: Duration,
    /// How long it takes a member that joined or returned to get its full share; zero for at once.
    pub slow_start: Duration,
    /// In this time, a load that a reply told counts for half: a member that gets no calls tells no news.
    pub load_half_life: Duration,
    /// What is known about a member is dropped when nothing was sent to it for this long (and at most twice this
    /// long), nothing is in flight and it is in tier 0.
    pub unseen: Duration,
    /// Most members that something is known about. Further ones are chosen as if idle and healthy.
    pub members_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            failures_in_a_row: 5,
            failure_percent: 50,
            window: Duration::from_secs(10),
            window_results_min: 20,
            backoff_min: Duration::from_secs(1),
            backoff_max: Duration::from_secs(60),
            ejected_percent_max: 50,
            probe_patience: Duration::from_secs(10),
            slow_start: Duration::from_secs(10),
            load_half_life: Duration::from_millis(100),
            unseen: Duration::from_secs(300),
            members_max: 65_536,
        }
    }
}
