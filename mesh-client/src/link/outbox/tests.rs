use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use mesh_wire::frame::{Frame, Kind};
use mesh_wire::limits;

use super::*;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn up() -> Outbox {
    let outbox = Outbox::new();
    outbox.up(Epoch(1), LaneMap::SHARED, BytesMut::new(), true);
    outbox
}

fn publish(
    outbox: &Outbox,
    subject: &str,
    body: &[u8],
    place: &mut Place,
    waker: &Waker,
) -> Poll<Result<(), Refusal>> {
    let parts = Parts { subject: subject.as_bytes(), ..Parts::bare(Kind::Publish, 0).body(body) };
    outbox.poll_publish(&parts, subject, place, &Context::from_waker(waker))
}

fn send(outbox: &Outbox, subject: &str, body: &[u8]) -> Poll<Result<(), Refusal>> {
    publish(outbox, subject, body, &mut Place::default(), Waker::noop())
}

fn send_large(outbox: &Outbox, subject: &str, len: usize) -> Poll<Result<(), Refusal>> {
    let parts = Parts { subject: subject.as_bytes(), ..Parts::bare(Kind::Publish, 0) };
    let (body, cx) = (Bytes::from(vec![0; len]), Context::from_waker(Waker::noop()));
    outbox.poll_large(&parts, &body, Order::Subject(subject), &mut Place::default(), &cx)
}

/// The bytes that wait in the one lane that there is.
fn take(outbox: &Outbox, waker: &Waker) -> Option<Bytes> {
    let mut lanes = [Bytes::new()];
    outbox.take(&mut lanes, &mut Spares::default(), &Context::from_waker(waker)).then(|| lanes[0].clone())
}

/// Kinds and subjects of all that waits.
fn drain(outbox: &Outbox) -> Vec<(Kind, String)> {
    let mut all = Vec::new();
    while let Some(bytes) = take(outbox, Waker::noop()) {
        let mut at = 0;
        while let Some(frame) = Frame::decode(&bytes[at..]).unwrap() {
            all.push((frame.kind(), String::from_utf8(frame.subject().to_vec()).unwrap()));
            at += frame.len();
        }
    }
    all
}

const OK: Poll<Result<(), Refusal>> = Poll::Ready(Ok(()));

#[test]
fn frames_leave_in_order() {
    let outbox = up();
    for subject in ["a", "b", "a"] {
        assert_eq!(send(&outbox, subject, b"x"), OK);
    }
    assert!(!outbox.is_empty());
    let subjects: Vec<_> = drain(&outbox).into_iter().map(|(_, subject)| subject).collect();
    assert_eq!(subjects, ["a", "b", "a"]);
    assert!(outbox.is_empty());
}

#[test]
fn the_writer_is_woken_once_while_it_sleeps() {
    let outbox = up();
    let writer = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&writer));
    assert!(take(&outbox, &waker).is_none());
    for _ in 0..5 {
        assert_eq!(send(&outbox, "a", b"x"), OK);
    }
    assert_eq!(writer.get(), 1);
}

#[test]
fn a_full_outbox_makes_senders_wait() {
    let outbox = up();
    let body = vec![0; 1_000];
    let frame = 24 + 1 + body.len();
    let mut sent = 0;
    while sent * frame < OUTBOX_BYTES {
        assert_eq!(send(&outbox, "a", &body), OK);
        sent += 1;
    }
    let sender = Arc::new(Count::default());
    let (waker, mut place) = (Waker::from(Arc::clone(&sender)), Place::default());
    for _ in 0..3 {
        assert!(publish(&outbox, "a", &body, &mut place, &waker).is_pending());
    }
    assert_eq!(outbox.state.lock().lanes[0].waiting.len(), 1, "noted once");
    outbox.push_control(&Parts::bare(Kind::Credit, 1));
    assert_eq!(drain(&outbox).len(), sent + 1, "what the protocol needs goes in any case");
    assert_eq!(sender.get(), 1);
    assert_eq!(publish(&outbox, "a", &body, &mut place, &waker), OK);
}

#[test]
fn without_a_link_nothing_is_taken() {
    let outbox = Outbox::new();
    assert_eq!(send(&outbox, "a", b"x"), Poll::Ready(Err(Refusal::Down)));
    assert_eq!(outbox.try_control(&Parts::bare(Kind::Ping, 1)), Err(Refusal::Down));
    outbox.up(Epoch(1), LaneMap::SHARED, BytesMut::new(), true);
    assert_eq!(send(&outbox, "a", b"x"), OK);
    outbox.down();
    assert!(outbox.is_empty(), "what waited is gone with its link");
    outbox.close();
    assert_eq!(send(&outbox, "a", b"x"), Poll::Ready(Err(Refusal::Closed)));
    outbox.up(Epoch(2), LaneMap::SHARED, BytesMut::new(), true);
    assert_eq!(send(&outbox, "a", b"x"), Poll::Ready(Err(Refusal::Closed)), "closed for good");
}

