//! How clusters begin, and that they begin once.

use mesh_core::meta::Uuid;
use mesh_discovery::{Event, Founded, Founding, Record};
use mesh_wire::code::Code;

use crate::view::{View, edge, name, node, one_etcd, start};

#[tokio::test]
async fn of_several_nodes_one_founds_the_cluster() {
    let etcd = one_etcd().await;
    let mut nodes = ["a", "b", "c"].map(|id| start(&etcd, node(id, 1)));
    let [a, b, c] = &mut nodes;
    let (one, two, three) = tokio::join!(a.found(1, 3), b.found(2, 3), c.found(3, 3));
    let all = [one, two, three];
    let ours = all.iter().filter(|founded| matches!(founded, Founded::Ours(_))).count();
    assert_eq!(ours, 1, "{all:?}");
    let founding = |founded: &Founded| match founded {
        Founded::Ours(founding) | Founded::There(founding) => founding.clone(),
        Founded::NotYet { .. } => unreachable!(),
    };
    let first = founding(&all[0]);
    assert!(all.iter().all(|founded| founding(founded) == first), "{all:?}");
    assert_eq!(first.voters, ["a", "b", "c"].map(name));
    assert_eq!(start(&etcd, node("d", 1)).found(4, 3).await, Founded::There(first));
}

#[tokio::test]
async fn too_few_nodes_found_nothing() {
    let etcd = one_etcd().await;
    let (mut a, mut b) = (start(&etcd, node("a", 1)), start(&etcd, node("b", 1)));
    a.sees(&["b"]).await;
    b.registered().await;
    let few = a.discovery.found(Uuid([1; 16]), 3).await;
    assert_eq!(few, Ok(Founded::NotYet { seen: 2, expected: 3 }));
}

#[tokio::test]
async fn an_etcd_that_lost_everything_makes_no_second_cluster() {
    let mut etcd = one_etcd().await;
    let mut a = start(&etcd, node("a", 1));
    assert!(matches!(a.found(1, 1).await, Founded::Ours(_)));
    etcd.kill(0).unwrap();
    a.trouble().await;
    etcd.restart_empty(0).await.unwrap();
    a.recovered().await;
    let mut fresh = start(&etcd, node("0", 1));
    let there = fresh.found(2, 1).await;
    assert_eq!(there, Founded::There(Founding { cluster: Uuid([1; 16]), voters: vec![] }));
}

#[tokio::test]
async fn a_directory_of_another_cluster_is_refused() {
    let etcd = one_etcd().await;
    let of = |cluster: u8, id: &str| Record { cluster: Some(Uuid([cluster; 16])), ..node(id, 1) };
    let mut a = start(&etcd, of(1, "a"));
    assert!(matches!(a.found(9, 1).await, Founded::There(founding) if founding.cluster == Uuid([1; 16])));
    assert_eq!(start(&etcd, of(2, "b")).refused().await, Code::DiscoveryOtherCluster);
    let mut c: View = start(&etcd, of(1, "c"));
    c.registered().await;
    assert!(!c.events.iter().any(|event| matches!(event, Event::Refused(_))));
}

#[tokio::test]
async fn others_hear_of_the_cluster_from_the_record() {
    let etcd = one_etcd().await;
    let (mut a, mut e) = (start(&etcd, node("a", 1)), start(&etcd, edge("e", 1)));
    e.sees(&["a"]).await;
    a.found(1, 1).await;
    let is_told = |event: &Event| {
        matches!(event, Event::Changed(peer)
        if peer.record().is_some_and(|record| record.cluster == Some(Uuid([1; 16]))))
    };
    e.event(is_told).await;
}
