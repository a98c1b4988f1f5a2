//! What a node does with messages, seen frame by frame, on one data thread and on two.

#![allow(clippy::unwrap_used, reason = "what the functions of a test unwrap is its own failure")]

use std::collections::BTreeMap;

use bytes::BytesMut;
use mesh_core::large::{Chunker, Large};
use mesh_e2e::{NodeBuilder, RawLink, Received, RunningNode, subscribe_body};
use mesh_wire::{
    body::ModeV1,
    chunk::Reassembler,
    code::Code,
    ext::{Ext, ExtBuilder, Tag},
    frame::{Flags, Kind, Parts},
    limits,
};

fn nodes() -> [RunningNode; 2] {
    [RunningNode::start(), NodeBuilder::default().arg("--threads").arg("2").start()]
}

/// Sends one message in as many frames as it takes.
fn send_large(link: &mut RawLink, parts: &Parts<'_>, body: &[u8]) {
    let large = Large::new(parts, body.to_vec().into()).unwrap();
    let mut chunker = Chunker::new(large, 7);
    let mut frame = BytesMut::new();
    while let Some(part) = chunker.poll_frame(&mut frame).unwrap() {
        frame.extend_from_slice(&part);
        link.write(&frame);
        frame.clear();
    }
}

/// Puts the next message together, from as many frames as it has.
fn receive_large(link: &mut RawLink) -> (Received, Vec<u8>) {
    let first = link.receive();
    let Some((series, total)) = Ext::parse(&first.ext).unwrap().chunk() else {
        let body = first.body.clone();
        return (first, body);
    };
    let mut reassembler = Reassembler::new(limits::BODY_BYTES_MAX as u64);
    reassembler.handle_opening(series, total, (), &first.body).unwrap();
    loop {
        let frame = link.receive();
        assert_eq!((frame.kind, frame.id), (Kind::Chunk, u64::from(series)));
        let more = frame.flags.contains(Flags::MORE);
        if let Some(((), body)) = reassembler.handle_part(frame.id, &frame.body, more).unwrap() {
            return (first, body.to_vec());
        }
    }
}

#[test]
fn a_publish_reaches_every_pattern_once_and_each_group_once() {
    for node in nodes() {
        let mut plain = node.link("plain");
        plain.subscribe(1, "a.b.c", 100);
        plain.subscribe(2, "a.*.c", 100);
        plain.subscribe(3, "a.>", 100);
        plain.subscribe(4, "a.b", 100);
        let mut members: Vec<RawLink> = (0..3).map(|i| node.link(&format!("member{i}"))).collect();
        for member in &mut members {
            let body = subscribe_body(ModeV1::Events, Some("g"), 1000);
            member.send(&Parts { subject: b"a.>", ..Parts::bare(Kind::Subscribe, 1).body(&body) });
            assert_eq!(member.receive().kind, Kind::Ok);
        }
        let mut publisher = node.link("publisher");
        for i in 0..300u32 {
            publisher.publish("a.b.c", &i.to_le_bytes());
        }
        publisher.sync();
        let mut seen: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        plain.send(&Parts::bare(Kind::Credit, 1).aux(0));
        for _ in 0..300 {
            let frame = plain.receive();
            assert_eq!(frame.kind, Kind::Deliver);
            seen.entry(frame.id).or_default().push(u32::from_le_bytes(frame.body.try_into().unwrap()));
        }
        // Each of the three matching subscriptions has credit for 100, in order and without a gap.
        assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [1, 2, 3]);
        assert!(seen.values().all(|got| *got == (0..100).collect::<Vec<_>>()));
        let counts: Vec<usize> = members
            .iter_mut()
            .map(|member| {
                member.send(&Parts::bare(Kind::Ping, 1));
                let mut count = 0;
                while member.receive().kind == Kind::Deliver {
                    count += 1;
                }
                count
            })
            .collect();
        assert_eq!(counts.iter().sum::<usize>(), 300, "{counts:?}");
        assert!(counts.iter().all(|&n| n > 40), "shared out: {counts:?}");
    }
}

#[test]
fn credit_pending_and_drops_add_up() {
    let node = NodeBuilder::default().env("MESH_NODE_LIMITS__PENDING_MESSAGES", "20").start();
    let mut subscriber = node.link("subscriber");
    subscriber.subscribe(1, "n", 10);
    let mut publisher = node.link("publisher");
    for i in 0..50u32 {
        publisher.publish("n", &i.to_le_bytes());
    }
    publisher.sync();
    let number = |frame: &Received| u32::from_le_bytes(frame.body[..4].try_into().unwrap());
    let mut got = Vec::new();
    let mut dropped = 0;
    subscriber.send(&Parts::bare(Kind::Ping, 1));
    loop {
        let frame = subscriber.receive();
        match frame.kind {
            Kind::Deliver => got.push(number(&frame)),
            Kind::Dropped => dropped += frame.aux,
            Kind::Pong => break,
            kind => panic!("{kind:?}"),
        }
    }
    assert_eq!((got, dropped), ((0..10).collect(), 20));
    subscriber.send(&Parts::bare(Kind::Credit, 1).aux(100));
    let rest: Vec<u32> = (0..20).map(|_| number(&subscriber.receive())).collect();
    assert_eq!(rest, (30..50).collect::<Vec<_>>(), "the newest were kept");
    subscriber.sync();
}

