//! Whatever a client sends: a coded error on its side, at most its own link closed, and everybody else served.

#![allow(clippy::unwrap_used, reason = "what the functions of a test unwrap is its own failure")]

use std::time::Duration;

use mesh_e2e::{NodeBuilder, RawLink, RunningNode, hello_frame, subscribe_body};
use mesh_wire::{
    body::ModeV1,
    code::Code,
    ext::{ExtBuilder, Tag},
    frame::{Flags, HEADER_BYTES, Kind, PREFACE, Parts},
    header::HeadersBuilder,
    hello::Versions,
    limits,
};

/// What a client says from its first byte on, and the code that ends its link.
#[test]
fn a_link_that_starts_wrong_is_told_and_closed() {
    let node = RunningNode::start();
    let hello = hello_frame("ok", Versions::OURS.to_aux());
    let mut publish_first = bytes::BytesMut::from(&PREFACE[..]);
    Parts { subject: b"a", ..Parts::bare(Kind::Publish, 0) }.encode(&mut publish_first).unwrap();
    let mut bad_body = bytes::BytesMut::from(&PREFACE[..]);
    Parts::bare(Kind::Hello, 0).aux(Versions::OURS.to_aux()).body(b"\xff\xff").encode(&mut bad_body).unwrap();
    let with_preface = |rest: &[u8]| [&PREFACE[..], rest].concat();
    let table: Vec<(&str, Vec<u8>, Code)> = vec![
        ("garbage", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), Code::PrefaceBad),
        ("a preface that turns wrong", b"MESH\r\n\x1a\r".to_vec(), Code::PrefaceBad),
        ("a publish before HELLO", publish_first.to_vec(), Code::HelloExpected),
        ("an unknown kind", with_preface(&[24, 0, 0, 0, 0xee]), Code::UnknownKind),
        ("an oversize length", with_preface(&u32::MAX.to_le_bytes()), Code::FrameOversize),
        ("an undersize length", with_preface(&23u32.to_le_bytes()), Code::FrameUndersize),
        ("a later version", with_preface(&hello_frame("ok", 0x0003_0002)), Code::VersionUnsupported),
        ("a span turned around", with_preface(&hello_frame("ok", 0x0001_0002)), Code::VersionUnsupported),
        ("a malformed body", bad_body.to_vec(), Code::BodyMalformed),
        ("a bad name", with_preface(&hello_frame("Not A Name", 0x0001_0001)), Code::NameMalformed),
    ];
    for (what, bytes, code) in table {
        let mut link = RawLink::silent(node.socket());
        link.write(&bytes);
        println!("{what}");
        link.expect_fatal(code);
    }
    let mut twice = node.link("twice");
    twice.write(&hello);
    twice.expect_fatal(Code::HelloRepeated);
    node.assert_serves();
}

#[test]
fn a_link_that_goes_wrong_later_is_told_and_closed() {
    let node = RunningNode::start();
    let header = |len: u32, kind: u8| [&len.to_le_bytes()[..], &[kind], &[0; HEADER_BYTES - 5]].concat();
    let mut long_subject = header(1000, Kind::Publish as u8);
    long_subject[6..8].copy_from_slice(&(limits::SUBJECT_BYTES as u16 + 1).to_le_bytes());
    let mut big_headers = header(60_000, Kind::Publish as u8);
    big_headers[8..10].copy_from_slice(&(limits::HEADERS_BYTES as u16 + 1).to_le_bytes());
    let mut big_ext = header(60_000, Kind::Publish as u8);
    big_ext[10..12].copy_from_slice(&(limits::EXT_BYTES as u16 + 1).to_le_bytes());
    let mut overlap = header(HEADER_BYTES as u32, Kind::Publish as u8);
    overlap[6] = 1;
    let table = [
        ("length 4 GiB", u32::MAX.to_le_bytes().to_vec(), Code::FrameOversize),
        ("length over by one", (limits::FRAME_BYTES as u32 + 1).to_le_bytes().to_vec(), Code::FrameOversize),
        ("unknown kind", header(24, 0xee), Code::UnknownKind),
        ("subject over by one", long_subject, Code::SubjectTooLong),
        ("headers over by one", big_headers, Code::HeadersTooLarge),
        ("ext over by one", big_ext, Code::ExtMalformed),
        ("parts beyond the frame", overlap, Code::FrameMalformed),
        ("a node's kind", header(24, Kind::Welcome as u8), Code::UnexpectedKind),
        ("a chunk of no series", header(24, Kind::Chunk as u8), Code::ChunkUnknownSeries),
    ];
    for (what, bytes, code) in table {
        let mut link = node.link("wrong");
        println!("{what}");
        link.write(&bytes);
        link.expect_fatal(code);
    }
    node.assert_serves();
}

