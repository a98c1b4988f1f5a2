//! The client against a real node in this process: what both together promise.

use std::time::Duration;

use mesh_client::test_util::TestNode;
use mesh_client::{Code, ConnectionEvent};

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
