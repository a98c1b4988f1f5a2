//! What all threads of a node share.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use actix::Addr;
use arc_swap::ArcSwap;
use mesh_core::routing::LinkId;

use crate::{
    admin::Api, config::Config, durable::Durable, in_flight::InFlight, metrics::Metrics, router::Router,
    seats::Places, security::Security, snapshot::Snapshot, supervisor::Supervisor,
};

/// Immutable settings, the published snapshot, and a few flags. Never on a hot path but for loads.
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// Certificates and keys of links over a network.
    pub(crate) security: Security,
    /// How many links there are, and may be.
    pub(crate) places: Places,
    /// Start time in microseconds since the epoch: a restarted node has another.
    pub(crate) incarnation: u64,
    /// Secret of this process: hash tables and random choices start from it.
    pub(crate) seed: u64,
    pub(crate) snapshot: ArcSwap<Snapshot>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) router: Addr<Router>,
    supervisor: OnceLock<Addr<Supervisor>>,
    durable: OnceLock<Addr<Durable>>,
    /// Answers requests to `$mesh.` subjects; set once the node is put together.
    api: OnceLock<Api>,
    pub(crate) in_flight: InFlight,
    draining: AtomicBool,
    next_link: AtomicU64,
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        security: Security,
        incarnation: u64,
        seed: u64,
        metrics: Arc<Metrics>,
        router: Addr<Router>,
    ) -> Self {
        Self {
            places: Places::new(config.limits.max_links),
            config,
            security,
            incarnation,
            seed,
            snapshot: ArcSwap::from_pointee(Snapshot::new(seed)),
            metrics,
            router,
            supervisor: OnceLock::new(),
            durable: OnceLock::new(),
            api: OnceLock::new(),
            in_flight: InFlight::new(),
            draining: AtomicBool::new(false),
            next_link: AtomicU64::new(1),
        }
    }

    /// Told once, before the first link.
    pub(crate) fn complete(&self, supervisor: Addr<Supervisor>, api: Api) {
        let first = self.supervisor.set(supervisor).is_ok() && self.api.set(api).is_ok();
        assert!(first, "a node is put together once");
    }

    /// Told once, before the first link.
    pub(crate) fn set_durable(&self, durable: Addr<Durable>) {
        let first = self.durable.set(durable).is_ok();
        assert!(first, "a node has one durable plane");
    }

    /// The durable plane.
    pub(crate) fn durable(&self) -> Option<&Addr<Durable>> {
        self.durable.get()
    }

    /// Who knows all links.
    pub(crate) fn supervisor(&self) -> &Addr<Supervisor> {
        self.supervisor.get().expect("links come after the supervisor")
    }

    /// Who answers requests to `$mesh.` subjects.
    pub(crate) fn api(&self) -> Option<&Api> {
        self.api.get()
    }

    pub(crate) fn next_link(&self) -> LinkId {
        LinkId(self.next_link.fetch_add(1, Ordering::Relaxed))
    }

    /// Bytes queued for a link beyond which it is given up: its subscriptions are bounded by themselves, so this is
    /// only reached by a client that asks and does not read the answers.
    pub(crate) fn outbox_hard_bytes(&self) -> usize {
        let limits = &self.config.limits;
        limits.link_outbox.saturating_mul(4).saturating_add(limits.max_body.saturating_mul(2))
    }

    /// Whether the node is leaving: no new requests, no new responders.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub(crate) fn set_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}
