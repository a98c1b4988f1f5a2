use std::future::IntoFuture;
use std::time::Duration;

use mesh_client::{Client, Code, ConnectionEvent, ReconnectPolicy};
use mesh_wire::frame::{Flags, Kind, Parts};

use crate::fake_node::{FakeNode, event, soon};

fn label(event: &ConnectionEvent) -> &'static str {
    match event {
        ConnectionEvent::Connected { .. } => "connected",
        ConnectionEvent::Disconnected { .. } => "disconnected",
        ConnectionEvent::Reconnecting { .. } => "reconnecting",
        ConnectionEvent::Draining => "draining",
        ConnectionEvent::Error { .. } => "error",
        ConnectionEvent::Closed => "closed",
        _ => "other",
    }
}

#[tokio::test]
async fn subscriptions_are_restored_with_the_credit_that_is_free() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut events = client.events();
    let builder = client.subscribe("a").group("g").capacity(10);
    let (subscription, first) = tokio::join!(builder.into_future(), link.subscribed());
    let mut subscription = subscription.unwrap();
    let frame = Parts { subject: b"a", ..Parts::bare(Kind::Deliver, first.id).body(b"before") };
    link.send_all(&[frame, frame, frame, Parts::bare(Kind::Ping, 1)]).await;
    link.expect(Kind::Pong).await;
    drop(link);

    let mut link = node.accept().await;
    let again = link.subscribed().await;
    assert_eq!((again.id, again.subject.as_str()), (first.id, "a"));
    assert_eq!((again.subscription().credit, again.subscription().group.as_deref()), (7, Some("g")));
    link.send(&Parts { subject: b"a", ..Parts::bare(Kind::Deliver, first.id).body(b"after") }).await;
    for text in ["before", "before", "before", "after"] {
        assert_eq!(soon(subscription.next()).await.unwrap().text().unwrap(), text);
    }
    let mut seen = Vec::new();
    event(&mut events, |e| {
        seen.push(label(&e));
        matches!(e, ConnectionEvent::Connected { .. }).then_some(())
    })
    .await;
    assert_eq!(seen, ["disconnected", "reconnecting", "connected"]);
}

#[tokio::test]
async fn a_subscription_made_while_disconnected_is_asked_for_once() {
    let node = FakeNode::new();
    let (client, link) = node.connect().await;
    let mut events = client.events();
    drop(link);
    event(&mut events, |e| matches!(e, ConnectionEvent::Disconnected { .. }).then_some(())).await;
    let subscribing = tokio::spawn({
        let client = client.clone();
        async move { client.subscribe("a").await.map(|s| (s.id(), s)) }
    });
    let mut link = node.accept().await;
    link.subscribed().await;
    let (_id, _subscription) = soon(subscribing).await.unwrap().unwrap();
    link.expect_nothing_before_ping(&client).await;
}

#[tokio::test]
async fn messages_wait_until_the_subscriptions_are_back() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut events = client.events();
    let (one, _) = tokio::join!(client.subscribe("a").into_future(), link.subscribed());
    let (two, _) = tokio::join!(client.subscribe("b").into_future(), link.subscribed());
    let (mut one, two) = (one.unwrap(), two.unwrap());
    drop(link);
    event(&mut events, |e| matches!(e, ConnectionEvent::Disconnected { .. }).then_some(())).await;
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.publish("a", "x").buffered().await }
    });
    let mut link = node.accept().await;
    let first = link.expect(Kind::Subscribe).await;
    let second = link.expect(Kind::Subscribe).await;
    link.confirm(&second).await;
    // A ping goes through, so what would come before it would have come.
    link.expect_nothing_before_ping(&client).await;
    assert!(!client.is_connected() && !waiting.is_finished());
    // A subscription that is refused now is an end of its restoring, too.
    link.refuse(Kind::Subscribe, first.id, Code::PermissionDenied, Flags::NONE).await;
    assert_eq!(link.expect(Kind::Publish).await.text(), "x");
    soon(waiting).await.unwrap().unwrap();
    assert!(client.is_connected());
    assert_eq!(soon(one.try_next()).await.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(u64::from(two.id()), second.id);
}

#[tokio::test]
async fn a_node_that_never_confirms_is_left() {
    let node = FakeNode::new();
    let builder = node.builder().connect_timeout(Duration::from_millis(50));
    let (client, mut link) = tokio::join!(builder.connect(), node.accept());
    let client = client.unwrap();
    let mut events = client.events();
    let (subscription, _) = tokio::join!(client.subscribe("a").into_future(), link.subscribed());
    let _subscription = subscription.unwrap();
    drop(link);
    let _silent = node.accept().await;
    let mut reasons = Vec::new();
    event(&mut events, |e| {
        if let ConnectionEvent::Disconnected { reason } = e {
            reasons.push(reason);
        }
        (reasons.len() == 2).then_some(())
    })
    .await;
    assert!(reasons[1].contains("did not confirm"), "{reasons:?}");
}

#[tokio::test]
async fn the_next_endpoint_is_taken_when_one_is_lost() {
    let (one, two) = (FakeNode::new(), FakeNode::new());
    let builder = one.builder().endpoint(two.endpoint());
    let (client, link) = tokio::join!(builder.connect(), one.accept());
    let client = client.unwrap();
    let mut events = client.events();
    drop(link);
    let _link = two.accept().await;
    let endpoint = event(&mut events, |e| match e {
        ConnectionEvent::Connected { node } => Some(node.endpoint),
        _ => None,
    })
    .await;
    assert_eq!(endpoint, two.endpoint());
}

