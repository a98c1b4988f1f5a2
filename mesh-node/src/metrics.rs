//! What the node counts, and how it is scraped.
//!
//! ```text
//!  data thread 0 ─► Counters 0 ─┐
//!  data thread 1 ─► Counters 1 ─┼─ summed at a scrape ─► samples ─► /metrics, $mesh.metrics
//!  router        ─► Counters 2 ─┘                          ▲
//!  Gauges (asked at a scrape), /proc/self ─────────────────┘
//! ```
//!
//! Counting is one load and one store of the thread's own cache line: no lock, no read-modify-write, no allocation.
//! Names and meanings are in [`mesh_telemetry::metric`]; `docs/reference/metrics.md` is made from there.

mod counter;
mod counters;
mod expose;
mod process;
#[cfg(test)]
mod reference;
mod sample;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use mesh_wire::class::Class;
use mesh_wire::code::Code;

pub use counter::Counter;
pub use counters::Counters;
pub use expose::CONTENT_TYPE;

use counters::Totals;
pub(crate) use process::resident_bytes;

use parking_lot::Mutex;
use process::Process;

use crate::durable::{Groups, Scrubbed};

/// Every counter of a node.
pub struct Metrics {
    threads: Box<[Arc<Counters>]>,
    control: Arc<Counters>,
    gauges: OnceLock<Box<dyn Fn() -> Gauges + Send + Sync>>,
    process: Process,
    groups: Mutex<Groups>,
    scrubbed: Mutex<Scrubbed>,
}

/// What is not counted by threads but looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gauges {
    /// Links that are open.
    pub links: u64,
    /// Those over a Unix socket.
    pub unix_links: u64,
    /// Those over QUIC.
    pub quic_links: u64,
    /// Those over TLS.
    pub tls_links: u64,
    /// Subscriptions of all links.
    pub subscriptions: u64,
    /// Requests that have not ended.
    pub requests_in_flight: u64,
    /// Bytes that wait to be written to clients.
    pub queued_bytes: u64,
    /// What became of new files of certificates.
    pub certificates: Reloads,
    /// When the node's own certificate ends, in seconds since 1970; 0 without one.
    pub certificate_not_after: u64,
    /// What became of new files with keys of tokens.
    pub token_keys: Reloads,
    /// The other nodes of the cluster.
    pub peers: Peers,
}

/// What became of new files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reloads {
    /// Times that they were taken into use.
    pub taken: u64,
    /// Times that they were bad.
    pub failed: u64,
}

/// Links with other nodes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peers {
    /// Links that are up.
    pub links: u64,
    /// Links that came up since the start.
    pub opened: u64,
    /// Links that ended, by why; none in good order.
    pub closed: BTreeMap<Option<Code>, u64>,
    /// Dials begun.
    pub dials: u64,
    /// Dials that came to nothing, by why.
    pub dials_failed: BTreeMap<Code, u64>,
    /// Links of others that were refused, by why.
    pub refused: BTreeMap<Code, u64>,
    /// The longest way to a peer and back by class, in microseconds.
    pub rtt_us: [u64; Class::COUNT],
}

impl Metrics {
    /// Counters for this many data threads, and one set for the router.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        Self {
            threads: (0..threads).map(|_| Arc::default()).collect(),
            control: Arc::default(),
            gauges: OnceLock::new(),
            process: Process::started_now(),
            groups: Mutex::default(),
            scrubbed: Mutex::default(),
        }
    }

    /// The counters of a data thread. Only that thread may count with them: another one's counts could be lost.
    ///
    /// # Panics
    /// When there are not that many threads.
    #[must_use]
    pub fn thread(&self, index: usize) -> Arc<Counters> {
        Arc::clone(&self.threads[index])
    }

    /// The counters of the thread that the router runs on. Only that thread may count with them.
    #[must_use]
    pub fn control(&self) -> Arc<Counters> {
        Arc::clone(&self.control)
    }

    /// Says how gauges are looked at. The first call counts; until then they are zero.
    pub fn set_gauges(&self, look: impl Fn() -> Gauges + Send + Sync + 'static) {
        // A second call has nothing better to say.
        self.gauges.set(Box::new(look)).unwrap_or_default();
    }

    /// Says how the replicated groups are; never on a hot path.
    pub(crate) fn set_groups(&self, groups: Groups) {
        *self.groups.lock() = groups;
    }

    /// The replicated groups, as they were a moment ago.
    pub(crate) fn groups(&self) -> Groups {
        *self.groups.lock()
    }

    /// Says how far the search for damage on the disk is; never on a hot path.
    pub(crate) fn set_scrub(&self, scrubbed: Scrubbed) {
        *self.scrubbed.lock() = scrubbed;
    }

    /// How far the search for damage on the disk was a moment ago.
    pub(crate) fn scrubbed(&self) -> Scrubbed {
        *self.scrubbed.lock()
    }

    /// How often something was counted, on all threads together.
    #[must_use]
    pub fn total(&self, counter: Counter) -> u64 {
        self.totals().count(counter)
    }

    fn totals(&self) -> Totals {
        Totals::of(self.threads.iter().chain([&self.control]).map(Arc::as_ref))
    }

    /// What is looked at, now.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        self.gauges.get().map_or_else(Gauges::default, |look| look())
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("threads", &self.threads.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
