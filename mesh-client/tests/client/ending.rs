use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use mesh_client::{Code, ConnectionEvent};
use mesh_wire::frame::{Kind, Parts};
use tokio::sync::Notify;

use crate::fake_node::{FakeNode, event, soon};

#[tokio::test]
async fn flushing_waits_for_the_node() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    client.publish("a", "1").await.unwrap();
    let flushing = tokio::spawn({
        let client = client.clone();
        async move { client.flush().await }
    });
    link.expect(Kind::Publish).await;
    let ping = link.expect(Kind::Ping).await;
    assert!(!flushing.is_finished());
    link.send(&Parts::bare(Kind::Pong, ping.id)).await;
    soon(flushing).await.unwrap().unwrap();

    let flushing = tokio::spawn({
        let client = client.clone();
        async move { client.flush().await }
    });
    link.expect(Kind::Ping).await;
    drop(link);
    assert_eq!(soon(flushing).await.unwrap().unwrap_err().code(), Code::Disconnected);
}

#[tokio::test]
async fn closing_writes_what_was_sent_and_says_goodbye() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut events = client.events();
    for _ in 0..100 {
        client.publish("a", "x").await.unwrap();
    }
    soon(client.close()).await;
    for _ in 0..100 {
        link.expect(Kind::Publish).await;
    }
    link.expect(Kind::Goodbye).await;
    assert!(link.next().await.is_none());
    event(&mut events, |e| matches!(e, ConnectionEvent::Closed).then_some(())).await;
    assert_eq!(client.publish("a", "x").await.unwrap_err().code(), Code::ClientClosed);
    soon(client.close()).await;
}

#[tokio::test]
async fn the_last_handle_closes_the_connection() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let (subscription, _) = tokio::join!(client.subscribe("a").into_future(), link.subscribed());
    let mut subscription = subscription.unwrap();
    client.publish("a", "last").await.unwrap();
    drop(client);
    link.expect(Kind::Publish).await;
    link.send(&Parts { subject: b"a", ..Parts::bare(Kind::Deliver, subscription.id().into()) }).await;
    assert!(soon(subscription.next()).await.is_some(), "a subscription keeps the connection open");
    drop(subscription);
    link.expect(Kind::Unsubscribe).await;
    link.expect(Kind::Goodbye).await;
    assert!(link.next().await.is_none());
}

#[tokio::test]
async fn draining_lets_handlers_finish_before_it_closes() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let go = Arc::new(Notify::new());
    let handler = {
        let go = Arc::clone(&go);
        move || {
            let go = Arc::clone(&go);
            async move {
                go.notified().await;
                "done"
            }
        }
    };
    let spawning = client.serve("s").handle("x", handler).spawn();
    let (server, got) = tokio::join!(spawning, link.subscribed());
    let server = server.unwrap();
    link.send(&Parts::bare(Kind::Call, got.id << 32 | 1).aux(5_000)).await;
    let draining = tokio::spawn({
        let client = client.clone();
        async move { client.drain().deadline(Duration::from_secs(10)).await }
    });
    let unsubscribe = link.expect(Kind::Unsubscribe).await;
    link.confirm(&unsubscribe).await;
    // The application's own calls go on until the end.
    client.publish("a", "while draining").await.unwrap();
    link.expect(Kind::Publish).await;
    go.notify_one();
    assert_eq!(link.expect(Kind::Reply).await.text(), "done");
    link.expect(Kind::Goodbye).await;
    soon(draining).await.unwrap().unwrap();
    drop(server);
}

#[tokio::test]
async fn a_drain_has_a_deadline() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let spawning = client.serve("s").handle("x", std::future::pending::<()>).spawn();
    let (server, got) = tokio::join!(spawning, link.subscribed());
    let _server = server.unwrap();
    link.send_all(&[Parts::bare(Kind::Call, got.id << 32 | 1).aux(5_000), Parts::bare(Kind::Ping, 1)]).await;
    link.expect(Kind::Pong).await;
    let (drained, ()) =
        tokio::join!(client.drain().deadline(Duration::from_millis(20)).into_future(), async {
            let unsubscribe = link.expect(Kind::Unsubscribe).await;
            link.confirm(&unsubscribe).await;
            link.expect(Kind::Goodbye).await;
        });
    assert_eq!(drained.unwrap_err().code(), Code::DrainTimeout);
}

#[tokio::test]
async fn a_drain_does_not_wait_for_a_service_that_was_dropped() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let spawning = client.serve("s").handle("x", std::future::pending::<()>).spawn();
    let (server, _) = tokio::join!(spawning, link.subscribed());
    // Its task has had no turn to end yet when the drain begins.
    drop(server.unwrap());
    let (drained, ()) = tokio::join!(client.drain().into_future(), async {
        link.expect(Kind::Unsubscribe).await;
        link.expect(Kind::Goodbye).await;
    });
    drained.unwrap();
}

#[tokio::test]
async fn a_drain_does_not_wait_for_a_node_that_is_gone() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let spawning = client.serve("s").handle("x", std::future::pending::<()>).spawn();
    let (server, _) = tokio::join!(spawning, link.subscribed());
    let _server = server.unwrap();
    let draining = tokio::spawn({
        let client = client.clone();
        async move { client.drain().await }
    });
    // The node goes without a word, and no other one comes.
    link.expect(Kind::Unsubscribe).await;
    drop((link, node));
    soon(draining).await.unwrap().unwrap();
}
