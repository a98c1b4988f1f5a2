//! What is looked at when metrics are scraped.

use std::time::UNIX_EPOCH;

use mesh_transport::link::Carrier;

use crate::{
    metrics::{self, Gauges},
    peer::{Peers, View},
    security::Status,
    shared::Shared,
};

pub(super) fn look(shared: &Shared, peers: Option<&Peers>) -> Gauges {
    let snapshot = shared.snapshot.load();
    let over = |carrier| snapshot.links.values().filter(|link| link.carrier == carrier).count() as u64;
    let security = &shared.security;
    let not_after = security.store.as_ref().and_then(|store| store.current().not_after());
    let not_after = not_after.and_then(|at| Some(at.duration_since(UNIX_EPOCH).ok()?.as_secs()));
    Gauges {
        links: snapshot.links.len() as u64,
        unix_links: over(Carrier::Unix),
        quic_links: over(Carrier::Quic),
        tls_links: over(Carrier::Tls),
        subscriptions: snapshot.table.len() as u64,
        requests_in_flight: shared.in_flight.len() as u64,
        queued_bytes: snapshot.links.values().map(|link| link.gauge.queued_bytes() as u64).sum(),
        certificates: reloads(&security.certificates_status),
        certificate_not_after: not_after.unwrap_or_default(),
        token_keys: reloads(&security.token_keys_status),
        peers: peers.map_or_else(metrics::Peers::default, |peers| peer_counts(&peers.view())),
    }
}

fn reloads(status: &Status) -> metrics::Reloads {
    let status = status.get();
    metrics::Reloads { taken: status.reloads, failed: status.failures }
}

fn peer_counts(view: &View) -> metrics::Peers {
    let counts = view.counts.clone();
    metrics::Peers {
        links: view.peers.iter().filter(|peer| peer.link.is_some()).count() as u64,
        opened: counts.opened,
        closed: counts.closed,
        dials: counts.dials,
        dials_failed: counts.dials_failed,
        refused: counts.refused,
        rtt_us: view.longest_rtt_us(),
    }
}
