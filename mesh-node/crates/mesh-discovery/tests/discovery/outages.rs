//! An etcd that is away, silent, behind a cut way, or has forgotten.

use std::time::Duration;

use mesh_discovery::{Event, etcd};
use mesh_wire::code::Code;

use crate::{
    relay::Relay,
    view::{View, edge, node, one_etcd, options, start},
};

#[tokio::test]
async fn a_restart_is_trouble_and_its_end_and_nobody_leaves() {
    let mut etcd = one_etcd().await;
    let (mut own, mut a) = (start(&etcd, node("own", 1)), start(&etcd, node("a", 1)));
    own.sees(&["a"]).await;
    a.registered().await;
    own.registered().await;
    etcd.kill(0).unwrap();
    assert_eq!(own.trouble().await, Code::DiscoveryUnreachable);
    etcd.restart(0).await.unwrap();
    own.recovered().await;
    a.recovered().await;
    assert!(!own.has_left() && own.ids() == ["a"], "{:#?}", own.events);
    // And changes arrive as before.
    let _b = start(&etcd, node("b", 1));
    own.sees(&["a", "b"]).await;
}

#[tokio::test]
async fn silence_is_noticed_and_overcome() {
    let etcd = one_etcd().await;
    let (mut own, mut a) = (start(&etcd, node("own", 1)), start(&etcd, node("a", 1)));
    own.sees(&["a"]).await;
    own.registered().await;
    a.registered().await;
    etcd.freeze(0).unwrap();
    assert_eq!(own.trouble().await, Code::DiscoverySilent);
    assert_eq!(a.trouble().await, Code::DiscoverySilent);
    assert_eq!(own.ids(), ["a"], "silence is no reason to forget anybody");
    etcd.thaw(0).unwrap();
    own.recovered().await;
    a.recovered().await;
    own.sees(&["a"]).await;
    a.sees(&["own"]).await;
}

#[tokio::test]
async fn nobody_waits_for_a_silent_etcd_to_leave() {
    let etcd = one_etcd().await;
    let mut own = start(&etcd, node("own", 1));
    own.registered().await;
    etcd.freeze(0).unwrap();
    let left = own.discovery.leave(Duration::from_millis(300)).await;
    assert_eq!(left.unwrap_err().code(), Code::DiscoverySilent);
    assert_eq!(own.discovery.next().await, None);
}

#[tokio::test]
async fn after_a_cut_what_was_compacted_is_read_again() {
    let etcd = one_etcd().await;
    let relay = Relay::to(&etcd.endpoints()[0]).await;
    let mut own = View::new(etcd::start(node("own", 1), options(vec![relay.url()])).unwrap());
    let (mut a, _b) = (start(&etcd, edge("a", 1)), start(&etcd, edge("b", 1)));
    own.sees(&["a", "b"]).await;
    own.registered().await;
    relay.cut();
    assert_eq!(own.trouble().await, Code::DiscoveryUnreachable);
    a.discovery.leave(Duration::from_secs(10)).await.unwrap();
    let _c = start(&etcd, edge("c", 1));
    let mut watch = start(&etcd, edge("w", 1));
    watch.sees(&["b", "c", "own"]).await;
    let mut client = etcd.client(0, None).await.unwrap();
    let now = client.put("/elsewhere", "x", None).await.unwrap().header().unwrap().revision();
    client.compact(now, None).await.unwrap();
    relay.heal();
    own.recovered().await;
    assert_eq!(own.ids(), ["b", "c", "w"], "all that was missed is told before the end of the trouble");
}

#[tokio::test]
async fn a_registration_that_ran_out_in_an_outage_is_made_again() {
    let etcd = one_etcd().await;
    let relay = Relay::to(&etcd.endpoints()[0]).await;
    let mut own = View::new(etcd::start(node("own", 1), options(vec![relay.url()])).unwrap());
    own.registered().await;
    let mut a = start(&etcd, node("a", 1));
    a.sees(&["own"]).await;
    relay.cut();
    a.left().await;
    relay.heal();
    own.recovered().await;
    a.sees(&["own"]).await;
    assert!(own.events.contains(&Event::LeaseLost), "{:#?}", own.events);
}

#[tokio::test]
async fn an_etcd_that_lost_everything_has_it_back() {
    let mut etcd = one_etcd().await;
    let (mut own, mut a) = (start(&etcd, node("own", 1)), start(&etcd, node("a", 1)));
    own.sees(&["a"]).await;
    a.sees(&["own"]).await;
    own.registered().await;
    etcd.kill(0).unwrap();
    own.trouble().await;
    etcd.restart_empty(0).await.unwrap();
    own.recovered().await;
    own.sees(&["a"]).await;
    a.sees(&["own"]).await;
}

#[tokio::test]
async fn a_node_starts_without_etcd_and_finds_it_later() {
    let mut etcd = one_etcd().await;
    etcd.kill(0).unwrap();
    let mut own = start(&etcd, node("own", 1));
    assert_eq!(own.trouble().await, Code::DiscoveryUnreachable);
    let founded = own.discovery.found(mesh_core::meta::Uuid([1; 16]), 1).await;
    assert_eq!(founded.unwrap_err().code(), Code::DiscoveryUnreachable);
    etcd.restart(0).await.unwrap();
    own.recovered().await;
}

#[tokio::test]
async fn an_endpoint_that_is_dead_is_passed_over() {
    let etcd = one_etcd().await;
    let dead = "http://127.0.0.1:9".to_owned();
    for seed in 0..2 {
        let endpoints = vec![dead.clone(), etcd.endpoints()[0].clone()];
        let options = etcd::Options { seed, ..options(endpoints) };
        View::new(etcd::start(node("own", 1), options).unwrap()).registered().await;
    }
}
