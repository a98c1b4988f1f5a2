use bytes::BytesMut;
use mesh_wire::frame::{Frame, Kind, Parts};
use proptest::prelude::*;

use super::*;

const BODY: usize = 8;
const FRAME: u32 = 24 + BODY as u32;

fn spec(id: u32, credit: u32, pending: u32, overflow: Overflow) -> Spec {
    Spec {
        id: SubscriptionId(id),
        pattern: Pattern::new("a.b").unwrap(),
        group: None,
        mode: Mode::Events,
        credit,
        pending: PendingLimit { messages: pending, bytes: pending * FRAME },
        overflow,
    }
}

fn core() -> Subscriptions {
    Subscriptions::new(16, 1 << 20)
}

/// A batch of one frame per (subscription, number).
fn batch(messages: &[(u32, u64)]) -> Batch {
    let mut frames = BytesMut::new();
    let mut spans: Vec<Span> = Vec::new();
    for &(subscription, number) in messages {
        let parts = Parts::bare(Kind::Deliver, u64::from(subscription));
        let body = number.to_le_bytes();
        parts.body(&body).encode(&mut frames).unwrap();
        match spans.last_mut() {
            Some(last) if last.subscription.0 == subscription => {
                last.messages += 1;
                last.bytes += FRAME;
            }
            _ => spans.push(Span { subscription: SubscriptionId(subscription), messages: 1, bytes: FRAME }),
        }
    }
    Batch { frames: frames.freeze(), spans }
}

fn run(subscription: u32, numbers: std::ops::Range<u64>) -> Batch {
    batch(&numbers.map(|n| (subscription, n)).collect::<Vec<_>>())
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    delivered: Vec<(u64, u64)>,
    dropped: u32,
    closed: Vec<u32>,
}

fn seen(core: &mut Subscriptions) -> Seen {
    let mut seen = Seen::default();
    while let Some(output) = core.poll_output() {
        match output {
            Output::Frames(bytes) => {
                let mut rest = &bytes[..];
                while let Some(frame) = Frame::decode(rest).unwrap() {
                    seen.delivered.push((frame.id(), u64::from_le_bytes(frame.body().try_into().unwrap())));
                    rest = &rest[frame.len()..];
                }
                assert!(rest.is_empty(), "frames are whole");
            }
            Output::Large(id, large) => {
                seen.delivered.push((u64::from(id.0), u64::from(large.aux)));
            }
            Output::Dropped(_, n) => seen.dropped += n,
            Output::Closed(spec) => seen.closed.push(spec.id.0),
        }
    }
    seen
}

fn numbers(seen: &Seen) -> Vec<u64> {
    seen.delivered.iter().map(|d| d.1).collect()
}

#[test]
fn a_batch_with_credit_leaves_as_it_came() {
    let mut core = core();
    core.subscribe(spec(1, 10, 4, Overflow::DropOldest)).unwrap();
    core.subscribe(spec(2, 10, 4, Overflow::DropOldest)).unwrap();
    let sent = batch(&[(1, 0), (2, 1), (1, 2)]);
    core.handle_batch(&sent);
    match core.poll_output() {
        Some(Output::Frames(bytes)) => assert_eq!(bytes.as_ptr(), sent.frames.as_ptr(), "no copy was made"),
        other => panic!("{other:?}"),
    }
    assert!(core.poll_output().is_none());
}

#[test]
fn credit_is_never_exceeded_and_what_waits_keeps_its_order() {
    let mut core = core();
    core.subscribe(spec(1, 3, 10, Overflow::DropOldest)).unwrap();
    core.handle_batch(&run(1, 0..5));
    assert_eq!(numbers(&seen(&mut core)), [0, 1, 2]);
    core.handle_batch(&run(1, 5..6));
    assert_eq!(numbers(&seen(&mut core)), [] as [u64; 0]);
    core.handle_credit(SubscriptionId(1), 2).unwrap();
    assert_eq!(numbers(&seen(&mut core)), [3, 4]);
    core.handle_credit(SubscriptionId(1), 100).unwrap();
    assert_eq!(numbers(&seen(&mut core)), [5]);
    core.handle_batch(&run(1, 6..8));
    assert_eq!(numbers(&seen(&mut core)), [6, 7]);
}