#[test]
fn a_truncated_frame_ends_only_its_link() {
    let node = RunningNode::start();
    let mut link = node.link("cut");
    link.write(&[100, 0, 0, 0, Kind::Publish as u8, 0, 1]);
    drop(link);
    node.assert_serves();
}

#[test]
fn what_a_client_may_not_publish_is_refused_and_the_link_goes_on() {
    let node = RunningNode::start();
    let mut link = node.link("publisher");
    let long = "x".repeat(limits::SUBJECT_BYTES);
    let many = vec!["t"; limits::SUBJECT_TOKENS + 1].join(".");
    for (subject, code) in [
        ("", Code::SubjectMalformed),
        ("a..b", Code::SubjectMalformed),
        (".a", Code::SubjectMalformed),
        ("a b", Code::SubjectMalformed),
        ("a.*", Code::SubjectWildcard),
        ("a.>", Code::SubjectWildcard),
        (many.as_str(), Code::SubjectTooManyTokens),
        ("$mesh.node.info", Code::SubjectReserved),
    ] {
        println!("{subject:?}");
        link.publish(subject, b"x");
        link.expect_refused(Kind::Publish, 0, code);
    }
    link.publish(&long, b"as long as it may be");
    link.publish(&vec!["t"; limits::SUBJECT_TOKENS].join("."), b"as many tokens as there may be");
    link.sync();
}

#[test]
fn headers_and_extensions_are_held_to_their_limits() {
    let node = RunningNode::start();
    let mut link = node.link("headers");
    let mut headers = HeadersBuilder::default();
    for i in 0..limits::HEADERS {
        headers.push(&format!("h{i}"), "v").unwrap();
    }
    let full = headers.build().into_bytes();
    let one_more = [&full[..], &full[..full.len() / limits::HEADERS]].concat();
    link.send(&Parts { subject: b"a", headers: &full, ..Parts::bare(Kind::Publish, 0) });
    link.sync();
    link.send(&Parts { subject: b"a", headers: &one_more, ..Parts::bare(Kind::Publish, 0) });
    link.expect_refused(Kind::Publish, 0, Code::TooManyHeaders);
    link.send(&Parts { subject: b"a", headers: b"\xff", ..Parts::bare(Kind::Publish, 0) });
    link.expect_refused(Kind::Publish, 0, Code::HeaderMalformed);
    for tag in [Tag::IDENTITY, Tag::ORIGIN, Tag::GROUP, Tag::MEMBER] {
        let mut ext = ExtBuilder::new();
        ext.push(tag, b"forged").unwrap();
        link.send(&Parts { subject: b"a", ext: ext.as_bytes(), ..Parts::bare(Kind::Publish, 0) });
        link.expect_refused(Kind::Publish, 0, Code::ExtMalformed);
    }
    link.send(&Parts { subject: b"a", flags: Flags::ROUTED, ..Parts::bare(Kind::Publish, 0) });
    link.expect_fatal(Code::FrameMalformed);
    node.assert_serves();
}

#[test]
fn a_body_in_one_frame_is_held_to_the_nodes_limit() {
    let node = NodeBuilder::default().env("MESH_NODE_LIMITS__MAX_BODY", "1KiB").start();
    let mut link = node.link("publisher");
    link.publish("a", &[0; 1024]);
    link.sync();
    link.publish("a", &[0; 1025]);
    link.expect_fatal(Code::BodyTooLarge);
    node.assert_serves();
}

