//! An etcd of three members. These take longer: `cargo test -p mesh-discovery --test discovery -- --ignored`.

use mesh_discovery::trial::{Etcd, Options};

use crate::view::{node, start};

async fn three() -> Etcd {
    Etcd::start(Options { members: 3, ..Options::default() }).await.unwrap()
}

#[tokio::test]
#[ignore = "takes an etcd of three members"]
async fn the_death_of_the_leader_changes_nothing() {
    let mut etcd = three().await;
    let (mut own, mut a) = (start(&etcd, node("own", 1)), start(&etcd, node("a", 1)));
    own.sees(&["a"]).await;
    a.sees(&["own"]).await;
    for round in 0..3 {
        let leader = etcd.leader().await.unwrap();
        etcd.kill(leader).unwrap();
        let id = format!("r{round}");
        let mut next = start(&etcd, node(&id, 1));
        next.sees(&["a", "own"]).await;
        own.sees(&["a", &id]).await;
        a.sees(&["own", &id]).await;
        next.discovery.leave(std::time::Duration::from_secs(10)).await.unwrap();
        own.sees(&["a"]).await;
        a.sees(&["own"]).await;
        etcd.restart(leader).await.unwrap();
    }
    let left = |view: &crate::view::View| {
        view.events.iter().any(|event| {
            matches!(event, mesh_discovery::Event::Left { peer, .. }
            if !peer.to_string().starts_with('r'))
        })
    };
    assert!(!left(&own) && !left(&a), "{:#?}", own.events);
}

#[tokio::test]
#[ignore = "takes an etcd of three members"]
async fn a_member_that_hangs_is_left_for_another_one() {
    let etcd = three().await;
    let mut own = start(&etcd, node("own", 1));
    own.registered().await;
    for member in 0..3 {
        etcd.freeze(member).unwrap();
        let id = format!("m{member}");
        let mut next = start(&etcd, node(&id, 1));
        next.sees(&["own"]).await;
        own.sees(&[&id]).await;
        next.discovery.leave(std::time::Duration::from_secs(10)).await.unwrap();
        own.sees(&[]).await;
        etcd.thaw(member).unwrap();
    }
}

#[tokio::test]
#[ignore = "takes an etcd of three members"]
async fn without_a_majority_nobody_is_forgotten() {
    let mut etcd = three().await;
    let (mut own, mut a) = (start(&etcd, node("own", 1)), start(&etcd, node("a", 1)));
    own.sees(&["a"]).await;
    a.sees(&["own"]).await;
    own.registered().await;
    etcd.kill(0).unwrap();
    etcd.kill(1).unwrap();
    own.trouble().await;
    assert_eq!(own.ids(), ["a"]);
    for member in 0..2 {
        etcd.start_again(member).unwrap();
    }
    own.recovered().await;
    own.sees(&["a"]).await;
    a.sees(&["own"]).await;
}