#[test]
fn overflow_policies_at_the_bound_and_beyond() {
    let table = [
        (Overflow::DropOldest, 5, vec![1, 2, 3, 4, 5], 0),
        (Overflow::DropOldest, 6, vec![2, 3, 4, 5, 6], 1),
        (Overflow::DropOldest, 50, vec![46, 47, 48, 49, 50], 45),
        (Overflow::DropNewest, 5, vec![1, 2, 3, 4, 5], 0),
        (Overflow::DropNewest, 6, vec![1, 2, 3, 4, 5], 1),
        (Overflow::DropNewest, 50, vec![1, 2, 3, 4, 5], 45),
    ];
    for (overflow, count, kept, dropped) in table {
        for at_once in [true, false] {
            let mut core = core();
            core.subscribe(spec(1, 1, 5, overflow)).unwrap();
            if at_once {
                core.handle_batch(&run(1, 0..count + 1));
            } else {
                (0..=count).for_each(|n| core.handle_batch(&run(1, n..n + 1)));
            }
            let first = seen(&mut core);
            assert_eq!(numbers(&first), [0]);
            core.handle_credit(SubscriptionId(1), 100).unwrap();
            assert_eq!(numbers(&seen(&mut core)), kept, "{overflow:?} {count}");
            assert_eq!(first.dropped, dropped);
            assert_eq!(core.statuses(None, 1)[0].dropped, u64::from(dropped));
        }
    }
}

#[test]
fn a_byte_bound_counts_as_well() {
    let mut core = core();
    let mut small = spec(1, 1, 100, Overflow::DropOldest);
    small.pending.bytes = 2 * FRAME;
    core.subscribe(small).unwrap();
    core.handle_batch(&run(1, 0..4));
    assert_eq!(seen(&mut core).dropped, 1);
    core.handle_credit(SubscriptionId(1), 9).unwrap();
    assert_eq!(numbers(&seen(&mut core)), [2, 3]);
}

#[test]
fn the_close_policy_closes_once_and_tells_what_was_lost() {
    let mut core = core();
    core.subscribe(spec(1, 1, 2, Overflow::Close)).unwrap();
    core.subscribe(spec(2, 9, 2, Overflow::Close)).unwrap();
    core.handle_batch(&batch(&[(1, 0), (1, 1), (1, 2), (1, 3), (2, 4), (1, 5)]));
    let got = seen(&mut core);
    assert_eq!(got, Seen { delivered: vec![(1, 0), (2, 4)], dropped: 3, closed: vec![1] });
    assert_eq!(core.take_orphans(), 1);
    assert!(core.get(SubscriptionId(1)).is_none());
    assert_eq!(core.handle_credit(SubscriptionId(1), 1), Err(Code::SubscriptionUnknown));
}

#[test]
fn a_full_outbox_holds_messages_back_and_silences_drop_notices() {
    let mut core = Subscriptions::new(4, 2 * FRAME as usize);
    core.subscribe(spec(1, 100, 2, Overflow::DropOldest)).unwrap();
    core.handle_batch(&run(1, 0..2));
    assert_eq!(numbers(&seen(&mut core)), [0, 1]);
    core.handle_batch(&run(1, 2..6));
    assert_eq!(seen(&mut core), Seen::default(), "no room: nothing leaves, not even the notice");
    core.handle_written(2 * FRAME as usize);
    let got = seen(&mut core);
    assert_eq!(numbers(&got), [4, 5]);
    core.handle_written(2 * FRAME as usize);
    assert_eq!(got.dropped + seen(&mut core).dropped, 2);
}

#[test]
fn pending_subscriptions_take_turns() {
    let mut core = core();
    core.subscribe(spec(1, 1, 4000, Overflow::DropOldest)).unwrap();
    core.subscribe(spec(2, 1, 4000, Overflow::DropOldest)).unwrap();
    core.room = 0;
    core.handle_batch(&run(1, 0..1000));
    core.handle_batch(&run(2, 0..1000));
    core.handle_credit(SubscriptionId(1), 2000).unwrap();
    core.handle_credit(SubscriptionId(2), 2000).unwrap();
    core.handle_written(1 << 20);
    let got = seen(&mut core);
    assert_eq!(got.delivered.len(), 2000);
    let first_of_2 = got.delivered.iter().position(|d| d.0 == 2).unwrap();
    assert!(first_of_2 <= TURN_MESSAGES as usize, "the second waits one turn, not {first_of_2} messages");
}

#[test]
fn limits_hold_at_one_more_and_one_less() {
    let mut core = Subscriptions::new(2, 1024);
    let with_credit = |id, credit| spec(id, credit, 1, Overflow::DropOldest);
    assert_eq!(core.subscribe(with_credit(1, 0)), Err(Code::CreditOutOfRange));
    assert_eq!(core.subscribe(with_credit(1, limits::CREDIT_MAX + 1)), Err(Code::CreditOutOfRange));
    core.subscribe(with_credit(1, limits::CREDIT_MAX)).unwrap();
    assert_eq!(core.handle_credit(SubscriptionId(1), 1), Err(Code::CreditOverflow));
    assert_eq!(core.handle_credit(SubscriptionId(1), u32::MAX), Err(Code::CreditOverflow));
    assert_eq!(core.subscribe(with_credit(1, 1)), Err(Code::SubscriptionIdInUse));
    let mut wide = with_credit(2, 1);
    wide.pending.messages = limits::PENDING_MESSAGES_MAX + 1;
    assert_eq!(core.subscribe(wide.clone()), Err(Code::PendingLimitOutOfRange));
    wide.pending.messages = limits::PENDING_MESSAGES_MAX;
    wide.pending.bytes = limits::PENDING_BYTES_MAX + 1;
    assert_eq!(core.subscribe(wide.clone()), Err(Code::PendingLimitOutOfRange));
    wide.pending.bytes = limits::PENDING_BYTES_MAX;
    core.subscribe(wide).unwrap();
    assert_eq!(core.subscribe(with_credit(3, 1)), Err(Code::TooManySubscriptions));
    core.unsubscribe(SubscriptionId(2)).unwrap();
    core.subscribe(with_credit(3, 1)).unwrap();
}