#[test]
fn subscriptions_are_checked() {
    let node = NodeBuilder::default().env("MESH_NODE_LIMITS__SUBSCRIPTIONS_PER_LINK", "2").start();
    let mut link = node.link("subscriber");
    let mut refused = |id: u64, pattern: &str, body: &[u8], code: Code| {
        println!("{pattern:?} {code}");
        link.send(&Parts { subject: pattern.as_bytes(), ..Parts::bare(Kind::Subscribe, id).body(body) });
        link.expect_refused(Kind::Subscribe, id, code);
    };
    let body = |credit| subscribe_body(ModeV1::Events, None, credit);
    refused(1, "$mesh.>", &body(1), Code::SubjectReserved);
    refused(1, "$mesh.node.info", &body(1), Code::SubjectReserved);
    refused(1, "a.>.b", &body(1), Code::PatternMalformed);
    refused(1, "a.b*", &body(1), Code::PatternMalformed);
    refused(1, "a", &body(0), Code::CreditOutOfRange);
    refused(1, "a", &body(limits::CREDIT_MAX + 1), Code::CreditOutOfRange);
    refused(1, "a", b"\x09", Code::BodyMalformed);
    refused(1, "a", &subscribe_body(ModeV1::Events, Some("No Name"), 1), Code::NameMalformed);
    refused(1 << 32, "a", &body(1), Code::FieldOutOfRange);
    link.subscribe(1, "a", limits::CREDIT_MAX);
    link.subscribe(2, ">", 1);
    let mut refused = |id: u64, code: Code| {
        link.send(&Parts { subject: b"b", ..Parts::bare(Kind::Subscribe, id).body(&body(1)) });
        link.expect_refused(Kind::Subscribe, id, code);
    };
    refused(1, Code::SubscriptionIdInUse);
    refused(3, Code::TooManySubscriptions);
    link.send(&Parts::bare(Kind::Credit, 1).aux(1));
    link.expect_refused(Kind::Credit, 1, Code::CreditOverflow);
    link.send(&Parts::bare(Kind::Unsubscribe, 77));
    link.expect_refused(Kind::Unsubscribe, 77, Code::SubscriptionUnknown);
}

#[test]
fn requests_and_replies_are_checked() {
    let node = NodeBuilder::default().env("MESH_NODE_LIMITS__REQUESTS_PER_LINK", "2").start();
    let mut responder = node.link("responder");
    responder.respond(1, "slow.it", None);
    let mut link = node.link("requester");
    link.request(1, "nobody.there", 1000);
    link.expect_end(1, Code::NoResponders);
    for timeout in [0, limits::REQUEST_TIMEOUT_MS_MAX + 1] {
        link.request(1, "slow.it", timeout);
        link.expect_end(1, Code::TimeoutOutOfRange);
    }
    link.request(1, "not..good", 1000);
    link.expect_end(1, Code::SubjectMalformed);
    link.request(1, "$mesh.no.such.thing", 1000);
    let answer = link.receive();
    assert_eq!((answer.kind, answer.code()), (Kind::Reply, Some(Code::NodeRequestUnknown)));

    link.request(1, "slow.it", limits::REQUEST_TIMEOUT_MS_MAX);
    link.request(1, "slow.it", 1000);
    link.expect_end(1, Code::RequestIdInUse);
    link.request(2, "slow.it", 60_000);
    link.request(3, "slow.it", 60_000);
    link.expect_end(3, Code::TooManyRequests);

    let call = responder.receive();
    responder.receive();
    responder.send(&Parts::bare(Kind::Reply, call.id).body(b"!"));
    let reply = link.receive();
    assert_eq!((reply.kind, reply.id, &reply.body[..]), (Kind::Reply, 1, &b"!"[..]));
    responder.send(&Parts::bare(Kind::Reply, call.id).body(b"again"));
    responder.expect_refused(Kind::Reply, call.id, Code::ReplyRepeated);
    responder.send(&Parts::bare(Kind::Reply, call.id + 1000));
    responder.expect_refused(Kind::Reply, call.id + 1000, Code::ReplyForeign);
    link.send(&Parts::bare(Kind::Reply, call.id));
    link.expect_refused(Kind::Reply, call.id, Code::ReplyForeign);
    node.assert_serves();
}

#[test]
fn a_client_that_says_nothing_is_closed_in_time() {
    let node = NodeBuilder::default().env("MESH_NODE_LIMITS__HANDSHAKE_TIMEOUT", "200ms").start();
    let mut silent = RawLink::silent(node.socket());
    let mut half = RawLink::silent(node.socket());
    half.write(&PREFACE[..4]);
    silent.expect_fatal(Code::HandshakeTimeout);
    half.expect_fatal(Code::HandshakeTimeout);
    node.assert_serves();
}

