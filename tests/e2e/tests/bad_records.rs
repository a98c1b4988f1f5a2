//! Whatever a client puts, fetches or declares: a coded refusal of this one thing, and everybody else served.

#![allow(clippy::unwrap_used, reason = "what the functions of a test unwrap is its own failure")]

use mesh_e2e::{NodeBuilder, RawLink, RunningNode};
use mesh_wire::{
    batch::{BatchBuilder, NO_PRODUCER, Producer, Record},
    body,
    code::Code,
    durable::{DeclareV1, DeclaredV1, Fetch, Fetched, PutOk, REGISTER, put_ext},
    ext::{ExtBuilder, Tag},
    frame::{Flags, Kind, Parts},
    limits,
};

fn node() -> RunningNode {
    NodeBuilder::default().env("MESH_NODE_STORAGE__REGISTERS", "on").start()
}

fn declare(link: &mut RawLink, id: u64, sort: u8, name: &str, create: bool) {
    let body = body::encode(&DeclareV1 { sort, name: name.to_owned(), create }).unwrap();
    link.send(&Parts::bare(Kind::Declare, id).aux(5_000).body(&body));
}

/// The lane of a register that is there from now on.
fn lane(link: &mut RawLink, name: &str) -> u64 {
    // The node may still be electing itself.
    for id in 1.. {
        declare(link, id, REGISTER, name, true);
        let answer = link.receive();
        if answer.kind == Kind::Declared {
            assert_eq!(answer.id, id);
            return body::decode::<DeclaredV1>(&answer.body).unwrap().lane;
        }
        assert!(answer.code().unwrap().is_retryable(), "{answer:?} {}", answer.cause());
    }
    unreachable!()
}

fn batch(producer: Producer, values: &[&[u8]]) -> Vec<u8> {
    let mut batch = BatchBuilder::new(producer);
    for value in values {
        batch.push(&Record { value: Some(value), ..Record::default() }).unwrap();
    }
    batch.build().unwrap().to_vec()
}

fn of(id: u64, epoch: u32, base_sequence: u64) -> Producer {
    Producer { id, epoch, base_sequence }
}

fn put(link: &mut RawLink, id: u64, lane: u64, batch: &[u8]) {
    link.send(&Parts { ext: &put_ext(lane), ..Parts::bare(Kind::Put, id).aux(5_000).body(batch) });
}

fn kept(link: &mut RawLink, id: u64) -> PutOk {
    let answer = link.receive();
    assert_eq!((answer.kind, answer.id), (Kind::PutOk, id), "{answer:?} {}", answer.cause());
    PutOk::decode(&answer.body).unwrap()
}

fn fetch(link: &mut RawLink, lane: u64, from: u64) -> Fetched {
    let fetch = Fetch { lane, from, max_bytes: 65_536, linearizable: true };
    link.send(&Parts::bare(Kind::Fetch, 77).aux(5_000).body(&fetch.encode()));
    let answer = link.receive();
    assert_eq!((answer.kind, answer.id), (Kind::Fetched, 77), "{answer:?} {}", answer.cause());
    Fetched::decode(&answer.body.into()).unwrap()
}

#[test]
fn a_node_that_keeps_nothing_says_so() {
    let node = RunningNode::start();
    let mut link = node.link("client");
    declare(&mut link, 3, REGISTER, "r", true);
    link.expect_refused(Kind::Declare, 3, Code::DurableDisabled);
    node.assert_serves();
}

#[test]
fn declarations_that_make_no_sense_are_refused() {
    let node = node();
    let mut link = node.link("client");
    lane(&mut link, "r");
    declare(&mut link, 4, REGISTER, "nowhere", false);
    link.expect_refused(Kind::Declare, 4, Code::LaneUndeclared);
    declare(&mut link, 5, 250, "r", true);
    link.expect_refused(Kind::Declare, 5, Code::BodyMalformed);
    for (name, code) in [("", Code::NameMalformed), ("Not A Name", Code::NameMalformed)] {
        declare(&mut link, 6, REGISTER, name, true);
        link.expect_refused(Kind::Declare, 6, code);
    }
    let longest = "r".repeat(limits::NAME_BYTES);
    assert!(lane(&mut link, &longest) > 0);
    declare(&mut link, 7, REGISTER, &format!("{longest}r"), true);
    link.expect_refused(Kind::Declare, 7, Code::NameTooLong);
    for body in [&b""[..], b"\x00", b"\x00\x01r\x02", b"\x00\x01r\x01\x00"] {
        link.send(&Parts::bare(Kind::Declare, 8).aux(5_000).body(body));
        link.expect_refused(Kind::Declare, 8, Code::BodyMalformed);
    }
    node.assert_serves();
}

