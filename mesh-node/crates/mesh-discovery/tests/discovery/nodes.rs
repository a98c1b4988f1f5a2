//! Nodes that register, leave, crash, and want the same id.

use std::time::Duration;

use mesh_core::meta::Uuid;
use mesh_discovery::{Event, Key, Left, Record};
use mesh_wire::code::Code;

use crate::view::{edge, name, node, one_etcd, start};

#[tokio::test]
async fn a_goodbye_is_meant_and_a_crash_is_a_hint() {
    let etcd = one_etcd().await;
    let mut own = start(&etcd, node("own", 1));
    let (mut a, mut b) = (start(&etcd, node("a", 1)), start(&etcd, node("b", 1)));
    own.sees(&["a", "b"]).await;
    a.sees(&["b", "own"]).await;
    b.sees(&["a", "own"]).await;
    a.discovery.leave(Duration::from_secs(10)).await.unwrap();
    assert_eq!(own.left().await, (Key::Node(name("a")), Left::Meant));
    drop(b);
    assert_eq!(own.left().await, (Key::Node(name("b")), Left::Hint));
}

#[tokio::test]
async fn what_a_node_says_of_itself_arrives_whole() {
    let etcd = one_etcd().await;
    let mut own = start(&etcd, node("own", 1));
    let told = Record { zone: Some(name("eu-1")), started_ms: 7, cluster: None, ..node("a", 1) };
    let _a = start(&etcd, told.clone());
    own.sees(&["a"]).await;
    assert_eq!(own.peers[&Key::Node(name("a"))].record(), Some(&told));
}

#[tokio::test]
async fn the_second_of_two_nodes_with_one_id_is_refused_and_the_first_stays() {
    let etcd = one_etcd().await;
    let mut first = start(&etcd, node("a", 1));
    first.registered().await;
    for mut second in [edge("a", 2), Record { directory: Some(Uuid([9; 16])), ..node("a", 3) }]
        .map(|record| start(&etcd, record))
    {
        assert_eq!(second.refused().await, Code::DiscoveryIdTaken);
    }
    let mut own = start(&etcd, node("own", 1));
    own.sees(&["a"]).await;
    assert_eq!(own.peers[&Key::Node(name("a"))].record(), Some(&node("a", 1)));
    first.sees(&["own"]).await;
}

#[tokio::test]
async fn the_same_data_directory_takes_its_place_at_once() {
    let etcd = one_etcd().await;
    let mut own = start(&etcd, node("own", 1));
    let mut a = start(&etcd, node("a", 1));
    a.registered().await;
    own.sees(&["a"]).await;
    drop(a);
    let mut again = start(&etcd, node("a", 2));
    again.registered().await;
    let changed = own.event(|event| !matches!(event, Event::Registered)).await;
    assert!(matches!(changed, Event::Changed(_)), "{changed:?}");
    assert!(!again.events.iter().any(|event| matches!(event, Event::Trouble(_))));
}

#[tokio::test]
async fn an_edge_that_crashed_gets_its_id_back_when_its_lease_has_ended() {
    let etcd = one_etcd().await;
    let mut crashed = start(&etcd, edge("a", 1));
    crashed.registered().await;
    drop(crashed);
    start(&etcd, edge("a", 2)).registered().await;
}

#[tokio::test]
async fn a_registration_that_was_taken_away_comes_back() {
    let etcd = one_etcd().await;
    let (mut own, mut a) = (start(&etcd, node("own", 1)), start(&etcd, node("a", 1)));
    own.sees(&["a"]).await;
    a.registered().await;
    let mut client = etcd.client(0, None).await.unwrap();
    // By somebody who cleans up too much,
    client.delete("/mesh/trial/nodes/a", None).await.unwrap();
    assert_eq!(own.left().await, (Key::Node(name("a")), Left::Hint));
    own.sees(&["a"]).await;
    // and by the end of the lease.
    let key = client.get("/mesh/trial/nodes/a", None).await.unwrap();
    client.lease_revoke(key.kvs()[0].lease()).await.unwrap();
    a.event(|event| *event == Event::LeaseLost).await;
    a.registered().await;
    assert_eq!(own.left().await, (Key::Node(name("a")), Left::Hint));
    own.sees(&["a"]).await;
}

#[tokio::test]
async fn what_is_no_node_is_reported_and_left_out() {
    let etcd = one_etcd().await;
    let mut client = etcd.client(0, None).await.unwrap();
    client.put("/mesh/trial/nodes/garbage", "x", None).await.unwrap();
    client.put("/mesh/trial/nodes/sub/key", node("key", 1).encode().unwrap(), None).await.unwrap();
    client.put("/mesh/trial/nodes0", "beyond", None).await.unwrap();
    let (mut own, _a) = (start(&etcd, node("own", 1)), start(&etcd, node("a", 1)));
    own.sees(&["a"]).await;
    let ignored = |event: &Event| match event {
        Event::Ignored { key, why } => Some((key.clone(), why.code)),
        _ => None,
    };
    let invalid = Code::DiscoveryRecordInvalid;
    let reported: Vec<_> = own.events.iter().filter_map(ignored).collect();
    assert_eq!(reported, [("garbage".to_owned(), invalid), ("sub/key".to_owned(), invalid)]);
    client.put("/mesh/trial/nodes/b", node("c", 1).encode().unwrap(), None).await.unwrap();
    let event = own.event(|event| ignored(event).is_some()).await;
    assert_eq!(ignored(&event), Some(("b".to_owned(), invalid)));
    // One that was a node before is none any more.
    client.put("/mesh/trial/nodes/a", "y", None).await.unwrap();
    assert_eq!(own.left().await, (Key::Node(name("a")), Left::Hint));
}

#[tokio::test]
async fn more_nodes_than_one_page_are_read() {
    let etcd = one_etcd().await;
    let mut client = etcd.client(0, None).await.unwrap();
    for number in 0..600 {
        let record = edge(&format!("n{number:03}"), 1);
        client.put(format!("/mesh/trial/nodes/n{number:03}"), record.encode().unwrap(), None).await.unwrap();
    }
    let mut own = start(&etcd, node("own", 1));
    own.registered().await;
    assert_eq!(own.peers.len(), 600);
}