#[test]
fn listings_go_on_behind_the_last_id() {
    let mut core = core();
    for id in [7, 3, 9, 1, 5] {
        core.subscribe(spec(id, 1, 1, Overflow::DropOldest)).unwrap();
    }
    let ids = |after: Option<u32>, limit| -> Vec<u32> {
        core.statuses(after.map(SubscriptionId), limit).iter().map(|s| s.spec.id.0).collect()
    };
    assert_eq!(ids(None, 2), [1, 3]);
    assert_eq!(ids(Some(3), 2), [5, 7]);
    assert_eq!(ids(Some(6), 9), [7, 9]);
    assert_eq!(ids(Some(9), 9), [] as [u32; 0]);
    assert_eq!(ids(None, 0), [] as [u32; 0]);
}

fn large(number: u32) -> Large {
    let parts = Parts::bare(Kind::Deliver, 1).aux(number);
    Large::new(&parts, vec![0; 300_000].into()).unwrap()
}

#[test]
fn nothing_overtakes_a_large_message_of_its_own_subscription() {
    let mut core = core();
    core.subscribe(spec(1, 10, 10, Overflow::DropOldest)).unwrap();
    core.subscribe(spec(2, 10, 10, Overflow::DropOldest)).unwrap();
    core.slab[0].spec.pending.bytes = 1 << 20;
    core.handle_large(SubscriptionId(1), large(0));
    core.handle_batch(&batch(&[(1, 1), (2, 9)]));
    core.handle_large(SubscriptionId(1), large(2));
    assert_eq!(seen(&mut core).delivered, [(1, 0), (2, 9)]);
    core.handle_large_sent(SubscriptionId(1));
    assert_eq!(seen(&mut core).delivered, [(1, 1), (1, 2)]);
    core.handle_large_sent(SubscriptionId(1));
    assert_eq!(seen(&mut core).delivered, []);
}

proptest! {
    /// Whatever the interleaving: what is delivered is in order, within credit; delivered + pending + dropped = offered.
    #[test]
    fn nothing_is_forgotten(
        steps in proptest::collection::vec((0u8..5, 1u32..3, 1u32..40), 1..60),
        cap in 1u32..30, oldest: bool,
    ) {
        let overflow = if oldest { Overflow::DropOldest } else { Overflow::DropNewest };
        let mut core = Subscriptions::new(4, 64 * FRAME as usize);
        let mut credit = [5u32; 3];
        let (mut offered, mut delivered) = ([0u64; 3], [0u64; 3]);
        let mut last = [None; 3];
        let mut in_outbox = 0usize;
        for id in 1..3 {
            core.subscribe(spec(id, 5, cap, overflow)).unwrap();
        }
        for (what, id, n) in steps {
            let i = id as usize;
            match what {
                0..=2 => {
                    core.handle_batch(&run(id, offered[i]..offered[i] + u64::from(n)));
                    offered[i] += u64::from(n);
                }
                3 => {
                    core.handle_credit(SubscriptionId(id), n).unwrap();
                    credit[i] += n;
                }
                _ => {
                    core.handle_written(in_outbox);
                    in_outbox = 0;
                }
            }
            for (id, number) in seen(&mut core).delivered {
                let i = id as usize;
                prop_assert!(last[i].is_none_or(|l| number > l));
                last[i] = Some(number);
                delivered[i] += 1;
                in_outbox += FRAME as usize;
            }
            let waiting: usize = core.slab.iter().filter_map(|(_, s)| s.ring.as_ref()).map(|r| r.bytes()).sum();
            prop_assert_eq!(core.pending_bytes(), waiting);
            prop_assert_eq!(core.delivered(), delivered.iter().sum::<u64>());
            for (i, status) in core.statuses(None, 9).into_iter().enumerate() {
                let i = i + 1;
                prop_assert_eq!(u64::from(status.spec.credit) + delivered[i], u64::from(credit[i]));
                prop_assert_eq!(status.delivered, delivered[i]);
                prop_assert!(status.pending <= cap);
                prop_assert_eq!(delivered[i] + u64::from(status.pending) + status.dropped, offered[i]);
            }
        }
    }
}
