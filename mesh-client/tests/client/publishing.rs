use std::future::IntoFuture;
use std::task::{Context, Poll, Waker};

use mesh_client::{Code, ConnectionEvent, Value};
use mesh_wire::ext::Tag;
use mesh_wire::frame::{Flags, Kind, Parts};
use serde::Serialize;

use crate::fake_node::{FakeNode, event, soon};

#[tokio::test]
async fn a_message_carries_what_it_was_given() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    client
        .publish("orders.created", "order 17")
        .header("tenant", "a")
        .header("tenant", "b")
        .header("attempt", 2u32)
        .key("17")
        .message_id("m-1")
        .await
        .unwrap();
    let got = link.expect(Kind::Publish).await;
    assert_eq!((got.subject.as_str(), got.text(), got.id, got.aux), ("orders.created", "order 17", 0, 0));
    let tenants: Vec<_> = got.headers.get_all("tenant").collect();
    assert_eq!(tenants, [Value::Str("a"), Value::Str("b")]);
    assert_eq!(got.headers.get("attempt"), Some(Value::U64(2)));
    assert_eq!(got.ext().get(Tag::KEY), Some(&b"17"[..]));
    assert_eq!(got.ext().get(Tag::MESSAGE_ID), Some(&b"m-1"[..]));
    assert_eq!(got.ext().encoding(), 0);
}

#[tokio::test]
async fn values_are_marked_with_their_encoding() {
    #[derive(Serialize)]
    struct Order {
        id: u64,
    }
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    client.publish("a", &Order { id: 300 }).await.unwrap();
    client.publish("a", &Order { id: 1 }).key("k").await.unwrap();
    let got = link.expect(Kind::Publish).await;
    assert_eq!((&got.body[..], got.ext().encoding()), (&[0xac, 2][..], 1));
    let got = link.expect(Kind::Publish).await;
    assert_eq!(
        (&got.body[..], got.ext().encoding(), got.ext().get(Tag::KEY)),
        (&[1][..], 1, Some(&b"k"[..]))
    );
    #[cfg(feature = "json")]
    {
        client.publish("a", mesh_client::Json(Order { id: 1 })).await.unwrap();
        let got = link.expect(Kind::Publish).await;
        assert_eq!((got.text(), got.ext().encoding()), (r#"{"id":1}"#, 2));
    }
}

#[tokio::test]
async fn messages_stay_in_order() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    for i in 0..1_000u32 {
        client.publish("a", &i.to_le_bytes()[..]).await.unwrap();
    }
    for i in 0..1_000u32 {
        assert_eq!(link.expect(Kind::Publish).await.body[..], i.to_le_bytes());
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_message_is_said_before_it_is_sent() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let table = [
        (client.publish("a..b", "").await, Code::SubjectMalformed),
        (client.publish("a.*", "").await, Code::SubjectWildcard),
        (client.publish("$mesh.x", "").await, Code::SubjectReserved),
        (client.publish("a", "").key([0; 129]).await, Code::KeyTooLong),
        (client.publish("a", "").message_id([0; 129]).await, Code::MessageIdTooLong),
        (client.publish("a", "").header("", 1u32).await, Code::HeaderMalformed),
        (client.publish("a", vec![0; 8 * 1024 * 1024 + 1]).await, Code::BodyTooLarge),
    ];
    for (result, code) in table {
        assert_eq!(result.unwrap_err().code(), code);
    }
    link.expect_nothing_before_ping(&client).await;
}

#[tokio::test]
async fn the_nodes_own_limit_on_bodies_holds() {
    let node = FakeNode::new();
    let (client, mut link) = tokio::join!(node.builder().connect(), async {
        let mut link = node.accept_silent().await;
        link.hear_hello().await;
        link.welcome(10).await;
        link
    });
    let client = client.unwrap();
    assert_eq!(client.publish("a", [0; 11].as_slice()).await.unwrap_err().code(), Code::BodyTooLarge);
    client.publish("a", [0; 10].as_slice()).await.unwrap();
    assert_eq!(link.expect(Kind::Publish).await.body.len(), 10);
}

#[tokio::test]
async fn a_large_body_goes_in_chunks_and_nothing_of_its_subject_overtakes_it() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let body: Vec<u8> = (0..700_000u32).map(|i| i as u8).collect();
    let sending = async {
        client.publish("a", body.as_slice()).header("h", "v").await.unwrap();
        client.publish("a", "after").await.unwrap();
    };
    let (got, ()) = tokio::join!(
        async {
            let opening = link.expect(Kind::Publish).await;
            let (series, total) = opening.ext().chunk().unwrap();
            assert_eq!(opening.headers.get("h"), Some(Value::Str("v")));
            assert_eq!(total, 700_000);
            let mut got = opening.body.to_vec();
            loop {
                let chunk = link.expect(Kind::Chunk).await;
                assert_eq!(chunk.id, u64::from(series));
                got.extend_from_slice(&chunk.body);
                if !chunk.flags.contains(Flags::MORE) {
                    break;
                }
            }
            assert_eq!(link.expect(Kind::Publish).await.text(), "after");
            got
        },
        sending
    );
    assert!(got == body);
}

#[tokio::test]
async fn a_node_that_does_not_read_makes_publishers_wait() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let body = vec![0; 10_000];
    let mut cx = Context::from_waker(Waker::noop());
    let mut sent = 0u32;
    // The link's task runs between two messages; at some point neither it nor the outbox takes more.
    loop {
        let mut publish = std::pin::pin!(client.publish("a", body.as_slice()).into_future());
        match publish.as_mut().poll(&mut cx) {
            Poll::Ready(result) => result.unwrap(),
            Poll::Pending => {
                tokio::task::yield_now().await;
                if publish.as_mut().poll(&mut cx).is_pending() {
                    break;
                }
            }
        }
        sent += 1;
        assert!(sent < 1_000, "10 MB are taken and nobody reads");
    }
    let last = tokio::spawn({
        let client = client.clone();
        async move { client.publish("a", "last").await }
    });
    for _ in 0..sent {
        assert_eq!(link.expect(Kind::Publish).await.body.len(), body.len());
    }
    // The message that had to wait was dropped unsent.
    assert_eq!(link.expect(Kind::Publish).await.text(), "last");
    soon(last).await.unwrap().unwrap();
}

#[tokio::test]
async fn without_a_connection_messages_fail_at_once_or_wait_if_told() {
    let node = FakeNode::new();
    let (client, link) = node.connect().await;
    let mut events = client.events();
    drop(link);
    event(&mut events, |e| matches!(e, ConnectionEvent::Disconnected { .. }).then_some(())).await;
    let error = client.publish("a", "lost").await.unwrap_err();
    assert_eq!(error.code(), Code::NotConnected);
    assert!(error.is_retryable() && !client.is_connected() && client.node_info().is_none());

    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.publish("a", "kept").buffered().await }
    });
    let mut link = node.accept().await;
    assert_eq!(link.expect(Kind::Publish).await.text(), "kept");
    soon(waiting).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_refused_message_is_an_event() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut events = client.events();
    client.publish("a", "x").await.unwrap();
    link.expect(Kind::Publish).await;
    link.refuse(Kind::Publish, 0, Code::PermissionDenied, Flags::NONE).await;
    let error = event(&mut events, |e| match e {
        ConnectionEvent::Error { error } => Some(error),
        _ => None,
    })
    .await;
    assert_eq!((error.code(), error.cause()), (Code::PermissionDenied, "because"));
    assert!(client.is_connected());
    link.send(&Parts::bare(Kind::Ping, 1)).await;
    link.expect(Kind::Pong).await;
}