#[test]
fn large_bodies_travel_in_chunks_and_others_do_not_wait() {
    for node in nodes() {
        let mut subscriber = node.link("subscriber");
        subscriber.subscribe(1, "big", 10);
        let mut publisher = node.link("publisher");
        for len in [limits::CHUNK_BYTES, limits::CHUNK_BYTES + 1, 3_000_000, limits::BODY_BYTES_DEFAULT] {
            let body: Vec<u8> = (0..len).map(|i| (i % 253) as u8).collect();
            send_large(&mut publisher, &Parts { subject: b"big", ..Parts::bare(Kind::Publish, 0) }, &body);
            publisher.publish("big", b"behind it");
            let (first, got) = receive_large(&mut subscriber);
            assert_eq!((first.kind, first.id), (Kind::Deliver, 1));
            assert!(got == body, "{len} bytes");
            assert_eq!(subscriber.receive().body, b"behind it", "order is kept");
        }
        let mut over = node.link("over");
        let mut ext = ExtBuilder::new();
        ext.push_chunk(1, limits::BODY_BYTES_DEFAULT as u64 + 1).unwrap();
        over.send(&Parts {
            subject: b"big",
            ext: ext.as_bytes(),
            ..Parts::bare(Kind::Publish, 0).body(b"x")
        });
        over.expect_fatal(Code::BodyTooLarge);
    }
}

#[test]
fn large_requests_and_replies() {
    for node in nodes() {
        let mut responder = node.link("responder");
        responder.respond(1, "resize", None);
        let mut requester = node.link("requester");
        let body = vec![42; 2_000_000];
        let request = Parts { subject: b"resize", ..Parts::bare(Kind::Request, 5).aux(20_000) };
        send_large(&mut requester, &request, &body);
        let (call, got) = receive_large(&mut responder);
        assert_eq!(call.kind, Kind::Call);
        assert!(got == body);
        send_large(&mut responder, &Parts::bare(Kind::Reply, call.id), &body[..1_000_000]);
        let (reply, got) = receive_large(&mut requester);
        assert_eq!((reply.kind, reply.id, got.len()), (Kind::Reply, 5, 1_000_000));
    }
}

#[test]
fn a_series_of_replies_is_held_to_its_credit() {
    for node in nodes() {
        let mut responder = node.link("responder");
        responder.respond(1, "count", None);
        let mut requester = node.link("requester");
        let mut ext = ExtBuilder::new();
        ext.push_u32(Tag::REPLY_CREDIT, 2).unwrap();
        let request = Parts::bare(Kind::Request, 1).aux(20_000);
        requester.send(&Parts { subject: b"count", ext: ext.as_bytes(), ..request });
        let call = responder.receive();
        let more =
            |n: u8| Parts { flags: Flags::MORE, ..Parts::bare(Kind::Reply, call.id).aux(u32::from(n)) };
        for n in 0..2 {
            responder.send(&more(n));
            assert!(requester.receive().flags.contains(Flags::MORE));
        }
        responder.send(&more(2));
        responder.expect_refused(Kind::Reply, call.id, Code::ReplyBeyondCredit);
        requester.send(&Parts::bare(Kind::ReplyCredit, 1).aux(1));
        let credit = responder.receive();
        assert_eq!((credit.kind, credit.id, credit.aux), (Kind::ReplyCredit, call.id, 1));
        responder.send(&more(3));
        responder.send(&Parts::bare(Kind::Reply, call.id).body(b"end"));
        assert!(requester.receive().flags.contains(Flags::MORE));
        let last = requester.receive();
        assert_eq!((last.flags, &last.body[..]), (Flags::NONE, &b"end"[..]));
    }
}

