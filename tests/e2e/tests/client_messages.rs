//! Publishing and subscribing by the client library, through a real node.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::HashSet;
use std::time::Duration;

use mesh_client::{Client, Code, ConnectionEvent, Encoding, Json, SlowPolicy, Value};
use mesh_e2e::{PATIENCE, RunningNode};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

async fn client(node: &RunningNode, name: &str) -> Client {
    Client::builder().name(name).endpoint(node.url()).connect().await.unwrap()
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    name: String,
}

#[tokio::test]
async fn a_message_arrives_as_it_was_sent() {
    let node = RunningNode::start();
    let (publisher, subscriber) = (client(&node, "p").await, client(&node, "s").await);
    let mut orders = subscriber.subscribe("orders.*.created").await.unwrap();
    let order = Order { id: 17, name: "tea".into() };
    publisher
        .publish("orders.eu.created", &order)
        .header("tenant", "a")
        .key("17")
        .message_id("m1")
        .await
        .unwrap();
    publisher.publish("orders.eu.deleted", "not asked for").await.unwrap();
    publisher.publish("orders.us.created", Json(&order)).await.unwrap();

    let first = timeout(PATIENCE, orders.next()).await.unwrap().unwrap();
    assert_eq!((first.subject(), first.encoding()), ("orders.eu.created", Encoding::Postcard));
    assert_eq!(first.decode::<Order>().unwrap(), order);
    assert_eq!(first.header("tenant"), Some(Value::Str("a")));
    assert_eq!((first.key(), first.message_id()), (Some(&b"17"[..]), Some(&b"m1"[..])));
    let second = timeout(PATIENCE, orders.next()).await.unwrap().unwrap();
    assert_eq!((second.subject(), second.encoding()), ("orders.us.created", Encoding::Json));
    assert_eq!(second.decode::<Order>().unwrap(), order);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_is_delivered_in_order_or_counted_as_dropped() {
    const MESSAGES: u32 = 300_000;
    let node = RunningNode::start();
    let (publisher, subscriber) = (client(&node, "p").await, client(&node, "s").await);
    let mut numbers = subscriber.subscribe("n").await.unwrap();
    let publishing = tokio::spawn(async move {
        for n in 0..MESSAGES {
            publisher.publish("n", &n.to_le_bytes()[..]).await.unwrap();
        }
        publisher.publish("n", "end").await.unwrap();
        publisher.flush().await.unwrap();
    });
    let (mut received, mut last) = (0u64, None);
    loop {
        let message = timeout(PATIENCE, numbers.next()).await.unwrap().unwrap();
        let Ok(number) = message.as_bytes().try_into().map(u32::from_le_bytes) else { break };
        assert!(last < Some(number), "{last:?} before {number}");
        last = Some(number);
        received += 1;
    }
    timeout(PATIENCE, publishing).await.unwrap().unwrap();
    // The node tells of drops behind what it delivers.
    subscriber.flush().await.unwrap();
    assert_eq!(received + numbers.dropped(), u64::from(MESSAGES));
}

#[tokio::test]
async fn members_of_a_group_share_and_others_get_everything() {
    const MESSAGES: usize = 200;
    let node = RunningNode::start();
    let mesh = client(&node, "c").await;
    let mut one = mesh.subscribe("jobs.>").group("workers").await.unwrap();
    let mut two = mesh.subscribe("jobs.*").group("workers").await.unwrap();
    let mut all = mesh.subscribe(">").await.unwrap();
    for n in 0..MESSAGES {
        mesh.publish("jobs.do", format!("{n}")).await.unwrap();
    }
    let mut seen = HashSet::new();
    for _ in 0..MESSAGES {
        let message = tokio::select! {
            message = one.next() => message,
            message = two.next() => message,
            () = tokio::time::sleep(PATIENCE) => panic!("{} of {MESSAGES} came", seen.len()),
        };
        assert!(seen.insert(message.unwrap().text().unwrap().to_owned()), "each once");
        assert!(timeout(PATIENCE, all.next()).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn the_largest_body_goes_through_and_one_byte_more_does_not() {
    let node = RunningNode::start();
    let mesh = client(&node, "c").await;
    let limit = usize::try_from(mesh.node_info().unwrap().body_bytes_max).unwrap();
    let mut large = mesh.subscribe("large").await.unwrap();
    let body: Vec<u8> = (0..limit).map(|i| (i / 7) as u8).collect();
    mesh.publish("large", body.as_slice()).header("h", "v").await.unwrap();
    mesh.publish("large", "after").await.unwrap();
    let got = timeout(PATIENCE, large.next()).await.unwrap().unwrap();
    assert!(got.body() == body);
    assert_eq!(got.header("h"), Some(Value::Str("v")));
    assert_eq!(timeout(PATIENCE, large.next()).await.unwrap().unwrap().as_bytes(), b"after");
    let error = mesh.publish("large", vec![0; limit + 1]).await.unwrap_err();
    assert_eq!(error.code(), Code::BodyTooLarge);
    mesh.flush().await.unwrap();
}

#[tokio::test]
async fn a_subscriber_that_does_not_read_loses_by_its_policy_and_is_told() {
    const MESSAGES: u64 = 500;
    let node = RunningNode::start();
    let (publisher, subscriber) = (client(&node, "p").await, client(&node, "s").await);
    let mut events = subscriber.events();
    for (policy, first) in [(SlowPolicy::DropNewest, 0), (SlowPolicy::DropOldest, 0)] {
        let builder = subscriber.subscribe("n").capacity(10).pending(20, 0).on_slow(policy);
        let mut slow = builder.await.unwrap();
        for n in 0..MESSAGES {
            publisher.publish("n", &n.to_le_bytes()[..]).await.unwrap();
        }
        publisher.flush().await.unwrap();
        let mut dropped = 0;
        while dropped < MESSAGES - 30 {
            match timeout(PATIENCE, events.next()).await.unwrap().unwrap() {
                ConnectionEvent::SlowConsumer { subscription, dropped: more, .. } => {
                    assert_eq!(subscription, slow.id());
                    dropped += more;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((dropped, slow.dropped()), (MESSAGES - 30, MESSAGES - 30), "{policy:?}");
        let mut got = Vec::new();
        for _ in 0..30 {
            let message = timeout(PATIENCE, slow.next()).await.unwrap().unwrap();
            got.push(u64::from_le_bytes(message.as_bytes().try_into().unwrap()));
        }
        assert_eq!(got[0], first, "what had credit came at once");
        let rest: Vec<u64> = match policy {
            SlowPolicy::DropNewest => (10..30).collect(),
            _ => (MESSAGES - 20..MESSAGES).collect(),
        };
        assert_eq!(got[10..], rest, "{policy:?}");
    }

    let builder = subscriber.subscribe("n").capacity(10).pending(20, 0).on_slow(SlowPolicy::Close);
    let mut closed = builder.await.unwrap();
    for _ in 0..100 {
        publisher.publish("n", "x").await.unwrap();
    }
    let mut got = 0;
    let error = loop {
        match timeout(PATIENCE, closed.try_next()).await.unwrap() {
            Ok(message) => got += usize::from(message.is_some()),
            Err(error) => break error,
        }
    };
    assert_eq!((got, error.code()), (10, Code::SubscriptionOverflow));
}

#[tokio::test]
async fn an_unsubscribed_pattern_costs_nobody_anything() {
    let node = RunningNode::start();
    let mesh = client(&node, "c").await;
    let mut kept = mesh.subscribe("a").await.unwrap();
    for _ in 0..50 {
        let short = mesh.subscribe("a").await.unwrap();
        mesh.publish("a", "x").await.unwrap();
        drop(short);
    }
    mesh.flush().await.unwrap();
    for _ in 0..50 {
        assert!(timeout(PATIENCE, kept.next()).await.unwrap().is_some());
    }
    // The node says so once its routing table has followed.
    let patience = tokio::time::Instant::now() + PATIENCE;
    loop {
        let info = mesh.request("$mesh.node.info", "").await.unwrap();
        let info: serde_json::Value = serde_json::from_slice(info.as_bytes()).unwrap();
        if info["subscriptions"] == 1 {
            break;
        }
        assert!(tokio::time::Instant::now() < patience, "{info}");
    }
    assert!(timeout(Duration::from_millis(20), kept.next()).await.is_err(), "nothing came twice");
}
