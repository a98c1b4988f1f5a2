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
    outbox.up(Epoch(1), BytesMut::new(), true);
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
    outbox.poll_large(&parts, &body, Lane::Subject(subject), &mut Place::default(), &cx)
}

/// Kinds and subjects of all that waits.
fn drain(outbox: &Outbox) -> Vec<(Kind, String)> {
    let mut all = Vec::new();
    let mut bytes = BytesMut::new();
    while outbox.poll_take(&mut bytes, &Context::from_waker(Waker::noop())).is_ready() {
        let mut at = 0;
        while let Some(frame) = Frame::decode(&bytes[at..]).unwrap() {
            all.push((frame.kind(), String::from_utf8(frame.subject().to_vec()).unwrap()));
            at += frame.len();
        }
        bytes.clear();
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
    assert!(outbox.poll_take(&mut BytesMut::new(), &Context::from_waker(&waker)).is_pending());
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
    assert_eq!(outbox.state.lock().waiting.len(), 1, "noted once");
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
    outbox.up(Epoch(1), BytesMut::new(), true);
    assert_eq!(send(&outbox, "a", b"x"), OK);
    outbox.down();
    assert!(outbox.is_empty(), "what waited is gone with its link");
    outbox.close();
    assert_eq!(send(&outbox, "a", b"x"), Poll::Ready(Err(Refusal::Closed)));
    outbox.up(Epoch(2), BytesMut::new(), true);
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
    outbox.up(Epoch(1), restore, true);
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
    outbox.up(Epoch(1), restore, false);
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
    assert!(outbox.poll_behind(&ping, &mut behind, &mut place, &Context::from_waker(&waker)).is_pending());
    // One that is taken later need not be waited for.
    assert!(send_large(&outbox, "b", limits::CHUNK_BYTES * 9).is_ready());
    let mut rounds = 0;
    let mut bytes = BytesMut::new();
    let cx = Context::from_waker(Waker::noop());
    while outbox.poll_behind(&ping, &mut behind, &mut place, &Context::from_waker(&waker)).is_pending() {
        let before = woken.get();
        assert!(outbox.poll_take(&mut bytes, &cx).is_ready());
        assert!(woken.get() > before, "who waits is told to look again");
        bytes.clear();
        rounds += 1;
    }
    assert!(!outbox.is_empty(), "the other one is still on its way");
    assert!(rounds >= 2, "each chunk is a round");
    outbox.down();
    assert_eq!(outbox.poll_behind(&ping, &mut None, &mut place, &cx), Poll::Ready(Err(Refusal::Down)));
}