#[test]
fn what_is_no_batch_is_not_kept() {
    let node = node();
    let mut link = node.link("client");
    let lane = lane(&mut link, "r");
    let good = batch(of(7, 0, 0), &[b"one", b"two"]);
    let changed = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let table: Vec<(&str, Vec<u8>, Code)> = vec![
        ("nothing", Vec::new(), Code::BatchMalformed),
        ("garbage", b"GET / HTTP/1.1".to_vec(), Code::BatchMalformed),
        ("half a batch", good[..good.len() / 2].to_vec(), Code::BatchMalformed),
        ("a batch and more", [&good[..], b"x"].concat(), Code::BatchMalformed),
        ("a later version", changed(3), Code::BatchVersionUnsupported),
        ("a damaged index", changed(80), Code::BatchIndexCorrupt),
        ("a damaged record", changed(good.len() - 1), Code::RecordCorrupt),
    ];
    for (what, bytes, code) in table {
        println!("{what}");
        put(&mut link, 9, lane, &bytes);
        link.expect_refused(Kind::Put, 9, code);
    }
    assert_eq!(fetch(&mut link, lane, 1).head, 1, "nothing of it is there");
    put(&mut link, 10, lane, &good);
    assert_eq!(kept(&mut link, 10), PutOk { lane, first: 1, count: 2, duplicate: false });
    node.assert_serves();
}

#[test]
fn a_put_names_a_lane_that_there_is() {
    let node = node();
    let mut link = node.link("client");
    let lane = lane(&mut link, "r");
    let good = batch(of(7, 0, 0), &[b"one"]);
    link.send(&Parts::bare(Kind::Put, 1).aux(5_000).body(&good));
    link.expect_refused(Kind::Put, 1, Code::ExtMalformed);
    link.send(&Parts { ext: &[Tag::LANE.0, 2, 1, 0], ..Parts::bare(Kind::Put, 2).aux(5_000).body(&good) });
    link.expect_refused(Kind::Put, 2, Code::ExtMalformed);
    for unknown in [0, lane + 1_000, u64::MAX] {
        put(&mut link, 3, unknown, &good);
        link.expect_refused(Kind::Put, 3, Code::LaneUndeclared);
        let fetch = Fetch { lane: unknown, from: 1, max_bytes: 1, linearizable: true };
        link.send(&Parts::bare(Kind::Fetch, 4).aux(5_000).body(&fetch.encode()));
        link.expect_refused(Kind::Fetch, 4, Code::LaneUndeclared);
    }
    node.assert_serves();
}

#[test]
fn a_producers_records_come_once_and_in_order() {
    let node = node();
    let mut link = node.link("client");
    let lane = lane(&mut link, "r");
    let first = batch(of(7, 0, 0), &[b"0", b"1"]);
    put(&mut link, 1, lane, &first);
    assert_eq!(kept(&mut link, 1), PutOk { lane, first: 1, count: 2, duplicate: false });
    put(&mut link, 2, lane, &batch(of(7, 0, 3), &[b"3"]));
    link.expect_refused(Kind::Put, 2, Code::SequenceGap);
    put(&mut link, 3, lane, &batch(of(7, 0, 1), &[b"1", b"2"]));
    link.expect_refused(Kind::Put, 3, Code::SequenceGap);
    put(&mut link, 4, lane, &first);
    assert_eq!(kept(&mut link, 4), PutOk { lane, first: 1, count: 2, duplicate: true });
    // Another producer, one without a name, and the first one in its next epoch.
    for (id, producer) in [(5, of(8, 0, 0)), (6, of(NO_PRODUCER, 0, 0)), (7, of(7, 1, 0))] {
        put(&mut link, id, lane, &batch(producer, &[b"x"]));
        assert_eq!(kept(&mut link, id), PutOk { lane, first: id - 2, count: 1, duplicate: false });
    }
    put(&mut link, 8, lane, &batch(of(7, 0, 2), &[b"2"]));
    link.expect_refused(Kind::Put, 8, Code::ProducerFenced);
    let fetched = fetch(&mut link, lane, 2);
    let pieces: Vec<(u64, u32)> = fetched.pieces.iter().map(|piece| (piece.first, piece.count)).collect();
    assert_eq!(pieces, [(1, 2), (3, 1), (4, 1), (5, 1)]);
    assert_eq!(fetched.pieces[0].batch, first, "the bytes that were put");
    assert!(fetched.is_end());
}

