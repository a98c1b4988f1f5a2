//! A node that is not there, for tests of what asks it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use mesh_wire::code::Code;

use super::info::EndpointInfo;
use super::{
    Answer, Api, CertificatesInfo, Facts, FailingInfo, FilesInfo, Health, Inspect, LinkInfo, ResponderInfo,
    SubscriptionCursor, SubscriptionInfo,
};
use crate::durable::{Change, GroupInfo, ReplicaInfo};
use crate::metrics::Metrics;
use crate::peer::PeerInfo;

/// What the fake node has.
#[derive(Debug, Clone, Default)]
pub(super) struct Fake {
    /// Links with ids from 1.
    pub(super) links: u64,
    /// Subscriptions of each link.
    pub(super) subscriptions: u32,
    /// Whether it never answers.
    pub(super) silent: bool,
    /// Set when it was told to drain.
    pub(super) drained: Arc<AtomicBool>,
}

impl Fake {
    /// The API of such a node.
    pub(super) fn api(&self) -> (Api, Arc<Health>) {
        let facts = Facts {
            name: "edge-1".to_owned(),
            cluster: "mesh".to_owned(),
            incarnation: 1_767_225_600_000_000,
            started: Instant::now(),
            socket: "unix:///run/mesh/mesh.sock".to_owned(),
            listen: None,
            peer: None,
            http: Some("127.0.0.1:7480".to_owned()),
            threads: 1,
        };
        let health = Arc::new(Health::new());
        (Api::new(facts, Arc::clone(&health), Arc::new(Metrics::new(1)), self.clone()), health)
    }

    fn answer<T: Send + 'static>(&self, value: T) -> Answer<T> {
        match self.silent {
            true => Box::pin(std::future::pending()),
            false => Box::pin(std::future::ready(Ok(value))),
        }
    }
}

/// The link of this id.
pub(super) fn link(id: u64) -> LinkInfo {
    LinkInfo {
        id,
        name: "orders".to_owned(),
        identity: "unix:uid=1000,pid=42".to_owned(),
        carrier: "unix",
        remote: None,
        rtt_us: None,
        certificate_not_after: None,
        token_expires: None,
        library: "mesh-client 0.1.0".to_owned(),
        since: SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_225_600_123),
        subscriptions: 1,
        messages_in: 10,
        bytes_in: 1280,
        messages_out: 20,
        bytes_out: 2560,
        queued_bytes: 0,
        dropped: 0,
        slow: false,
    }
}

/// The subscription of this id.
pub(super) fn subscription(link: u64, id: u32) -> SubscriptionInfo {
    SubscriptionInfo {
        link,
        id,
        pattern: "orders.*.created".to_owned(),
        group: Some("billing".to_owned()),
        mode: "events",
        credit: 1024,
        pending: 0,
        delivered: 20,
        dropped: 0,
    }
}

/// The responder on this link.
pub(super) fn responder(link: u64) -> ResponderInfo {
    ResponderInfo {
        service: "orders".to_owned(),
        version: "1.2.0".to_owned(),
        description: "Takes orders".to_owned(),
        link,
        client: "orders".to_owned(),
        endpoint: EndpointInfo {
            subject: "orders.get".to_owned(),
            group: Some("orders".to_owned()),
            in_flight: 1,
            requests: 120,
            errors: 2,
            p50_us: 128,
            p99_us: 1024,
        },
    }
}

impl Inspect for Fake {
    fn links(&self, after: u64, limit: usize) -> Answer<Vec<LinkInfo>> {
        self.answer((after + 1..=self.links).take(limit).map(link).collect())
    }

    fn subscriptions(
        &self,
        after: Option<SubscriptionCursor>,
        only: Option<u64>,
        limit: usize,
    ) -> Answer<Vec<SubscriptionInfo>> {
        let links = (1..=self.links).filter(|link| only.is_none_or(|only| only == *link));
        let all = links.flat_map(|link| (0..self.subscriptions).map(move |id| subscription(link, id)));
        let behind =
            all.filter(|s| after.is_none_or(|after| SubscriptionCursor { link: s.link, id: s.id } > after));
        self.answer(behind.take(limit).collect())
    }

    fn responders(&self, limit: usize) -> Answer<Vec<ResponderInfo>> {
        self.answer((1..=self.links).take(limit).map(responder).collect())
    }

    fn certificates(&self) -> CertificatesInfo {
        certificates()
    }

    fn peers(&self) -> Vec<PeerInfo> {
        vec![peer()]
    }

    fn groups(&self) -> Answer<Vec<GroupInfo>> {
        self.answer(vec![group()])
    }

    fn change(&self, _: Change) -> Answer<()> {
        self.answer(())
    }

    fn drain(&self) {
        self.drained.store(true, Ordering::SeqCst);
    }
}

/// A node's certificates, whose new files are bad.
pub(super) fn certificates() -> CertificatesInfo {
    let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600 + seconds);
    CertificatesInfo {
        identity: Some("spiffe://mesh/node/edge-1".to_owned()),
        not_after: Some(at(7_776_000)),
        warnings: Vec::new(),
        files: Some(FilesInfo {
            loaded: at(0),
            reloads: 1,
            failures: 1,
            failing: Some(FailingInfo {
                code: Code::CertsKeyMismatch.to_string(),
                message: "the key in node-edge-1.key does not belong to the certificate in node-edge-1.pem"
                    .to_owned(),
                since: at(60),
            }),
        }),
        token_keys: None,
    }
}

/// A group of two, one of which is behind.
pub(super) fn group() -> GroupInfo {
    let replica = |node: &str, role, lag| ReplicaInfo {
        node: node.to_owned(),
        role,
        matched: Some(42 - lag),
        lag: Some(lag),
        lost: false,
    };
    GroupInfo {
        group: 1,
        name: "shard-1".to_owned(),
        leader: Some("edge-1".to_owned()),
        term: 3,
        role: "leader",
        replicas: vec![replica("edge-1", "voter", 0), replica("edge-2", "learner", 2)],
        lag: Some(2),
        commit: 42,
        applied: 42,
        rests: false,
        quarantined: false,
        fetching: false,
        damaged: 0,
        changing: false,
        log_bytes: 4096,
    }
}

/// A peer that can't be reached.
pub(super) fn peer() -> PeerInfo {
    PeerInfo {
        id: Some("edge-2".to_owned()),
        address: Some("node-2.example:7401".to_owned()),
        state: "waiting",
        error: Some("nothing answers".to_owned()),
        link: None,
    }
}
