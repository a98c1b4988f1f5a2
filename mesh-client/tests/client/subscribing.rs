use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::task::{Context, Waker};

use futures_util::StreamExt;
use mesh_client::{Client, Code, ConnectionEvent, SlowPolicy, Subscription};
use mesh_wire::body::{ModeV1, OverflowV1};
use mesh_wire::ext::ExtBuilder;
use mesh_wire::frame::{Flags, Kind, Parts};

use crate::fake_node::{FakeLink, FakeNode, event, soon};

async fn subscribe(client: &Client, link: &mut FakeLink, capacity: u32) -> Subscription {
    let (subscription, _) =
        tokio::join!(client.subscribe("a.>").capacity(capacity).into_future(), link.subscribed());
    subscription.unwrap()
}

fn deliver<'a>(subscription: &Subscription, subject: &'a str, body: &'a [u8]) -> Parts<'a> {
    Parts { subject: subject.as_bytes(), ..Parts::bare(Kind::Deliver, subscription.id().into()).body(body) }
}

#[tokio::test]
async fn a_subscription_says_what_it_wants_and_waits_for_the_node() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let builder = client.subscribe("a.*").group("g").capacity(64).pending(10, 20).on_slow(SlowPolicy::Close);
    let mut subscribing = pin!(builder.into_future());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(subscribing.as_mut().poll(&mut cx).is_pending());
    let got = link.expect(Kind::Subscribe).await;
    assert!(subscribing.as_mut().poll(&mut cx).is_pending(), "not before the node has said so");
    let wanted = got.subscription();
    assert_eq!((got.subject.as_str(), wanted.group.as_deref()), ("a.*", Some("g")));
    assert_eq!((wanted.mode, wanted.credit, wanted.overflow), (ModeV1::Events, 64, OverflowV1::Close));
    assert_eq!((wanted.pending_messages, wanted.pending_bytes, wanted.service), (10, 20, None));
    link.confirm(&got).await;
    let subscription = soon(subscribing).await.unwrap();
    assert_eq!((u64::from(subscription.id()), subscription.pattern()), (got.id, "a.*"));
}

#[tokio::test]
async fn messages_come_in_order_in_every_way_of_taking_them() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut subscription = subscribe(&client, &mut link, 100).await;
    let bodies: Vec<[u8; 1]> = (0..6).map(|i| [i]).collect();
    let frames: Vec<_> = bodies.iter().map(|body| deliver(&subscription, "a.b", body)).collect();
    link.send_all(&frames).await;
    let first = soon(subscription.next()).await.unwrap();
    assert_eq!((first.subject(), first.as_bytes()), ("a.b", &[0][..]));
    assert_eq!(soon(subscription.try_next()).await.unwrap().unwrap().as_bytes(), [1]);
    assert_eq!(soon(StreamExt::next(&mut subscription)).await.unwrap().as_bytes(), [2]);
    let batch: Vec<_> = soon(subscription.next_batch()).await.unwrap().take(2).collect();
    assert_eq!(batch.iter().map(|m| m.as_bytes()[0]).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(soon(subscription.next()).await.unwrap().as_bytes(), [5], "what a batch left is there");
}

#[tokio::test]
async fn messages_can_be_looked_at_without_being_taken_along() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut subscription = subscribe(&client, &mut link, 100).await;
    let bodies: Vec<[u8; 1]> = (0..8).map(|i| [i]).collect();
    let frames: Vec<_> = bodies.iter().map(|body| deliver(&subscription, "a.b", body)).collect();
    link.send_all(&frames[..4]).await;
    link.send_all(&[Parts::bare(Kind::Ping, 1)]).await;
    link.expect(Kind::Pong).await;
    link.send_all(&frames[4..]).await;
    link.send_all(&[Parts::bare(Kind::Ping, 1)]).await;
    link.expect(Kind::Pong).await;

    let mut seen = Vec::new();
    let mut batch = soon(subscription.next_batch()).await.unwrap();
    seen.push(batch.next_ref().unwrap().as_bytes()[0]);
    let kept = batch.next_ref().unwrap().clone();
    seen.push(kept.body()[0]);
    seen.push(batch.next().unwrap().as_bytes()[0]);
    seen.push(soon(subscription.next()).await.unwrap().as_bytes()[0]);
    let mut batch = soon(subscription.next_batch()).await.unwrap();
    while let Some(message) = batch.next_ref() {
        seen.push(message.as_bytes()[0]);
    }
    assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(kept.body().len(), 1);
    link.send(&deliver(&subscription, "a.b", b"x")).await;
    assert_eq!(soon(subscription.next()).await.unwrap().as_bytes(), b"x");
}

#[tokio::test]
async fn credit_goes_back_when_half_of_it_is_used() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut subscription = subscribe(&client, &mut link, 4).await;
    for round in 0..3 {
        let frame = deliver(&subscription, "a.b", b"x");
        link.send_all(&[frame, frame]).await;
        soon(subscription.next()).await.unwrap();
        link.expect_nothing_before_ping(&client).await;
        soon(subscription.next()).await.unwrap();
        let credit = link.expect(Kind::Credit).await;
        assert_eq!((credit.id, credit.aux), (subscription.id().into(), 2), "round {round}");
    }
}