#[test]
fn a_gather_asks_everyone_once_and_ends() {
    for node in nodes() {
        let mut alone = node.link("alone");
        alone.respond(1, "who", None);
        let mut members = [node.link("m0"), node.link("m1")];
        members.iter_mut().for_each(|m| m.respond(1, "who", Some("g")));
        let mut requester = node.link("requester");
        let gather = |id| Parts {
            subject: b"who",
            flags: Flags::GATHER,
            ..Parts::bare(Kind::Request, id).aux(20_000)
        };
        requester.send(&gather(1));
        let call = alone.receive();
        alone.send(&Parts::bare(Kind::Reply, call.id).body(b"alone"));
        let first = requester.receive();
        assert_eq!((&first.body[..], first.flags.contains(Flags::MORE)), (&b"alone"[..], true));
        // One of the two members has it.
        let mut asked = 0;
        for member in &mut members {
            member.send(&Parts::bare(Kind::Ping, 1));
            let frame = member.receive();
            if frame.kind == Kind::Call {
                asked += 1;
                assert_eq!(member.receive().kind, Kind::Pong);
                member.send(&Parts::bare(Kind::Reply, frame.id).body(b"member"));
            }
        }
        assert_eq!(asked, 1);
        assert_eq!(requester.receive().body, b"member");
        let end = requester.receive();
        assert_eq!((end.kind, end.id, end.aux), (Kind::End, 1, 0));
        requester.send(&Parts { subject: b"nobody", ..gather(2) });
        requester.expect_end(2, Code::NoResponders);
    }
}

#[test]
fn every_call_of_a_gather_that_is_over_is_cancelled() {
    for node in nodes() {
        let mut responder = node.link("responder");
        responder.respond(1, "who", None);
        responder.respond(2, "who", None);
        let mut requester = node.link("requester");
        let gather =
            Parts { subject: b"who", flags: Flags::GATHER, ..Parts::bare(Kind::Request, 1).aux(20_000) };
        requester.send(&gather);
        let mut calls = [responder.receive().id, responder.receive().id];
        requester.send(&Parts::bare(Kind::Cancel, 1));
        let mut cancelled = [responder.receive(), responder.receive()].map(|frame| {
            assert_eq!(frame.kind, Kind::Cancel);
            frame.id
        });
        calls.sort_unstable();
        cancelled.sort_unstable();
        assert_eq!(cancelled, calls);
    }
}

#[test]
fn a_large_publish_with_wrong_contents_is_refused_and_the_link_goes_on() {
    let node = RunningNode::start();
    let mut subscriber = node.link("subscriber");
    subscriber.subscribe(1, "big", 10);
    let mut publisher = node.link("publisher");
    let body = vec![1; limits::CHUNK_BYTES + 1];
    let wrong = Parts { subject: b"big", headers: b"\xff", ..Parts::bare(Kind::Publish, 0) };
    send_large(&mut publisher, &wrong, &body);
    publisher.expect_refused(Kind::Publish, 0, Code::HeaderMalformed);
    send_large(&mut publisher, &Parts { headers: b"", ..wrong }, &body);
    assert!(receive_large(&mut subscriber).1 == body);
}

#[test]
fn cancel_and_deadline_reach_the_responder_and_its_late_reply_harms_nobody() {
    for node in nodes() {
        let mut responder = node.link("responder");
        responder.respond(1, "slow", None);
        let mut requester = node.link("requester");
        requester.request(1, "slow", 20_000);
        let call = responder.receive();
        requester.send(&Parts::bare(Kind::Cancel, 1));
        let cancel = responder.receive();
        assert_eq!((cancel.kind, cancel.id), (Kind::Cancel, call.id));
        responder.send(&Parts::bare(Kind::Reply, call.id).body(b"too late"));
        responder.sync();
        requester.sync();
        requester.request(2, "slow", 50);
        let call = responder.receive();
        requester.expect_end(2, Code::RequestDeadline);
        let cancel = responder.receive();
        assert_eq!((cancel.kind, cancel.id), (Kind::Cancel, call.id));
        responder.send(&Parts::bare(Kind::Reply, call.id));
        responder.sync();
        requester.sync();
    }
}

#[test]
fn a_full_responder_says_so_at_once() {
    for node in nodes() {
        let mut responder = node.link("responder");
        let body = subscribe_body(ModeV1::Responder, None, 2);
        responder.send(&Parts { subject: b"few", ..Parts::bare(Kind::Subscribe, 1).body(&body) });
        assert_eq!(responder.receive().kind, Kind::Ok);
        let mut requester = node.link("requester");
        for id in 1..=3 {
            requester.request(id, "few", 20_000);
        }
        requester.expect_end(3, Code::ResponderBusy);
    }
}

#[test]
fn a_slow_subscriber_holds_a_publisher_back_a_bounded_time_only() {
    let node = NodeBuilder::default()
        .env("MESH_NODE_PACING__HIGH_WATER", "64KiB")
        .env("MESH_NODE_PACING__STALL", "20ms")
        .with_http()
        .start();
    let mut stuck = node.link("stuck");
    stuck.subscribe(1, "n", 1);
    let mut publisher = node.link("publisher");
    let body = vec![0; 10_000];
    for _ in 0..1000 {
        publisher.publish("n", &body);
    }
    // It comes to an end although nobody takes the messages.
    publisher.sync();
    node.assert_serves();
}
