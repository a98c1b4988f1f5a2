//! What a node would know that applies every event.

use std::{collections::BTreeMap, time::Duration};

use mesh_core::meta::Uuid;
use mesh_discovery::{
    Discovery, Event, Founded, Key, Left, Peer, Record, etcd,
    trial::{self, Etcd},
};
use mesh_transport::endpoint::Authority;
use mesh_wire::{code::Code, name::Name};
use tokio::time::timeout;

/// Far beyond what anything here takes; whoever waits so long has found a defect.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct View {
    pub(crate) discovery: Box<dyn Discovery>,
    pub(crate) peers: BTreeMap<Key, Peer>,
    pub(crate) events: Vec<Event>,
}

impl View {
    pub(crate) fn new(discovery: Box<dyn Discovery>) -> Self {
        Self { discovery, peers: BTreeMap::new(), events: Vec::new() }
    }

    /// Takes the next event, and checks that it follows from those before.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        let next = timeout(PATIENCE, self.discovery.next()).await;
        let event = next.unwrap_or_else(|_| panic!("no event came; before it: {:#?}", self.events))?;
        let has_snapshot = self.events.iter().any(|event| matches!(event, Event::Snapshot(_)));
        match &event {
            Event::Snapshot(peers) => {
                assert!(!has_snapshot, "a second snapshot");
                self.peers = peers.iter().map(|peer| (peer.key(), peer.clone())).collect();
            }
            Event::Joined(peer) => {
                assert!(has_snapshot && self.peers.insert(peer.key(), peer.clone()).is_none(), "{event:?}");
            }
            Event::Changed(peer) => {
                let before = self.peers.insert(peer.key(), peer.clone());
                assert!(before.is_some_and(|before| before != *peer), "{event:?}");
            }
            Event::Left { peer, .. } => assert!(self.peers.remove(peer).is_some(), "{event:?}"),
            _ => {}
        }
        self.events.push(event.clone());
        assert!(self.events.len() < 150, "it never ends: {:#?}", &self.events[140..]);
        Some(event)
    }

    /// Takes events until one is as it should be.
    pub(crate) async fn event(&mut self, is_meant: impl Fn(&Event) -> bool) -> Event {
        loop {
            match self.next().await {
                Some(event) if is_meant(&event) => return event,
                Some(_) => {}
                None => panic!("it ended; before it: {:#?}", self.events),
            }
        }
    }

    /// Takes events until these nodes are known and no others.
    pub(crate) async fn sees(&mut self, ids: &[&str]) {
        while self.ids() != ids || self.events.is_empty() {
            assert!(self.next().await.is_some(), "it ended; before it: {:#?}", self.events);
        }
    }

    /// Takes events until it is registered, if it is not.
    pub(crate) async fn registered(&mut self) {
        let told = |event: &&Event| matches!(event, Event::Registered | Event::LeaseLost);
        if self.events.iter().rfind(told) == Some(&Event::Registered) {
            return;
        }
        self.event(|event| *event == Event::Registered).await;
    }

    pub(crate) async fn recovered(&mut self) {
        self.event(|event| *event == Event::Recovered).await;
    }

    pub(crate) async fn trouble(&mut self) -> Code {
        match self.event(|event| matches!(event, Event::Trouble(_))).await {
            Event::Trouble(trouble) => trouble.code,
            _ => unreachable!(),
        }
    }

    /// Takes events until it is refused, and then nothing.
    pub(crate) async fn refused(&mut self) -> Code {
        let Event::Refused(error) = self.event(|event| matches!(event, Event::Refused(_))).await else {
            unreachable!()
        };
        assert_eq!(self.next().await, None);
        error.code()
    }

    pub(crate) async fn left(&mut self) -> (Key, Left) {
        match self.event(|event| matches!(event, Event::Left { .. })).await {
            Event::Left { peer, how } => (peer, how),
            _ => unreachable!(),
        }
    }

    /// Asks for the cluster until there is one.
    pub(crate) async fn found(&mut self, cluster: u8, expected: usize) -> Founded {
        loop {
            let founded =
                timeout(PATIENCE, self.discovery.found(Uuid([cluster; 16]), expected)).await.unwrap();
            match founded.unwrap() {
                Founded::NotYet { .. } => {
                    self.next().await.unwrap();
                }
                founded => return founded,
            }
        }
    }

    pub(crate) fn ids(&self) -> Vec<&str> {
        self.peers.values().filter_map(Peer::record).map(|record| record.id.as_str()).collect()
    }

    pub(crate) fn has_left(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Left { .. }))
    }
}

/// One with a data directory of its own.
pub(crate) fn node(id: &str, run: u8) -> Record {
    let mut directory = [0xd0; 16];
    directory[..id.len()].copy_from_slice(id.as_bytes());
    Record { directory: Some(Uuid(directory)), ..edge(id, run) }
}

/// One without.
pub(crate) fn edge(id: &str, run: u8) -> Record {
    let mut instance = [run; 16];
    instance[..id.len()].copy_from_slice(id.as_bytes());
    let address = address(&format!("{id}.example:7401"));
    Record { started_ms: 7, ..Record::new(name(id), Uuid(instance), address) }
}

pub(crate) fn name(name: &str) -> Name {
    Name::new(name).unwrap()
}

pub(crate) fn address(text: &str) -> Authority {
    Authority::parse(text, 7401).unwrap()
}

/// Impatient, so that what takes long elsewhere takes seconds here.
pub(crate) fn options(endpoints: Vec<String>) -> etcd::Options {
    etcd::Options {
        ttl: Duration::from_secs(3),
        call: Duration::from_secs(1),
        backoff_min: Duration::from_millis(20),
        backoff_max: Duration::from_millis(500),
        ..etcd::Options::new(name("trial"), endpoints, 7)
    }
}

pub(crate) async fn one_etcd() -> Etcd {
    Etcd::start(trial::Options::default()).await.unwrap()
}

pub(crate) fn start(etcd: &Etcd, own: Record) -> View {
    let options = etcd::Options { tls: etcd.tls(), ..options(etcd.endpoints()) };
    View::new(etcd::start(own, options).unwrap())
}
