//! What data threads read without a lock: the routing table and the links it names.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use actix::Addr;
use foldhash::fast::RandomState;
use mesh_core::routing::{LinkId, Table};
use mesh_transport::link::Carrier;
use tokio::sync::Notify;

use crate::subscriber::Subscriber;

/// One version of the routing table, with the links that its targets are on. Immutable; a clone is cheap.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) table: Table,
    pub(crate) links: Links,
}

impl Snapshot {
    pub(crate) fn new(seed: u64) -> Self {
        Self { table: Table::new(seed), links: Links::default() }
    }
}

/// All links by their id, persistent like the table.
pub(crate) type Links =
    imbl::GenericHashMap<LinkId, LinkHandle, RandomState, imbl::shared_ptr::DefaultSharedPtr>;

/// How other threads reach a link.
#[derive(Clone)]
pub(crate) struct LinkHandle {
    pub(crate) id: LinkId,
    pub(crate) carrier: Carrier,
    pub(crate) subscriber: Addr<Subscriber>,
    pub(crate) gauge: Arc<Gauge>,
}

/// How much waits for a link, for those who send to it.
///
/// Senders add what they put into the mailbox, the link's own thread replaces that by what it holds.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    mailbox_bytes: AtomicUsize,
    held_bytes: AtomicUsize,
    slow: AtomicBool,
    drained: Notify,
}

impl Gauge {
    /// Bytes on their way to the link and waiting at it.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.mailbox_bytes.load(Ordering::Relaxed) + self.held_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.mailbox_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.mailbox_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The link's thread says what it holds; below `low` publishers that were held back go on.
    pub(crate) fn hold(&self, bytes: usize, low: usize) {
        let before = self.held_bytes.swap(bytes, Ordering::Relaxed);
        if bytes < low && before >= low {
            self.slow.store(false, Ordering::Relaxed);
            self.drained.notify_waiters();
        }
    }

    /// Whether the link has used up the patience of its publishers, until it drains.
    pub(crate) fn is_slow(&self) -> bool {
        self.slow.load(Ordering::Relaxed)
    }

    pub(crate) fn mark_slow(&self) {
        self.slow.store(true, Ordering::Relaxed);
    }

    /// Completes when the link has drained below `low`.
    pub(crate) async fn drained(&self, low: usize) {
        loop {
            let mut notified = std::pin::pin!(self.drained.notified());
            notified.as_mut().enable();
            if self.held_bytes.load(Ordering::Relaxed) < low {
                return;
            }
            notified.await;
        }
    }
}
