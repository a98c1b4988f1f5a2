//! Links that end in good order, from either side.

use mesh_wire::{
    body::ModeV1,
    code::Code,
    frame::{Kind, Parts},
};

use crate::{client::Client, site::Site};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_before_a_goodbye_arrives_whatever_lane_it_took() {
    const MESSAGES: usize = 20_000;
    let site = Site::start(&[]);
    let (mut there, _) = Client::welcomed(&site.quic(), &site.service("there"), None).await;
    there.subscribe(1, "all", ModeV1::Events).await;
    there.send(&Parts::bare(Kind::Credit, 1).aux(MESSAGES as u32)).await;
    let (mut here, _) = Client::welcomed(&site.quic(), &site.service("here"), None).await;
    for _ in 0..MESSAGES {
        here.publish("all", &[1; 100]).await;
    }
    here.send(&Parts::bare(Kind::Goodbye, 0)).await;
    here.outbound.finish().await.unwrap();
    here.handle.leave();
    for _ in 0..MESSAGES {
        there.wait(Kind::Deliver).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_leaves_says_so_and_ends_every_lane() {
    let site = Site::start(&[]);
    let (mut client, _) = Client::welcomed(&site.quic(), &site.service("c"), None).await;
    client.subscribe(1, "all", ModeV1::Events).await;
    client.publish("all", b"x").await;
    client.wait(Kind::Deliver).await;
    site.node.begin_drain();
    client.wait(Kind::Draining).await;
    let goodbye = client.wait(Kind::Goodbye).await;
    assert_eq!(goodbye.frame().aux(), u32::from(Code::NodeStopped.number()));
    assert_eq!(client.closed().await.code, None, "in good order");
    site.node.stopped().await;
    assert!(Client::open(&site.quic(), &site.service("c")).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_back_ends_the_links_of_its_former_life() {
    // The key of resets stays in the data directory; what else this takes is tested by mesh-transport.
    let site = Site::start(&[]);
    let key = std::fs::read(site.dir.path().join("data/reset.key")).unwrap();
    let Site { dir, node } = site;
    drop(node);
    let site = Site::start_in(dir, &[]);
    assert_eq!(std::fs::read(site.dir.path().join("data/reset.key")).unwrap(), key);
}