#[test]
fn what_is_restored_goes_first() {
    let outbox = Outbox::new();
    let mut restore = BytesMut::new();
    Parts::bare(Kind::Subscribe, 1).encode(&mut restore).unwrap();
    let (waiter, mut place) = (Arc::new(Count::default()), Place::default());
    let waker = Waker::from(Arc::clone(&waiter));
    assert!(outbox.poll_up(&mut place, &Context::from_waker(&waker)).is_pending());
    outbox.up(Epoch(1), LaneMap::SHARED, restore, true);
    assert_eq!(waiter.get(), 1);
    assert_eq!(send(&outbox, "a", b"x"), OK);
    let kinds: Vec<_> = drain(&outbox).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [Kind::Subscribe, Kind::Publish]);
}

#[test]
fn a_paused_outbox_makes_messages_wait_and_lets_replies_through() {
    let outbox = up();
    outbox.pause();
    assert!(send(&outbox, "a", b"x").is_pending());
    let (reply, cx) = (Parts::bare(Kind::Reply, 7), Context::from_waker(Waker::noop()));
    let mut place = Place::default();
    assert_eq!(outbox.poll_reply(Epoch(1), &reply, None, &mut place, &cx), OK);
    assert_eq!(outbox.poll_reply(Epoch(2), &reply, None, &mut place, &cx), Poll::Ready(Err(Refusal::Stale)));
    assert_eq!(drain(&outbox).len(), 1);
}

#[test]
fn messages_wait_until_everything_is_restored() {
    let outbox = Outbox::new();
    let mut restore = BytesMut::new();
    Parts::bare(Kind::Subscribe, 1).encode(&mut restore).unwrap();
    outbox.up(Epoch(1), LaneMap::SHARED, restore, false);
    let (sender, mut place) = (Arc::new(Count::default()), Place::default());
    let waker = Waker::from(Arc::clone(&sender));
    assert!(publish(&outbox, "a", b"x", &mut place, &waker).is_pending());
    assert!(outbox.poll_up(&mut Place::default(), &Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(drain(&outbox), [(Kind::Subscribe, String::new())]);
    let woken = sender.get();
    outbox.resume();
    assert_eq!(sender.get(), woken + usize::from(woken == 0), "told at least once");
    assert_eq!(publish(&outbox, "a", b"x", &mut place, &waker), OK);
    outbox.down();
    outbox.resume();
    assert_eq!(send(&outbox, "a", b"x"), Poll::Ready(Err(Refusal::Down)), "there is nothing to resume");
}

#[test]
fn subjects_are_checked() {
    let outbox = up();
    assert_eq!(send(&outbox, "a.b", b""), OK);
    for subject in ["", "a..b", "a.*", "$mesh.x", "a b"] {
        for _ in 0..2 {
            let refused = matches!(send(&outbox, subject, b""), Poll::Ready(Err(Refusal::Subject(_))));
            assert!(refused, "{subject:?}");
        }
    }
    assert_eq!(send(&outbox, "a.b", b""), OK);
    assert_eq!(drain(&outbox).len(), 2);
}

#[test]
fn nothing_overtakes_a_large_message_on_its_subject() {
    let outbox = up();
    assert_eq!(send_large(&outbox, "a", 3 * limits::CHUNK_BYTES), OK);
    assert!(send(&outbox, "a", b"x").is_pending());
    assert!(send_large(&outbox, "a", 3 * limits::CHUNK_BYTES).is_pending());
    assert_eq!(send(&outbox, "b", b"x"), OK);
    let kinds: Vec<_> = drain(&outbox).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Chunk).count(), 2);
    assert_eq!(send(&outbox, "a", b"x"), OK);
}

#[test]
fn large_messages_under_way_are_bounded() {
    let outbox = up();
    for subject in ["a", "b", "c", "d"] {
        assert_eq!(send_large(&outbox, subject, limits::CHUNK_BYTES + 1), OK);
    }
    assert!(send_large(&outbox, "e", limits::CHUNK_BYTES + 1).is_pending());
    drain(&outbox);
    assert_eq!(send_large(&outbox, "e", limits::CHUNK_BYTES + 1), OK);
}

