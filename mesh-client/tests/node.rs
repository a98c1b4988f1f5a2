//! The client against a real node in this process: what both together promise.

use std::time::Duration;

use mesh_client::serve::Caller;
use mesh_client::test_util::TestNode;
use mesh_client::{Carrier, Code, ConnectionEvent};

#[tokio::test]
async fn a_node_comes_and_goes() {
    let node = TestNode::start().await.unwrap();
    let client = node.client().await.unwrap();
    assert_eq!(client.node_info().unwrap().node, "test");
    client.flush().await.unwrap();
    let mut events = client.events();
    node.stop().await;
    while !matches!(events.next().await.unwrap(), ConnectionEvent::Disconnected { .. }) {}
}

#[tokio::test]
async fn nodes_run_beside_each_other() {
    let (one, two) = tokio::join!(TestNode::start(), TestNode::start());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one.endpoint(), two.endpoint());
    let (first, second) = (one.client().await.unwrap(), two.client().await.unwrap());
    let mut subscription = first.subscribe(">").await.unwrap();
    second.publish("a", "elsewhere").await.unwrap();
    second.flush().await.unwrap();
    first.publish("a", "here").await.unwrap();
    assert_eq!(subscription.next().await.unwrap().text().unwrap(), "here");
}

#[tokio::test]
async fn keys_of_the_configuration_can_be_set() {
    let node = TestNode::start_with(&[("limits.max_body", "1KiB")]).await.unwrap();
    let client = node.client().await.unwrap();
    assert_eq!(client.publish("a", vec![0; 1025]).await.unwrap_err().code(), Code::BodyTooLarge);
    let wrong = TestNode::start_with(&[("no.such.key", "1")]).await.unwrap_err();
    assert_eq!(wrong.code(), Code::ConfigUnknownKey);
}

#[tokio::test]
async fn a_client_moves_from_a_draining_node_to_another() {
    let (one, two) = tokio::join!(TestNode::start(), TestNode::start());
    let (one, two) = (one.unwrap(), two.unwrap());
    let client = one.builder().endpoint(two.endpoint()).connect().await.unwrap();
    let server =
        client.serve("echo").handle("it", |m: mesh_client::Message| async { m }).spawn().await.unwrap();
    let other = two.client().await.unwrap();
    let error = other.request("echo.it", "x").await.unwrap_err();
    assert_eq!(error.code(), Code::NoResponders);
    let mut events = client.events();
    one.begin_drain();
    loop {
        if let ConnectionEvent::Connected { node } = events.next().await.unwrap() {
            assert_eq!(node.endpoint, two.endpoint());
            break;
        }
    }
    client.flush().await.unwrap();
    let request = other.request("echo.it", "moved").idempotent().timeout(Duration::from_secs(10));
    assert_eq!(request.await.unwrap().text().unwrap(), "moved");
    drop(server);
}

#[tokio::test]
async fn clients_meet_over_every_carrier_and_know_each_other() {
    let node = TestNode::start_on_network(&[]).await.unwrap();
    let server = node.builder_over(Carrier::Quic, "orders").unwrap().connect().await.unwrap();
    assert_eq!(server.identity().as_deref(), Some("spiffe://test/service/orders"));
    let whoami = |caller: Caller| async move { caller.0 };
    let serving = server.serve("orders").handle("whoami", whoami).spawn().await.unwrap();
    let mut subscription = server.subscribe("news").await.unwrap();
    let table = [
        (Carrier::Quic, "spiffe://test/service/shop"),
        (Carrier::Tls, "spiffe://test/service/shop"),
        (Carrier::Unix, "unix:uid="),
    ];
    for (carrier, caller) in table {
        let client = node.builder_over(carrier, "shop").unwrap().connect().await.unwrap();
        assert_eq!(client.node_info().unwrap().carrier, carrier);
        let reply = client.request("orders.whoami", "").await.unwrap();
        assert!(reply.text().unwrap().starts_with(caller), "{carrier:?}: {reply:?}");
        let large = vec![carrier as u8; 1_000_000];
        client.publish("news", large.as_slice()).await.unwrap();
        assert_eq!(subscription.next().await.unwrap().as_bytes(), large, "{carrier:?}");
        client.drain().await.unwrap();
    }
    drop(serving);
}

#[tokio::test]
async fn what_a_closing_client_sent_over_quic_arrives() {
    let node = TestNode::start_on_network(&[]).await.unwrap();
    let watcher = node.client().await.unwrap();
    let mut subscription = watcher.subscribe("a").await.unwrap();
    let count = 10_000u32;
    let client = node.builder_over(Carrier::Quic, "shop").unwrap().connect().await.unwrap();
    let sending = tokio::spawn(async move {
        for number in 0..count {
            client.publish("a", number.to_le_bytes().as_slice()).await.unwrap();
        }
        client.close().await;
    });
    for number in 0..count {
        assert_eq!(subscription.next().await.unwrap().as_bytes(), number.to_le_bytes());
    }
    sending.await.unwrap();
}