#[tokio::test]
async fn a_client_that_may_not_come_back_is_closed() {
    let node = FakeNode::new();
    let builder = node.builder().reconnect(ReconnectPolicy::never());
    let (client, mut link) = tokio::join!(builder.connect(), node.accept());
    let client = client.unwrap();
    let mut events = client.events();
    let (subscription, _) = tokio::join!(client.subscribe("a").into_future(), link.subscribed());
    drop(link);
    event(&mut events, |e| matches!(e, ConnectionEvent::Closed).then_some(())).await;
    assert!(soon(events.next()).await.is_none());
    assert_eq!(client.publish("a", "").buffered().await.unwrap_err().code(), Code::ClientClosed);
    assert_eq!(client.request("a", "").idempotent().await.unwrap_err().code(), Code::ClientClosed);
    assert_eq!(client.subscribe("a").await.unwrap_err().code(), Code::ClientClosed);
    let error = soon(subscription.unwrap().try_next()).await.unwrap_err();
    assert_eq!(error.code(), Code::ReconnectGaveUp);
}

#[tokio::test]
async fn attempts_back_off_and_end_when_told() {
    let node = FakeNode::new();
    let policy =
        ReconnectPolicy::DEFAULT.delays(Duration::from_millis(2), Duration::from_millis(4)).max_attempts(4);
    let (client, link) = tokio::join!(node.builder().reconnect(policy).connect(), node.accept());
    let client: Client = client.unwrap();
    let mut events = client.events();
    drop((link, node));
    let mut attempts = Vec::new();
    event(&mut events, |e| {
        if let ConnectionEvent::Reconnecting { attempt, delay } = e {
            assert!(delay <= Duration::from_millis(4));
            attempts.push(attempt);
        }
        matches!(e, ConnectionEvent::Closed).then_some(())
    })
    .await;
    assert_eq!(attempts, [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_fatal_error_is_the_reason_of_the_disconnect() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut events = client.events();
    link.refuse(Kind::Publish, 0, Code::LinkStalled, Flags::FATAL).await;
    let reason = event(&mut events, |e| match e {
        ConnectionEvent::Disconnected { reason } => Some(reason),
        _ => None,
    })
    .await;
    assert!(reason.contains("MESH-1053") && reason.contains("because"), "{reason}");
}

#[tokio::test]
async fn a_node_that_breaks_the_protocol_is_left() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut events = client.events();
    link.write(&[0xff; 64]).await;
    let reason = event(&mut events, |e| match e {
        ConnectionEvent::Disconnected { reason } => Some(reason),
        _ => None,
    })
    .await;
    assert!(reason.contains("MESH-1011"), "{reason}");
    let mut link = node.accept().await;
    link.send(&Parts::bare(Kind::Welcome, 0)).await;
    let reason = event(&mut events, |e| match e {
        ConnectionEvent::Disconnected { reason } => Some(reason),
        _ => None,
    })
    .await;
    assert!(reason.contains("MESH-1014"), "{reason}");
}

#[tokio::test]
async fn a_draining_node_is_left_for_another_without_losing_requests() {
    let (one, two) = (FakeNode::new(), FakeNode::new());
    let builder = one.builder().endpoint(two.endpoint());
    let (client, old) = tokio::join!(builder.connect(), one.accept());
    let (client, mut old) = (client.unwrap(), old);
    let mut events = client.events();
    let (subscription, _) = tokio::join!(client.subscribe("a").into_future(), old.subscribed());
    let _subscription = subscription.unwrap();
    let request = tokio::spawn({
        let client = client.clone();
        async move { client.request("a", "under way").await }
    });
    let got = old.expect(Kind::Request).await;
    old.send(&Parts::bare(Kind::Draining, 0)).await;
    let mut new = two.accept().await;
    // What is sent from here on waits for the new link; what was sent is still answered on the old one.
    let later = tokio::spawn({
        let client = client.clone();
        async move { client.publish("a", "later").await }
    });
    tokio::task::yield_now().await;
    old.send(&Parts::bare(Kind::Reply, got.id).body(b"answer")).await;
    assert_eq!(soon(request).await.unwrap().unwrap().text().unwrap(), "answer");
    while let Some(left) = old.next().await {
        assert!(matches!(left.kind, Kind::Goodbye | Kind::Publish), "{left:?}");
    }
    assert_eq!(new.subscribed().await.subject, "a");
    soon(later).await.unwrap().unwrap();
    let mut seen = Vec::new();
    event(&mut events, |e| {
        seen.push(label(&e));
        matches!(e, ConnectionEvent::Connected { .. }).then_some(())
    })
    .await;
    assert_eq!(seen, ["draining", "connected"]);
}

#[tokio::test]
async fn a_draining_node_that_hangs_up_before_another_answers_is_lost() {
    let (one, two) = (FakeNode::new(), FakeNode::new());
    let builder = one.builder().endpoint(two.endpoint());
    let (client, old) = tokio::join!(builder.connect(), one.accept());
    let (client, mut old) = (client.unwrap(), old);
    let mut events = client.events();
    old.send(&Parts::bare(Kind::Draining, 0)).await;
    // It is there, and says nothing yet.
    let silent = two.accept_silent().await;
    drop(old);
    event(&mut events, |e| matches!(e, ConnectionEvent::Disconnected { .. }).then_some(())).await;
    drop(silent);
    tokio::select! {
        _link = one.accept() => {}
        _link = two.accept() => {}
    }
}

#[tokio::test]
async fn a_draining_node_is_kept_when_there_is_no_other() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    link.send(&Parts::bare(Kind::Draining, 0)).await;
    link.expect_nothing_before_ping(&client).await;
    client.publish("a", "still").await.unwrap();
    assert_eq!(link.expect(Kind::Publish).await.text(), "still");
}