#[test]
fn a_ping_goes_behind_the_large_messages_that_were_taken_before() {
    let outbox = up();
    let waker = Arc::new(Count::default());
    let (waker, woken) = (Waker::from(Arc::clone(&waker)), waker);
    let ping = Parts::bare(Kind::Ping, 7);
    let (mut behind, mut place) = (None, Place::default());
    assert!(send_large(&outbox, "a", limits::CHUNK_BYTES * 2).is_ready());
    assert!(
        outbox
            .poll_behind(Class::Control, &ping, &mut behind, &mut place, &Context::from_waker(&waker))
            .is_pending()
    );
    // One that is taken later need not be waited for.
    assert!(send_large(&outbox, "b", limits::CHUNK_BYTES * 9).is_ready());
    let mut rounds = 0;
    let cx = Context::from_waker(Waker::noop());
    while outbox
        .poll_behind(Class::Control, &ping, &mut behind, &mut place, &Context::from_waker(&waker))
        .is_pending()
    {
        let before = woken.get();
        assert!(take(&outbox, Waker::noop()).is_some());
        assert!(woken.get() > before, "who waits is told to look again");
        rounds += 1;
    }
    assert!(!outbox.is_empty(), "the other one is still on its way");
    assert!(rounds >= 2, "each chunk is a round");
    outbox.down();
    assert_eq!(
        outbox.poll_behind(Class::Control, &ping, &mut None, &mut place, &cx),
        Poll::Ready(Err(Refusal::Down))
    );
}

/// With a lane for each class.
fn up_with_lanes() -> Outbox {
    let outbox = Outbox::new();
    outbox.up(Epoch(1), LaneMap::EACH, BytesMut::new(), true);
    outbox
}

#[test]
fn each_class_has_its_lane() {
    let outbox = up_with_lanes();
    assert_eq!(outbox.classes_in_use(), [Class::Control]);
    assert_eq!(send(&outbox, "a", b"x"), OK);
    outbox.push_control(&Parts::bare(Kind::Credit, 1));
    outbox.push_control(&Parts::bare(Kind::Cancel, 1));
    let (parts, body) = (Parts::bare(Kind::Request, 1), Bytes::from(vec![0; limits::CHUNK_BYTES + 1]));
    let cx = Context::from_waker(Waker::noop());
    assert_eq!(outbox.poll_large(&parts, &body, Order::Free, &mut Place::default(), &cx), OK);
    assert_eq!(outbox.classes_in_use(), [Class::Control, Class::Request, Class::Publish, Class::Bulk]);
    let mut lanes: [Bytes; Class::COUNT] = Default::default();
    assert!(outbox.take(&mut lanes, &mut Spares::default(), &cx));
    let kind = |bytes: &Bytes| Frame::decode(bytes).unwrap().map(|frame| frame.kind());
    let kinds: Vec<_> = lanes.iter().map(kind).collect();
    let wanted = [Some(Kind::Credit), None, Some(Kind::Cancel), Some(Kind::Publish), Some(Kind::Request)];
    assert_eq!(kinds[..wanted.len()], wanted);
    assert_eq!(up().classes_in_use(), [Class::Control], "one lane for all is asked once");
}

#[test]
fn a_lane_that_does_not_move_holds_up_no_other() {
    let outbox = up_with_lanes();
    let cx = Context::from_waker(Waker::noop());
    let mut lanes: [Bytes; Class::COUNT] = Default::default();
    let mut spares = Spares::default();
    // The publish lane is full, before and behind the task.
    let body = vec![0; 100_000];
    while send(&outbox, "a", &body) == OK {}
    assert!(outbox.take(&mut lanes, &mut spares, &cx));
    while send(&outbox, "a", &body) == OK {}
    let writer = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&writer));
    assert!(!outbox.take(&mut lanes, &mut spares, &Context::from_waker(&waker)));
    assert!(send(&outbox, "a", b"x").is_pending());
    assert_eq!(writer.get(), 0, "there is nothing to write for it");
    let request = Parts { subject: b"a", ..Parts::bare(Kind::Request, 1) };
    assert_eq!(outbox.poll_frame(&request, &mut Place::default(), &cx), OK);
    outbox.push_control(&Parts::bare(Kind::Credit, 1));
    assert_eq!(writer.get(), 1);
    assert!(outbox.take(&mut lanes, &mut spares, &cx));
    assert!(!lanes[Class::Request.index()].is_empty() && !lanes[Class::Control.index()].is_empty());
    // Who waits for the full lane is told when it moves, not before.
    let (sender, mut place) = (Arc::new(Count::default()), Place::default());
    let waker = Waker::from(Arc::clone(&sender));
    assert!(publish(&outbox, "a", b"x", &mut place, &waker).is_pending());
    lanes[Class::Request.index()].clear();
    assert_eq!(outbox.poll_frame(&request, &mut Place::default(), &cx), OK);
    assert!(outbox.take(&mut lanes, &mut spares, &cx));
    assert_eq!(sender.get(), 0);
    lanes[Class::Publish.index()].clear();
    assert!(outbox.take(&mut lanes, &mut spares, &cx));
    assert_eq!(sender.get(), 1);
    assert_eq!(publish(&outbox, "a", b"x", &mut place, &waker), OK);
}