#[tokio::test]
async fn a_dropped_subscription_unsubscribes() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let subscription = subscribe(&client, &mut link, 4).await;
    let id = subscription.id();
    drop(subscription);
    assert_eq!(link.expect(Kind::Unsubscribe).await.id, u64::from(id));

    let subscription = subscribe(&client, &mut link, 4).await;
    assert_ne!(subscription.id(), id, "what is on its way for the old one is not for the new one");
}

#[tokio::test]
async fn a_subscription_that_nobody_waits_for_is_taken_back() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    {
        let mut subscribing = pin!(client.subscribe("a").into_future());
        assert!(subscribing.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let got = link.expect(Kind::Subscribe).await;
    assert_eq!(link.expect(Kind::Unsubscribe).await.id, got.id);
}

#[tokio::test]
async fn unsubscribing_leaves_what_is_there() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut subscription = subscribe(&client, &mut link, 4).await;
    let frame = deliver(&subscription, "a.b", b"x");
    link.send_all(&[frame, frame, Parts::bare(Kind::Ping, 1)]).await;
    link.expect(Kind::Pong).await;
    subscription.unsubscribe();
    assert!(soon(subscription.next()).await.is_some());
    assert!(soon(subscription.next()).await.is_some());
    assert!(soon(subscription.try_next()).await.unwrap().is_none());
    assert!(subscription.error().is_none());
}

#[tokio::test]
async fn a_refused_subscription_is_an_error() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let (result, ()) = tokio::join!(client.subscribe("a").into_future(), async {
        let got = link.expect(Kind::Subscribe).await;
        link.refuse(Kind::Subscribe, got.id, Code::PermissionDenied, Flags::NONE).await;
    });
    assert_eq!(result.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn what_is_wrong_is_said_before_it_is_sent() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let table = [
        (client.subscribe("a..b").await, Code::SubjectMalformed),
        (client.subscribe("$mesh.>").await, Code::SubjectReserved),
        (client.subscribe("a").group("No Name").await, Code::NameMalformed),
        (client.subscribe("a").capacity(0).await, Code::CreditOutOfRange),
        (client.subscribe("a").capacity(65_536).await, Code::CreditOutOfRange),
        (client.subscribe("a").pending(1_048_577, 0).await, Code::PendingLimitOutOfRange),
    ];
    for (result, code) in table {
        assert_eq!(result.unwrap_err().code(), code);
    }
    link.expect_nothing_before_ping(&client).await;
}

#[tokio::test]
async fn drops_are_counted_and_told() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut events = client.events();
    let subscription = subscribe(&client, &mut link, 4).await;
    link.send(&Parts::bare(Kind::Dropped, subscription.id().into()).aux(7)).await;
    let told = event(&mut events, |e| match e {
        ConnectionEvent::SlowConsumer { subscription, pattern, dropped } => {
            Some((subscription, pattern, dropped))
        }
        _ => None,
    })
    .await;
    assert_eq!(told, (subscription.id(), "a.>".to_owned(), 7));
    assert_eq!(subscription.dropped(), 7);
}

#[tokio::test]
async fn a_subscription_closed_by_its_policy_says_so_after_its_messages() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut subscription = subscribe(&client, &mut link, 4).await;
    link.send(&deliver(&subscription, "a.b", b"last")).await;
    link.refuse(Kind::Subscribe, subscription.id().into(), Code::SubscriptionOverflow, Flags::NONE).await;
    assert_eq!(soon(subscription.next()).await.unwrap().as_bytes(), b"last");
    assert_eq!(soon(subscription.try_next()).await.unwrap_err().code(), Code::SubscriptionOverflow);
    assert_eq!(subscription.error().unwrap().code(), Code::SubscriptionOverflow);
}

#[tokio::test]
async fn messages_in_chunks_come_whole_between_others() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut subscription = subscribe(&client, &mut link, 9).await;
    let body: Vec<u8> = (0..300_000u32).map(|i| i as u8).collect();
    let (first, rest) = body.split_at(200_000);
    let mut ext = ExtBuilder::new();
    ext.push_chunk(3, body.len() as u64).unwrap();
    let opening = Parts { ext: ext.as_bytes(), ..deliver(&subscription, "a.large", first) };
    link.send_all(&[
        opening,
        deliver(&subscription, "a.small", b"x"),
        Parts::bare(Kind::Chunk, 3).body(rest),
    ])
    .await;
    assert_eq!(soon(subscription.next()).await.unwrap().subject(), "a.small");
    let large = soon(subscription.next()).await.unwrap();
    assert_eq!(large.subject(), "a.large");
    assert!(large.body() == body);
}

#[tokio::test]
async fn what_is_for_nobody_is_ignored() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    link.send_all(&[Parts::bare(Kind::Deliver, 99).body(b"x"), Parts::bare(Kind::Dropped, 99).aux(1)]).await;
    link.expect_nothing_before_ping(&client).await;
}
