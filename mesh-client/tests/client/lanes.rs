//! A link with lanes: what travels where, and that none holds up another.

use std::future::IntoFuture;
use std::task::Poll;

use bytes::BytesMut;
use futures_util::poll;
use mesh_client::{Carrier, Client, ConnectionEvent};
use mesh_transport::quic::settings::LANE_WINDOW_BYTES;
use mesh_wire::class::Class;
use mesh_wire::ext::ExtBuilder;
use mesh_wire::frame::{Flags, Kind, Parts};
use mesh_wire::limits;

use crate::fake_node::{FakeLink, event, soon};
use crate::trust::Trust;

async fn connect() -> (Client, FakeLink) {
    let trust = Trust::new();
    let node = trust.node();
    let (client, link) = tokio::join!(trust.builder(&node).connect(), node.accept());
    (client.unwrap(), link)
}

#[tokio::test]
async fn both_sides_know_each_other() {
    let (client, link) = connect().await;
    let certificate = link.handle.certificate().unwrap();
    assert_eq!(certificate.id().to_string(), "spiffe://c/service/tester");
    let info = client.node_info().unwrap();
    assert_eq!((info.carrier, client.identity()), (Carrier::Quic, Some(info.identity)));
    assert!(info.endpoint.starts_with("quic://127.0.0.1:"), "{}", info.endpoint);
}

#[tokio::test]
async fn each_kind_travels_in_the_lane_of_its_class() {
    let (client, mut link) = connect().await;
    let (subscription, got) = tokio::join!(client.subscribe("a").into_future(), link.subscribed());
    assert_eq!(got.lane, Class::Control);
    let _subscription = subscription.unwrap();
    client.publish("a", "x").await.unwrap();
    let got = link.next_of(&[Class::Publish]).await.unwrap();
    assert_eq!((got.kind, got.text()), (Kind::Publish, "x"));

    let request = client.request("a", "x");
    let (reply, ()) = tokio::join!(request, async {
        let got = link.next_of(&[Class::Request]).await.unwrap();
        link.send_in(Class::Request, &Parts::bare(Kind::Reply, got.id).body(b"y")).await;
    });
    assert_eq!(reply.unwrap().text().unwrap(), "y");

    let large = vec![7; limits::CHUNK_BYTES + 1];
    let (reply, ()) = tokio::join!(client.request("a", large.as_slice()), async {
        let opening = link.next_of(&[Class::Bulk]).await.unwrap();
        let rest = link.next_of(&[Class::Bulk]).await.unwrap();
        assert_eq!((opening.kind, rest.kind), (Kind::Request, Kind::Chunk));
        assert_eq!(opening.body.len() + rest.body.len(), large.len());
        link.send_in(Class::Request, &Parts::bare(Kind::Reply, opening.id)).await;
    });
    reply.unwrap();
    client.publish("a", large.as_slice()).await.unwrap();
    let opening = link.next_of(&[Class::Publish]).await.unwrap();
    let rest = link.next_of(&[Class::Publish]).await.unwrap();
    assert_eq!((opening.kind, rest.kind), (Kind::Publish, Kind::Chunk));
}

#[tokio::test]
async fn a_flush_asks_in_each_lane_that_was_used() {
    let (client, mut link) = connect().await;
    client.publish("a", "x").await.unwrap();
    let flushing = tokio::spawn({
        let client = client.clone();
        async move { client.flush().await }
    });
    link.next_of(&[Class::Publish]).await.unwrap();
    for class in [Class::Control, Class::Publish] {
        let ping = link.next_of(&[class]).await.unwrap();
        assert_eq!(ping.kind, Kind::Ping);
        assert!(!flushing.is_finished(), "not every lane has answered");
        link.send(&Parts::bare(Kind::Pong, ping.id)).await;
    }
    soon(flushing).await.unwrap().unwrap();
}

#[tokio::test]
async fn messages_come_in_the_order_of_their_lane_whole_and_in_chunks() {
    let (client, mut link) = connect().await;
    let (subscription, got) = tokio::join!(client.subscribe("a").into_future(), link.subscribed());
    let mut subscription = subscription.unwrap();
    fn message(id: u64, body: &[u8]) -> Parts<'_> {
        Parts { subject: b"a", ..Parts::bare(Kind::Deliver, id).body(body) }
    }
    let large: Vec<u8> = (0..limits::CHUNK_BYTES + 9).map(|at| at as u8).collect();
    let (first, rest) = large.split_at(limits::CHUNK_BYTES);
    let mut ext = ExtBuilder::new();
    ext.push_chunk(5, large.len() as u64).unwrap();
    let mut bytes = BytesMut::new();
    for number in 0..1_000u32 {
        message(got.id, &number.to_le_bytes()).encode(&mut bytes).unwrap();
    }
    Parts { ext: ext.as_bytes(), ..message(got.id, first) }.encode(&mut bytes).unwrap();
    Parts::bare(Kind::Chunk, 5).body(rest).encode(&mut bytes).unwrap();
    // The same series in another lane is another one.
    let mut bulk = BytesMut::new();
    Parts { ext: ext.as_bytes(), ..message(got.id, first) }.encode(&mut bulk).unwrap();
    link.write_in(Class::Bulk, &bulk).await;
    link.write_in(Class::Publish, &bytes).await;
    for number in 0..1_000u32 {
        assert_eq!(soon(subscription.next()).await.unwrap().as_bytes(), number.to_le_bytes());
    }
    assert_eq!(soon(subscription.next()).await.unwrap().as_bytes(), large);
    link.send_in(Class::Bulk, &Parts::bare(Kind::Chunk, 5).body(rest)).await;
    assert_eq!(soon(subscription.next()).await.unwrap().as_bytes(), large);
}