#[test]
fn reads_out_of_range_are_refused() {
    let node = node();
    let mut link = node.link("client");
    let lane = lane(&mut link, "r");
    for (from, max_bytes) in [(0, 1), (1, 0), (1, limits::FETCH_BYTES_MAX + 1), (0, u32::MAX)] {
        let fetch = Fetch { lane, from, max_bytes, linearizable: false };
        link.send(&Parts::bare(Kind::Fetch, 1).aux(5_000).body(&fetch.encode()));
        link.expect_refused(Kind::Fetch, 1, Code::BodyMalformed);
    }
    let good = Fetch { lane, from: 1, max_bytes: limits::FETCH_BYTES_MAX, linearizable: false }.encode();
    for body in [&good[..20], &[&good[..], &[0]].concat(), &[&good[..20], &[2]].concat()] {
        link.send(&Parts::bare(Kind::Fetch, 2).aux(5_000).body(body));
        link.expect_refused(Kind::Fetch, 2, Code::BodyMalformed);
    }
    // Behind the end there is nothing, and that is no error.
    let fetched = fetch(&mut link, lane, u64::MAX);
    assert!(fetched.pieces.is_empty() && fetched.is_end());
    node.assert_serves();
}

#[test]
fn a_large_put_is_put_together_and_held_to_its_limits() {
    let node = node();
    let mut link = node.link("client");
    let lane = lane(&mut link, "r");
    let value = vec![7; 300 * 1024];
    let large = batch(of(7, 0, 0), &[&value, &value, &value]);
    let opening = |total: u64| {
        let mut ext = ExtBuilder::new();
        ext.push(Tag::LANE, &lane.to_le_bytes()).unwrap().push_chunk(1, total).unwrap();
        ext
    };
    let (head, tail) = large.split_at(limits::CHUNK_BYTES);
    let ext = opening(large.len() as u64);
    link.send(&Parts { ext: ext.as_bytes(), ..Parts::bare(Kind::Put, 1).aux(5_000).body(head) });
    link.send(&Parts::bare(Kind::Chunk, 1).body(tail));
    assert_eq!(kept(&mut link, 1), PutOk { lane, first: 1, count: 3, duplicate: false });

    // Too large for a batch, and not for a body.
    let over = vec![0; limits::BATCH_BYTES + 1];
    let (head, tail) = over.split_at(limits::CHUNK_BYTES);
    let ext = opening(over.len() as u64);
    link.send(&Parts { ext: ext.as_bytes(), ..Parts::bare(Kind::Put, 2).aux(5_000).body(head) });
    let (middle, tail) = tail.split_at(limits::CHUNK_BYTES);
    link.send(&Parts { flags: Flags::MORE, ..Parts::bare(Kind::Chunk, 1).body(middle) });
    link.send(&Parts::bare(Kind::Chunk, 1).body(tail));
    link.expect_refused(Kind::Put, 2, Code::BatchTooLarge);
    node.assert_serves();
}

#[test]
fn answers_are_not_for_clients_to_send() {
    let node = node();
    for kind in [Kind::Declared, Kind::PutOk, Kind::Fetched] {
        let mut link = node.link("client");
        link.send(&Parts::bare(kind, 1));
        link.expect_fatal(Code::UnexpectedKind);
    }
    node.assert_serves();
}
