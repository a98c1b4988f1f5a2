use std::sync::Arc;
use std::task::Wake;

use bytes::BytesMut;
use mesh_wire::body::OverflowV1;
use mesh_wire::frame::Frame;

use super::*;
use crate::link::outbox::{LaneMap, Spares};

fn spec(mode: ModeV1, capacity: u32) -> SubscribeV1 {
    SubscribeV1 {
        group: None,
        mode,
        credit: capacity,
        pending_messages: 0,
        pending_bytes: 0,
        overflow: OverflowV1::DropOldest,
        service: None,
    }
}

fn feed(policy: SlowPolicy, bytes_max: usize) -> Feed {
    Feed { bytes_max, ..Feed::new(7, "a.b", policy, spec(ModeV1::Events, 100)) }
}

fn frames(fill: u8, len: usize, messages: u32) -> Item {
    Item::Frames { bytes: Bytes::from(vec![fill; len]), messages }
}

fn up() -> Outbox {
    let outbox = Outbox::new();
    outbox.up(Epoch(1), LaneMap::SHARED, BytesMut::new(), true);
    outbox
}

/// What was sent by the client, as kind, id and aux.
fn sent(outbox: &Outbox) -> Vec<(Kind, u64, u32)> {
    let mut bytes = Bytes::new();
    let cx = Context::from_waker(Waker::noop());
    if !outbox.take(std::slice::from_mut(&mut bytes), &mut Spares::default(), &cx) {
        return Vec::new();
    }
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(frame) = Frame::decode(&bytes[at..]).unwrap() {
        all.push((frame.kind(), frame.id(), frame.aux()));
        at += frame.len();
    }
    all
}

fn take(feed: &Feed, seen: Epoch) -> Poll<Option<(Epoch, Vec<u8>)>> {
    let mut items = VecDeque::new();
    feed.poll_take(&mut items, seen, &Context::from_waker(Waker::noop())).map(|epoch| {
        let first = |item: Item| match item {
            Item::Frames { bytes, .. } => bytes[0],
            Item::Message(message) => message.as_bytes()[0],
        };
        epoch.map(|epoch| (epoch, items.into_iter().map(first).collect()))
    })
}

#[test]
fn items_come_in_order_and_then_the_end() {
    let (feed, outbox) = (feed(SlowPolicy::DropOldest, 1_000), up());
    assert!(take(&feed, Epoch(0)).is_pending());
    for fill in 1..=3 {
        assert_eq!(feed.push(frames(fill, 10, 1), &outbox), Overflow::default());
    }
    feed.end(End::OnPurpose);
    feed.push(frames(4, 10, 1), &outbox);
    assert_eq!(take(&feed, Epoch(0)), Poll::Ready(Some((Epoch(0), vec![1, 2, 3]))));
    assert_eq!(take(&feed, Epoch(0)), Poll::Ready(None));
}

#[test]
fn the_first_end_counts() {
    let feed = feed(SlowPolicy::Close, 1_000);
    feed.end(End::Failed(Error::of(Code::SubscriptionOverflow)));
    feed.end(End::OnPurpose);
    assert!(matches!(feed.ended(), Some(End::Failed(_))));
}

#[test]
fn bytes_are_bounded_by_the_policy() {
    for (policy, left, dropped) in
        [(SlowPolicy::DropOldest, vec![2, 3], 5), (SlowPolicy::DropNewest, vec![1, 2], 7)]
    {
        let (feed, outbox) = (feed(policy, 100), up());
        feed.push(frames(1, 50, 5), &outbox);
        assert_eq!(feed.push(frames(2, 50, 6), &outbox), Overflow::default(), "exactly full");
        assert_eq!(feed.push(frames(3, 1, 7), &outbox), Overflow { dropped, closed: false }, "one too many");
        assert_eq!(feed.dropped(), u64::from(dropped));
        assert_eq!(sent(&outbox), [(Kind::Credit, 7, dropped)], "the node may send as many more");
        assert_eq!(take(&feed, Epoch(0)), Poll::Ready(Some((Epoch(0), left))));
    }
}

