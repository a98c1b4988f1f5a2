//! What holds for every way of finding others.

use std::{fs, time::Duration};

use mesh_core::meta::Uuid;
use mesh_discovery::{
    Discovery, Error, Event, Founded, Key, discovery::BoxFuture, listed, standalone, trial::Etcd,
};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::view::{self, View, address, node};

/// A way of finding others, and how others come and go there.
trait World {
    fn start(&self, id: &str) -> Box<dyn Discovery>;
    /// What a peer is known by; none where there are no peers.
    fn key(&self, id: &str) -> Option<Key>;
    fn appear(&mut self, id: &'static str) -> BoxFuture<'_, ()>;
    fn vanish(&mut self, id: &'static str) -> BoxFuture<'_, ()>;
    fn can_found(&self) -> bool;
}

struct Alone;

impl World for Alone {
    fn start(&self, id: &str) -> Box<dyn Discovery> {
        standalone::start(&node(id, 1))
    }
    fn key(&self, _: &str) -> Option<Key> {
        None
    }
    fn appear(&mut self, _: &'static str) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
    fn vanish(&mut self, _: &'static str) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
    fn can_found(&self) -> bool {
        true
    }
}

struct Listed {
    dir: TempDir,
    ids: Vec<&'static str>,
}

impl Listed {
    fn write(&self) {
        // As a person would: whole at once, with this node's own address in it.
        let lines: Vec<String> = self.ids.iter().map(|id| format!("{id}.example:7401\n")).collect();
        let (next, file) = (self.dir.path().join("next"), self.dir.path().join("peers"));
        fs::write(&next, lines.concat()).unwrap();
        fs::rename(next, file).unwrap();
    }
}

impl World for Listed {
    fn start(&self, id: &str) -> Box<dyn Discovery> {
        let options = listed::Options {
            file: Some(self.dir.path().join("peers")),
            every: Duration::from_millis(5),
            ..listed::Options::list(vec![address(&format!("{id}.example:7401"))])
        };
        listed::start(&node(id, 1), options).unwrap()
    }
    fn key(&self, id: &str) -> Option<Key> {
        Some(Key::Address(format!("{id}.example:7401")))
    }
    fn appear(&mut self, id: &'static str) -> BoxFuture<'_, ()> {
        self.ids.push(id);
        self.write();
        Box::pin(async {})
    }
    fn vanish(&mut self, id: &'static str) -> BoxFuture<'_, ()> {
        self.ids.retain(|other| *other != id);
        self.write();
        Box::pin(async {})
    }
    fn can_found(&self) -> bool {
        false
    }
}

struct InEtcd {
    etcd: Etcd,
    others: Vec<(&'static str, View)>,
}

impl World for InEtcd {
    fn start(&self, id: &str) -> Box<dyn Discovery> {
        view::start(&self.etcd, node(id, 1)).discovery
    }
    fn key(&self, id: &str) -> Option<Key> {
        Some(Key::Node(view::name(id)))
    }
    fn appear(&mut self, id: &'static str) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut other = view::start(&self.etcd, node(id, 2));
            other.registered().await;
            self.others.push((id, other));
        })
    }
    fn vanish(&mut self, id: &'static str) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let at = self.others.iter().position(|(other, _)| *other == id).unwrap();
            let (_, mut other) = self.others.remove(at);
            other.discovery.leave(Duration::from_secs(10)).await.unwrap();
        })
    }
    fn can_found(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn standalone_conforms() {
    conforms(Alone).await;
}

#[tokio::test]
async fn listed_conforms() {
    let world = Listed { dir: tempfile::tempdir().unwrap(), ids: vec![] };
    world.write();
    conforms(world).await;
}

#[tokio::test]
async fn etcd_conforms() {
    conforms(InEtcd { etcd: view::one_etcd().await, others: Vec::new() }).await;
}

async fn conforms(mut world: impl World) {
    tells_what_is_there_and_what_changes(&mut world).await;
    joins_what_is_not_read(&mut world).await;
    loses_nothing_when_nobody_waits(&mut world).await;
    founds_once(&mut world).await;
    ends_when_it_is_told_to(&mut world).await;
}

async fn tells_what_is_there_and_what_changes(world: &mut impl World) {
    world.appear("a").await;
    let mut view = View::new(world.start("own"));
    view.registered().await;
    assert!(matches!(view.events[0], Event::Snapshot(_)), "{:?}", view.events);
    assert_eq!(view.peers.keys().cloned().collect::<Vec<_>>(), keys(world, &["a"]), "and not the own one");
    world.appear("b").await;
    shows(world, &mut view, &["a", "b"]).await;
    world.vanish("a").await;
    shows(world, &mut view, &["b"]).await;
    world.vanish("b").await;
    shows(world, &mut view, &[]).await;
    view.discovery.leave(Duration::from_secs(10)).await.unwrap();
}

async fn joins_what_is_not_read(world: &mut impl World) {
    let mut view = View::new(world.start("own"));
    view.registered().await;
    for _ in 0..40 {
        world.appear("a").await;
        world.vanish("a").await;
    }
    world.appear("b").await;
    shows(world, &mut view, &["b"]).await;
    assert!(view.events.len() < 60, "{} events of 81 changes", view.events.len());
    world.vanish("b").await;
    view.discovery.leave(Duration::from_secs(10)).await.unwrap();
}

async fn loses_nothing_when_nobody_waits(world: &mut impl World) {
    let mut view = View::new(world.start("own"));
    world.appear("a").await;
    let mut waits = 0;
    while view.peers.keys().cloned().collect::<Vec<_>>() != keys(world, &["a"]) || view.events.is_empty() {
        // The future is dropped again and again.
        if timeout(Duration::from_micros(10), view.next()).await.is_err() {
            waits += 1;
            tokio::task::yield_now().await;
        }
        assert!(waits < 1_000_000);
    }
    world.vanish("a").await;
    view.discovery.leave(Duration::from_secs(10)).await.unwrap();
}

async fn founds_once(world: &mut impl World) {
    let mut view = View::new(world.start("own"));
    view.registered().await;
    if !world.can_found() {
        assert_eq!(view.discovery.found(Uuid([1; 16]), 1).await, Err(Error::CannotFound));
        return;
    }
    let Founded::Ours(founding) = view.found(1, 1).await else { panic!() };
    assert_eq!((founding.cluster, founding.voters.len()), (Uuid([1; 16]), 1));
    for other in 2..4 {
        assert_eq!(view.found(other, 1).await, Founded::There(founding.clone()));
    }
    view.discovery.leave(Duration::from_secs(10)).await.unwrap();
}

async fn ends_when_it_is_told_to(world: &mut impl World) {
    let mut view = View::new(world.start("own"));
    view.registered().await;
    assert_eq!(view.discovery.leave(Duration::from_secs(10)).await, Ok(()));
    assert_eq!(view.discovery.next().await, None);
    assert_eq!(view.discovery.leave(Duration::from_secs(10)).await, Err(Error::Ended));
    assert_eq!(view.discovery.found(Uuid([1; 16]), 1).await, Err(Error::Ended));
}

async fn shows(world: &impl World, view: &mut View, ids: &[&str]) {
    let wanted = keys(world, ids);
    while view.peers.keys().cloned().collect::<Vec<_>>() != wanted {
        view.next().await.unwrap();
    }
}

fn keys(world: &impl World, ids: &[&str]) -> Vec<Key> {
    ids.iter().filter_map(|id| world.key(id)).collect()
}
