//! What can be seen of peers from outside: listings and metrics.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use mesh_transport::link::Carrier;
use mesh_wire::{class::Class, code::Code};
use serde::{Serialize, Serializer};
use tokio::sync::watch;

use super::handshake::Opening;

/// The view as it is now, for every thread.
pub(super) type Published = watch::Sender<Arc<View>>;

/// What is known of the peers at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    /// Links by their nodes, then addresses without one.
    pub(crate) peers: Vec<PeerInfo>,
    /// What was counted since the start.
    pub(crate) counts: Counts,
}

impl View {
    /// The longest way to a peer and back by class, in microseconds; 0 when it was not measured.
    pub(crate) fn longest_rtt_us(&self) -> [u64; Class::COUNT] {
        Class::ALL.map(|class| {
            let links = self.peers.iter().filter_map(|peer| peer.link.as_ref());
            links.filter_map(|link| link.rtt_us.get(class.as_str())).copied().max().unwrap_or_default()
        })
    }
}

/// What is counted of peers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Dials begun.
    pub(crate) dials: u64,
    /// Dials that came to nothing, by why.
    pub(crate) dials_failed: BTreeMap<Code, u64>,
    /// Links that others opened and this node refused, by why.
    pub(crate) refused: BTreeMap<Code, u64>,
    /// Links that came up.
    pub(crate) opened: u64,
    /// Links that came to an end, by why; none for good order.
    pub(crate) closed: BTreeMap<Option<Code>, u64>,
}

/// A peer, or an address without one.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PeerInfo {
    /// Its name; none as long as nobody has answered at the address.
    pub(crate) id: Option<String>,
    /// Where it is: the address that was dialled, or the one that it says, or the one that it comes from.
    pub(crate) address: Option<String>,
    /// `up`, `dialling`, `waiting` for the next dial, or `self`.
    pub(crate) state: &'static str,
    /// Why the last dial came to nothing.
    pub(crate) error: Option<String>,
    /// The link, when it is up.
    #[serde(flatten)]
    pub(crate) link: Option<LinkInfo>,
}

/// The link with a peer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LinkInfo {
    /// Its number at this node.
    pub(crate) link: u64,
    /// Since when.
    #[serde(serialize_with = "rfc3339")]
    pub(crate) since: SystemTime,
    /// `quic`.
    pub(crate) carrier: &'static str,
    /// Whether this node dialled it.
    pub(crate) dialled: bool,
    /// Where it comes from or goes to.
    pub(crate) remote: Option<String>,
    /// How long the way there and back takes by class, in microseconds; without those not measured yet.
    pub(crate) rtt_us: BTreeMap<&'static str, u64>,
    /// Version of the peer's software.
    pub(crate) version: String,
    /// Version of the protocol on this link.
    pub(crate) protocol: u16,
    /// Features of this link, as bits.
    pub(crate) features: u64,
    /// Start time of the peer in microseconds since 1970.
    pub(crate) incarnation: u64,
    /// When its certificate ends.
    #[serde(serialize_with = "rfc3339")]
    pub(crate) certificate_not_after: SystemTime,
}

/// What there is to know of a link.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) since: SystemTime,
    pub(super) carrier: Carrier,
    pub(super) remote: Option<String>,
    /// The address that this node dialled.
    pub(super) dialled: Option<Arc<str>>,
    /// The address that the peer says it has.
    pub(super) advertised: Option<String>,
    pub(super) version: String,
    pub(super) protocol: u16,
    pub(super) features: u64,
    pub(super) incarnation: u64,
    pub(super) certificate_not_after: SystemTime,
    /// In microseconds, by class; 0 as long as it was not measured.
    rtt_us: [AtomicU64; Class::COUNT],
}

impl Facts {
    pub(super) fn new(
        opening: &Opening,
        certificate_not_after: SystemTime,
        carrier: Carrier,
        remote: Option<String>,
        dialled: Option<Arc<str>>,
    ) -> Self {
        let hello = &opening.hello;
        Self {
            since: SystemTime::now(),
            carrier,
            remote,
            dialled,
            advertised: Some(hello.address.clone()).filter(|address| !address.is_empty()),
            version: hello.version.clone(),
            protocol: opening.version.0,
            features: opening.features.bits(),
            incarnation: hello.incarnation,
            certificate_not_after,
            rtt_us: Default::default(),
        }
    }

    /// Where the peer is.
    pub(super) fn address(&self) -> Option<String> {
        let dialled = self.dialled.as_ref().map(|address| address.to_string());
        dialled.or_else(|| self.advertised.clone()).or_else(|| self.remote.clone())
    }

    /// A lane was measured.
    pub(super) fn measured(&self, class: Class, rtt: Duration) {
        let us = u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX);
        self.rtt_us[class.index()].store(us.max(1), Ordering::Relaxed);
    }

    pub(super) fn info(&self, link: u64) -> LinkInfo {
        let measured = Class::ALL.map(|class| (class, self.rtt_us[class.index()].load(Ordering::Relaxed)));
        let measured = measured.into_iter().filter(|(_, us)| *us > 0);
        LinkInfo {
            link,
            since: self.since,
            carrier: self.carrier.as_str(),
            dialled: self.dialled.is_some(),
            remote: self.remote.clone(),
            rtt_us: measured.map(|(class, us)| (class.as_str(), us)).collect(),
            version: self.version.clone(),
            protocol: self.protocol,
            features: self.features,
            incarnation: self.incarnation,
            certificate_not_after: self.certificate_not_after,
        }
    }
}

fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_millis(*time))
}