#[test]
fn a_subscription_may_rather_end_than_lose() {
    let (feed, outbox) = (feed(SlowPolicy::Close, 100), up());
    feed.push(frames(1, 100, 1), &outbox);
    assert_eq!(feed.push(frames(2, 1, 1), &outbox), Overflow { dropped: 0, closed: true });
    match feed.ended() {
        Some(End::Failed(error)) => assert_eq!(error.code(), Code::SubscriptionOverflow),
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_item_always_fits() {
    let (feed, outbox) = (feed(SlowPolicy::DropOldest, 100), up());
    assert_eq!(feed.push(frames(1, 1_000, 1), &outbox), Overflow::default());
    assert_eq!(feed.push(frames(2, 1_000, 1), &outbox), Overflow { dropped: 1, closed: false });
    assert_eq!(take(&feed, Epoch(0)), Poll::Ready(Some((Epoch(0), vec![2]))));
}

#[test]
fn small_runs_behind_others_are_copied() {
    let (feed, outbox) = (feed(SlowPolicy::DropOldest, 1_000_000), up());
    let buffer = Bytes::from(vec![1; 4 * COPIED_BELOW_BYTES]);
    let item = |bytes: &Bytes, len| Item::Frames { bytes: bytes.slice(..len), messages: 1 };
    for len in [1, 1, COPIED_BELOW_BYTES - 1, COPIED_BELOW_BYTES] {
        feed.push(item(&buffer, len), &outbox);
    }
    let mut items = VecDeque::new();
    assert!(feed.poll_take(&mut items, Epoch(0), &Context::from_waker(Waker::noop())).is_ready());
    let shared: Vec<bool> = items
        .iter()
        .map(|item| matches!(item, Item::Frames { bytes, .. } if bytes.as_ptr() == buffer.as_ptr()))
        .collect();
    assert_eq!(shared, [true, false, false, true]);
}

#[test]
fn a_new_link_gets_the_credit_that_is_free() {
    let (feed, outbox) = (feed(SlowPolicy::DropOldest, 1_000), up());
    assert_eq!(feed.relink(Epoch(1)).unwrap().credit, 100);
    feed.push(frames(1, 10, 30), &outbox);
    assert_eq!(feed.relink(Epoch(2)).unwrap().credit, 70);
    assert_eq!(take(&feed, Epoch(2)), Poll::Ready(Some((Epoch(2), vec![1]))));
    assert_eq!(feed.relink(Epoch(3)).unwrap().credit, 70, "the consumer holds them");
    feed.return_credit(30, &outbox);
    assert_eq!(sent(&outbox), [(Kind::Credit, 7, 30)]);
    assert_eq!(feed.relink(Epoch(4)).unwrap().credit, 100);
    feed.end(End::OnPurpose);
    assert_eq!(feed.relink(Epoch(5)), None);
}

#[test]
fn calls_of_an_old_link_are_forgotten_and_the_new_link_is_told() {
    let feed = Feed::new(7, "a.b", SlowPolicy::DropNewest, spec(ModeV1::Responder, 9));
    let outbox = up();
    feed.set_epoch(Epoch(1));
    feed.push(frames(1, 10, 1), &outbox);
    assert_eq!(feed.relink(Epoch(2)).unwrap().credit, 9);
    assert_eq!(take(&feed, Epoch(1)), Poll::Ready(Some((Epoch(2), vec![]))));
    assert!(take(&feed, Epoch(2)).is_pending());
}

#[test]
fn a_retired_feed_ends_with_its_link() {
    let feed = feed(SlowPolicy::DropOldest, 1_000);
    assert!(feed.retire());
    assert!(!feed.retire(), "once");
    assert!(feed.ended().is_none());
    assert_eq!(feed.relink(Epoch(2)), None);
    assert!(matches!(feed.ended(), Some(End::OnPurpose)));
}

#[test]
fn whoever_waits_is_woken() {
    struct Flag(std::sync::atomic::AtomicBool);
    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    type Act = fn(&Feed, &Outbox);
    let acts: [Act; 3] = [
        |feed, outbox| assert_eq!(feed.push(frames(1, 10, 1), outbox), Overflow::default()),
        |feed, _| feed.end(End::OnPurpose),
        |feed, _| feed.confirm(),
    ];
    for act in acts {
        let (feed, outbox) = (feed(SlowPolicy::DropOldest, 1_000), up());
        let flag = Arc::new(Flag(false.into()));
        let waker = Waker::from(Arc::clone(&flag));
        assert!(feed.poll_take(&mut VecDeque::new(), Epoch(0), &Context::from_waker(&waker)).is_pending());
        act(&feed, &outbox);
        assert!(flag.0.load(Ordering::SeqCst));
    }
}