#[test]
fn a_client_that_never_reads_costs_a_bounded_amount_and_nobody_else() {
    let node = NodeBuilder::default()
        .env("MESH_NODE_LIMITS__PENDING_BYTES", "262144")
        .env("MESH_NODE_LIMITS__LINK_OUTBOX", "1MiB")
        .start();
    let mut deaf = node.link("deaf");
    deaf.subscribe(1, "flood.>", limits::CREDIT_MAX);
    let mut other = node.link("other");
    other.subscribe(1, "flood.last", 10);
    let mut publisher = node.link("publisher");
    let body = vec![b'x'; 8 * 1024];
    let before = resident_bytes(node.pid());
    for _ in 0..8 * 1024 {
        publisher.publish("flood.it", &body);
    }
    publisher.publish("flood.last", b"done");
    publisher.sync();
    assert_eq!(other.receive().body, b"done");
    let grown = resident_bytes(node.pid()).saturating_sub(before);
    assert!(grown < 24 << 20, "64 MiB were published, the node grew by {grown} bytes");
    // What it missed was counted, and it is told when it reads again.
    let mut dropped = 0;
    let mut delivered = 0;
    while delivered + dropped < 8 * 1024 + 1 {
        let frame = deaf.receive();
        match frame.kind {
            Kind::Dropped => dropped += frame.aux,
            Kind::Deliver => delivered += 1,
            kind => panic!("{kind:?}"),
        }
    }
    assert!(dropped > 0);
    node.assert_serves();
}

#[test]
fn a_client_that_asks_and_never_reads_the_answers_is_cut() {
    let node = NodeBuilder::default().env("MESH_NODE_LIMITS__LINK_OUTBOX", "1MiB").start();
    let mut link = node.link("deaf");
    // More answers than the node keeps for a link: four outboxes and two bodies.
    let mut pings = bytes::BytesMut::new();
    for id in 0..1_200_000 {
        Parts::bare(Kind::Ping, id).encode(&mut pings).unwrap();
    }
    link.write(&pings);
    while link.try_receive().is_some() {}
    node.assert_serves();
}

#[test]
fn many_connections_at_once_are_all_served() {
    let node = RunningNode::start();
    let links: Vec<RawLink> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|worker| {
                let socket = node.socket();
                scope.spawn(move || {
                    (0..250).map(|i| RawLink::greeted(socket, &format!("c{worker}-{i}"))).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|w| w.join().unwrap()).collect()
    });
    assert_eq!(links.len(), 2000);
    for mut link in links {
        link.sync();
    }
    node.assert_serves();
}

#[test]
fn links_beyond_the_limit_are_turned_away() {
    let node = NodeBuilder::default().env("MESH_NODE_LIMITS__MAX_LINKS", "2").start();
    let first = node.link("one");
    let _second = node.link("two");
    let mut third = RawLink::silent(node.socket());
    third.expect_fatal(Code::TooManyLinks);
    drop(first);
    mesh_e2e::wait_until("a place is free again", || {
        let mut link = RawLink::silent(node.socket());
        link.write(&PREFACE);
        link.write(&hello_frame("again", Versions::OURS.to_aux()));
        link.receive().kind == Kind::Welcome
    });
}

#[test]
fn a_dead_clients_subscriptions_vanish_at_once() {
    let node = RunningNode::start();
    let mut requester = node.link("requester");
    let mut responder = node.link("responder");
    responder.respond(1, "it.is", None);
    requester.request(1, "it.is", 60_000);
    responder.receive();
    drop(responder);
    requester.expect_end(1, Code::ResponderGone);
    requester.request(2, "it.is", 60_000);
    let end = requester.receive();
    assert_eq!(end.kind, Kind::End);
    assert!(matches!(end.code(), Some(Code::NoResponders | Code::ResponderGone)));
    mesh_e2e::wait_until("nobody answers any more", || {
        requester.request(3, "it.is", 60_000);
        requester.receive().code() == Some(Code::NoResponders)
    });
}

/// A frame that comes a byte at a time is as good as one that comes at once.
#[test]
fn dribbled_bytes_are_put_together() {
    let node = RunningNode::start();
    let mut subscriber = node.link("subscriber");
    subscriber.subscribe(1, "drip", 10);
    let mut link = node.link("drip");
    let mut frame = bytes::BytesMut::new();
    Parts { subject: b"drip", ..Parts::bare(Kind::Publish, 0).body(b"drop by drop") }
        .encode(&mut frame)
        .unwrap();
    for byte in &frame[..] {
        link.write(&[*byte]);
        std::thread::sleep(Duration::from_micros(200));
    }
    assert_eq!(subscriber.receive().body, b"drop by drop");
}

fn resident_bytes(pid: u32) -> usize {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