#[tokio::test]
async fn a_lane_that_the_node_does_not_read_holds_up_no_other() {
    let (client, mut link) = connect().await;
    let body = vec![0; 64 * 1024];
    let others = [Class::Control, Class::Request];
    // The node reads no publish lane: it fills up to here.
    let mut publish = Box::pin(client.publish("a", body.as_slice()).into_future());
    let mut published = 0;
    loop {
        while poll!(publish.as_mut()).is_ready() {
            published += 1;
            publish = Box::pin(client.publish("a", body.as_slice()).into_future());
        }
        // Full for a moment, or for good? What is asked in another lane comes back in any case.
        let (reply, ()) = tokio::join!(client.request("a", "x"), async {
            let got = link.next_of(&others).await.unwrap();
            link.send_in(Class::Request, &Parts::bare(Kind::Reply, got.id)).await;
        });
        reply.unwrap();
        let (subscription, ()) = tokio::join!(client.subscribe("b").into_future(), async {
            let got = link.next_of(&[Class::Control]).await.unwrap();
            link.confirm(&got).await;
        });
        drop(subscription.unwrap());
        link.next_of(&[Class::Control]).await.unwrap();
        match poll!(publish.as_mut()) {
            Poll::Ready(sent) => {
                sent.unwrap();
                published += 1;
                publish = Box::pin(client.publish("a", body.as_slice()).into_future());
            }
            Poll::Pending if published * body.len() > LANE_WINDOW_BYTES as usize => break,
            Poll::Pending => {}
        }
    }
    // It goes on where it stopped.
    for _ in 0..published {
        assert_eq!(link.next_of(&[Class::Publish]).await.unwrap().body.len(), body.len());
    }
    soon(publish).await.unwrap();
}

#[tokio::test]
async fn closing_brings_everything_that_was_sent_in_any_lane() {
    let (client, mut link) = connect().await;
    let large = vec![7; 2 * limits::CHUNK_BYTES];
    // Less than a lane takes before it is read.
    let count = 1_000;
    let closing = tokio::spawn(async move {
        for _ in 0..count {
            client.publish("a", vec![0; 1_000]).await.unwrap();
        }
        client.publish("a", large).await.unwrap();
        client.close().await;
    });
    // The goodbye comes in its lane and says nothing about the others.
    assert_eq!(link.next_of(&[Class::Control]).await.unwrap().kind, Kind::Goodbye);
    let mut messages = 0;
    let mut chunks = 0;
    while let Some(got) = link.next().await {
        messages += usize::from(got.kind == Kind::Publish);
        chunks += usize::from(got.kind == Kind::Chunk);
    }
    assert_eq!((messages, chunks), (count + 1, 1));
    soon(closing).await.unwrap();
}

#[tokio::test]
async fn a_goodbye_does_not_cut_off_the_other_lanes() {
    let (client, mut link) = connect().await;
    let mut events = client.events();
    let (subscription, got) =
        tokio::join!(client.subscribe("a").capacity(5_000).into_future(), link.subscribed());
    let mut subscription = subscription.unwrap();
    link.send(&Parts::bare(Kind::Goodbye, 0)).await;
    let deliver = Parts { subject: b"a", ..Parts::bare(Kind::Deliver, got.id).body(b"late") };
    for _ in 0..1_000 {
        link.send_in(Class::Publish, &deliver).await;
    }
    soon(link.outbound.finish()).await.unwrap();
    link.handle.leave();
    for _ in 0..1_000 {
        assert_eq!(soon(subscription.next()).await.unwrap().text().unwrap(), "late");
    }
    let reason = event(&mut events, |e| match e {
        ConnectionEvent::Disconnected { reason } => Some(reason),
        _ => None,
    })
    .await;
    assert!(reason.contains("closed"), "{reason}");
}

#[tokio::test]
async fn a_node_that_says_goodbye_and_stays_is_left_all_the_same() {
    let (client, mut link) = connect().await;
    let mut events = client.events();
    link.send(&Parts::bare(Kind::Goodbye, 0)).await;
    event(&mut events, |e| matches!(e, ConnectionEvent::Disconnected { .. }).then_some(())).await;
}

#[tokio::test]
async fn a_node_that_reads_nothing_does_not_keep_a_client_from_closing() {
    let (client, link) = connect().await;
    // More than all that lies between here and a node that does not read.
    let publishing = tokio::spawn({
        let client = client.clone();
        async move { while client.publish("a", vec![0; 64 * 1024]).await.is_ok() {} }
    });
    soon(client.close()).await;
    soon(publishing).await.unwrap();
    assert_eq!(soon(link.handle.closed()).await.code, None, "in good order, as far as it goes");
}

#[tokio::test]
async fn a_link_that_the_node_closes_says_why() {
    let (client, link) = connect().await;
    let mut events = client.events();
    link.handle.close(mesh_client::Code::CertificateRevoked, "it was stolen");
    let reason = event(&mut events, |e| match e {
        ConnectionEvent::Disconnected { reason } => Some(reason),
        _ => None,
    })
    .await;
    assert!(reason.contains("MESH-6005") && reason.contains("stolen"), "{reason}");
    drop(client);
}

#[tokio::test]
async fn a_node_that_breaks_the_protocol_in_any_lane_is_left() {
    for class in [Class::Publish, Class::Bulk] {
        let (client, mut link) = connect().await;
        let mut events = client.events();
        link.send_in(class, &Parts { flags: Flags::NONE, ..Parts::bare(Kind::Chunk, 9) }).await;
        let reason = event(&mut events, |e| match e {
            ConnectionEvent::Disconnected { reason } => Some(reason),
            _ => None,
        })
        .await;
        assert!(reason.contains("broke the protocol"), "{class:?}: {reason}");
    }
}
