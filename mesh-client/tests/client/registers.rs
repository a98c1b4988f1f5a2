//! Registers: what a producer sends, in which order, and what it makes of the answers.

use std::time::Duration;

use bytes::Bytes;
use mesh_client::{BatchBuilder, Client, Code, Producer, Record, Register};
use mesh_wire::batch::{Batch, BatchHeader};
use mesh_wire::body;
use mesh_wire::chunk;
use mesh_wire::class::Class;
use mesh_wire::durable::{DeclareV1, DeclaredV1, Fetch, FetchedBuilder, PutOk, REGISTER};
use mesh_wire::frame::{Flags, Kind, Parts};
use mesh_wire::limits;

use crate::fake_node::{FakeLink, FakeNode, Got, soon};
use crate::trust::Trust;

const LANE: u64 = 77;

fn batch(values: &[&[u8]]) -> BatchBuilder {
    let mut batch = BatchBuilder::new(mesh_wire::batch::Producer::default());
    for value in values {
        batch.push(&Record { value: Some(value), ..Record::default() }).unwrap();
    }
    batch
}

/// Has `client` declare a register, and answers as a node.
async fn declared(client: &Client, link: &mut FakeLink) -> Register {
    let (register, ()) = tokio::join!(client.register("audit"), async {
        let declare = link.expect(Kind::Declare).await;
        let said: DeclareV1 = body::decode(&declare.body).unwrap();
        assert_eq!(said, DeclareV1 { sort: REGISTER, name: "audit".into(), create: true });
        assert!(declare.aux > 0, "it says how long it has");
        let body = body::encode(&DeclaredV1 { lane: LANE, group: 3, created: true }).unwrap();
        link.send(&Parts::bare(Kind::Declared, declare.id).body(&body)).await;
    });
    register.unwrap()
}

/// What a `PUT` says of itself.
fn header(put: &Got) -> BatchHeader {
    assert_eq!((put.kind, put.ext().lane()), (Kind::Put, Some(LANE)));
    *Batch::parse(put.body.clone()).unwrap().header()
}

async fn keep(link: &mut FakeLink, put: &Got, first: u64, duplicate: bool) {
    let count = header(put).record_count;
    let body = PutOk { lane: LANE, first, count, duplicate }.encode();
    link.send(&Parts::bare(Kind::PutOk, put.id).body(&body)).await;
}

async fn producer(node: &FakeNode) -> (Client, Register, Producer, FakeLink) {
    let (client, mut link) = node.connect().await;
    let register = declared(&client, &mut link).await;
    let producer = register.producer().open().unwrap();
    (client, register, producer, link)
}

/// Answers with a large batch of three records, in chunks.
async fn fetched_in(link: &mut FakeLink, class: Class, fetch: &Got, batch: &[u8]) {
    let mut fetched = FetchedBuilder::new(1);
    assert!(fetched.push(1, 3, batch));
    let whole = fetched.finish(4);
    assert!(chunk::needs_chunks(whole.len()));
    let mut ext = mesh_wire::ext::ExtBuilder::new();
    ext.push_chunk(1, whole.len() as u64).unwrap();
    let mut parts = chunk::parts(whole.len());
    let opening = Parts { ext: ext.as_bytes(), ..Parts::bare(Kind::Fetched, fetch.id) };
    link.send_in(class, &opening.body(&whole[parts.next().unwrap()])).await;
    while let Some(range) = parts.next() {
        let flags = if parts.len() > 0 { Flags::MORE } else { Flags::NONE };
        link.send_in(class, &Parts { flags, ..Parts::bare(Kind::Chunk, 1).body(&whole[range]) }).await;
    }
}

#[tokio::test]
async fn over_quic_what_is_in_order_shares_a_lane() {
    let trust = Trust::new();
    let node = trust.node();
    let (client, link) = tokio::join!(trust.builder(&node).connect(), node.accept());
    let (client, mut link) = (client.unwrap(), link);
    let register = declared(&client, &mut link).await;
    let producer = register.producer().open().unwrap();
    let value = vec![7; 100 * 1024];
    let large = batch(&[&value, &value, &value]);
    let waiting = [producer.send(&large).await.unwrap(), producer.send(&batch(&[b"x"])).await.unwrap()];
    let mut got = Vec::new();
    for kind in [Kind::Put, Kind::Chunk, Kind::Put] {
        got.push(link.next_of(&[Class::Request]).await.unwrap());
        assert_eq!(got.last().map(|got| got.kind), Some(kind));
    }
    let body = [&got[0].body[..], &got[1].body].concat();
    for (put, count) in [(&got[0], 3), (&got[2], 1)] {
        let ok = PutOk { lane: LANE, first: 1, count, duplicate: false }.encode();
        link.send_in(Class::Request, &Parts::bare(Kind::PutOk, put.id).body(&ok)).await;
    }
    for acknowledged in waiting {
        soon(acknowledged).await.unwrap();
    }
    let (read, ()) = tokio::join!(register.read(1, 1), async {
        let fetch = link.next_of(&[Class::Request]).await.unwrap();
        fetched_in(&mut link, Class::Bulk, &fetch, &body).await;
    });
    assert_eq!(read.unwrap().records().len(), 3);
}

#[tokio::test]
async fn records_are_appended_and_read() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let register = declared(&client, &mut link).await;
    assert_eq!((register.name(), register.lane(), register.group()), ("audit", LANE, 3));
    assert!(register.was_created());

    let (appended, put) = tokio::join!(register.append(["one", "two"]), async {
        let put = link.expect(Kind::Put).await;
        assert!((1..=5_000).contains(&put.aux), "{}", put.aux);
        keep(&mut link, &put, 41, false).await;
        put
    });
    let appended = appended.unwrap();
    assert_eq!((appended.first, appended.count, appended.duplicate), (41, 2, false));
    let said = header(&put);
    assert_eq!((said.producer_epoch, said.base_sequence, said.record_count), (0, 0, 2));

    // A batch that begins before what is asked for comes whole; the rest of it is not shown.
    let (read, ()) = tokio::join!(register.read(42, 4096), async {
        let fetch = link.expect(Kind::Fetch).await;
        let said = Fetch::decode(&fetch.body).unwrap();
        assert_eq!(said, Fetch { lane: LANE, from: 42, max_bytes: 4096, linearizable: true });
        let mut fetched = FetchedBuilder::new(42);
        assert!(fetched.push(41, 2, &put.body));
        link.send(&Parts::bare(Kind::Fetched, fetch.id).body(&fetched.finish(44))).await;
    });
    let read = read.unwrap();
    let records: Vec<_> = read.records().iter().map(|stored| (stored.sequence, &stored.value[..])).collect();
    assert_eq!(records, [(42, &b"two"[..])]);
    assert_eq!((read.next(), read.head(), read.is_end()), (43, 44, false));

    let (read, ()) = tokio::join!(register.read_local(44, 1), async {
        let fetch = link.expect(Kind::Fetch).await;
        assert!(!Fetch::decode(&fetch.body).unwrap().linearizable);
        let nothing = FetchedBuilder::new(44).finish(44);
        link.send(&Parts::bare(Kind::Fetched, fetch.id).body(&nothing)).await;
    });
    assert!(read.unwrap().is_end());
}

#[tokio::test]
async fn what_is_out_of_range_is_not_sent() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let register = declared(&client, &mut link).await;
    let code = |result: Result<_, mesh_client::Error>| result.map(drop).unwrap_err().code();
    assert_eq!(code(register.read(0, 1).await), Code::FieldOutOfRange);
    assert_eq!(code(register.read(1, 0).await), Code::FieldOutOfRange);
    assert_eq!(code(register.read(1, limits::FETCH_BYTES_MAX + 1).await), Code::FieldOutOfRange);
    assert_eq!(register.append([""; 0]).await.unwrap_err().code(), Code::RecordInvalid);
    assert_eq!(register.append(vec![""; 4097]).await.unwrap_err().code(), Code::TooManyRecords);
    assert_eq!(client.register("Not A Name").await.unwrap_err().code(), Code::NameMalformed);
    let builder = || register.producer();
    for (wrong, right) in [
        (builder().batches(0), builder().batches(1)),
        (builder().batches(limits::PRODUCER_WINDOW + 1), builder().batches(limits::PRODUCER_WINDOW)),
        (builder().bytes(limits::BATCH_BYTES - 1), builder().bytes(limits::BATCH_BYTES)),
        (builder().timeout(Duration::ZERO), builder().timeout(Duration::from_millis(1))),
    ] {
        assert!(wrong.open().is_err());
        assert!(right.open().is_ok());
    }
    link.expect_nothing_before_ping(&client).await;
}

#[tokio::test]
async fn many_are_under_way_at_once_and_each_has_its_answer() {
    let node = FakeNode::new();
    let (_client, _register, producer, mut link) = producer(&node).await;
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(producer.send(&batch(&[b"a", b"b"])).await.unwrap());
    }
    assert_eq!(producer.in_flight(), 3);
    let mut puts = Vec::new();
    for _ in 0..3 {
        puts.push(link.expect(Kind::Put).await);
    }
    let sequences: Vec<u64> = puts.iter().map(|put| header(put).base_sequence).collect();
    assert_eq!(sequences, [0, 2, 4]);
    let id = header(&puts[0]).producer_id;
    assert!(puts.iter().all(|put| header(put).producer_id == id));
    // In any order: each finds who waits for it.
    for at in [2, 0, 1] {
        keep(&mut link, &puts[at], 10 + 2 * at as u64, false).await;
    }
    for (at, acknowledged) in waiting.into_iter().enumerate() {
        assert_eq!(soon(acknowledged).await.unwrap().first, 10 + 2 * at as u64);
    }
    soon(producer.flush()).await;
    assert_eq!(producer.in_flight(), 0);
}

#[tokio::test]
async fn what_is_refused_for_now_is_sent_again_with_all_behind_it() {
    let node = FakeNode::new();
    let (_client, _register, producer, mut link) = producer(&node).await;
    let first = producer.send(&batch(&[b"1"])).await.unwrap();
    let second = producer.send(&batch(&[b"2"])).await.unwrap();
    let third = producer.send(&batch(&[b"3"])).await.unwrap();
    let puts = [link.next().await.unwrap(), link.next().await.unwrap(), link.next().await.unwrap()];
    keep(&mut link, &puts[0], 1, false).await;
    link.refuse(Kind::Put, puts[1].id, Code::NoLeader, Flags::NONE).await;
    link.refuse(Kind::Put, puts[2].id, Code::SequenceGap, Flags::NONE).await;
    let again = [link.expect(Kind::Put).await, link.expect(Kind::Put).await];
    assert_eq!(again[0].body, puts[1].body, "the same bytes, and so the same sequence");
    assert_eq!(again[1].body, puts[2].body);
    assert_ne!(again[0].id, puts[1].id, "an answer to the sending before is not taken for one to this");
    keep(&mut link, &again[0], 2, true).await;
    keep(&mut link, &again[1], 3, false).await;
    assert_eq!(soon(first).await.unwrap().first, 1);
    assert!(soon(second).await.unwrap().duplicate);
    assert_eq!(soon(third).await.unwrap().first, 3);
}

/// Refuses all that is put until the link is closed from the other side.
async fn refuse_all(mut link: FakeLink) -> Vec<Bytes> {
    let mut refused = Vec::new();
    while let Some(got) = link.next().await {
        match got.kind {
            Kind::Put => {
                refused.push(got.body.clone());
                link.refuse(Kind::Put, got.id, Code::NoLeader, Flags::NONE).await;
            }
            Kind::Ping => link.send(&Parts::bare(Kind::Pong, got.id)).await,
            _ => {}
        }
    }
    refused
}

#[tokio::test]
async fn a_node_that_can_t_serve_is_left_for_another_and_nothing_comes_twice() {
    let (one, two) = (FakeNode::new(), FakeNode::new());
    let builder = one.builder().endpoint(two.endpoint());
    let (client, link) = tokio::join!(builder.connect(), one.accept());
    let (client, mut link) = (client.unwrap(), link);
    let register = declared(&client, &mut link).await;
    let producer = register.producer().open().unwrap();
    let appended = producer.send(&batch(&[b"1"])).await.unwrap();
    let refusing = tokio::spawn(refuse_all(link));
    let mut next = two.accept().await;
    let put = next.expect(Kind::Put).await;
    keep(&mut next, &put, 1, false).await;
    assert_eq!(soon(appended).await.unwrap().first, 1);
    let refused = soon(refusing).await.unwrap();
    assert!(refused.len() > 2, "it was tried there for a while");
    assert!(refused.iter().all(|body| *body == put.body), "the same bytes, and so the same sequence");
}

#[tokio::test]
async fn the_only_node_is_kept_although_it_can_t_serve() {
    let node = FakeNode::new();
    let (_client, _register, producer, mut link) = producer(&node).await;
    let appended = producer.send(&batch(&[b"1"])).await.unwrap();
    let start = tokio::time::Instant::now();
    loop {
        let put = link.expect(Kind::Put).await;
        if start.elapsed() > Duration::from_millis(2_500) {
            keep(&mut link, &put, 1, false).await;
            break;
        }
        link.refuse(Kind::Put, put.id, Code::NoLeader, Flags::NONE).await;
    }
    assert_eq!(soon(appended).await.unwrap().first, 1);
}

#[tokio::test]
async fn a_link_that_is_lost_loses_nothing() {
    let (one, two) = (FakeNode::new(), FakeNode::new());
    let connecting = one.builder().endpoint(two.endpoint()).connect();
    let (client, mut link) = tokio::join!(connecting, one.accept());
    let client = client.unwrap();
    let register = declared(&client, &mut link).await;
    let producer = register.producer().open().unwrap();
    let mut waiting = Vec::new();
    for value in [b"1", b"2", b"3"] {
        waiting.push(producer.send(&batch(&[value])).await.unwrap());
    }
    let mut bodies: Vec<Bytes> = Vec::new();
    for _ in 0..3 {
        bodies.push(link.expect(Kind::Put).await.body);
    }
    drop((one, link));
    // The other node gets what was not answered, and what is sent while nobody is there behind it.
    waiting.push(producer.send(&batch(&[b"4"])).await.unwrap());
    let mut link = two.accept().await;
    for at in 0..4 {
        let put = link.expect(Kind::Put).await;
        assert_eq!(header(&put).base_sequence, at);
        if let Some(body) = bodies.get(at as usize) {
            assert_eq!(put.body, body);
        }
        keep(&mut link, &put, at + 1, at < 2).await;
    }
    for (at, acknowledged) in waiting.into_iter().enumerate() {
        let appended = soon(acknowledged).await.unwrap();
        assert_eq!((appended.first, appended.duplicate), (at as u64 + 1, at < 2));
    }
}

#[tokio::test]
async fn what_may_be_asked_twice_is_asked_on_the_next_link() {
    let node = FakeNode::new();
    let (client, link) = node.connect().await;
    let (register, mut link) = tokio::join!(client.register("audit"), async {
        let mut link = link;
        link.expect(Kind::Declare).await;
        drop(link);
        let mut link = node.accept().await;
        let declare = link.expect(Kind::Declare).await;
        let body = body::encode(&DeclaredV1 { lane: LANE, group: 3, created: false }).unwrap();
        link.send(&Parts::bare(Kind::Declared, declare.id).body(&body)).await;
        link
    });
    let register = register.unwrap();
    let (read, ()) = tokio::join!(register.read(1, 100), async {
        let fetch = link.expect(Kind::Fetch).await;
        link.refuse(Kind::Fetch, fetch.id, Code::NoLeader, Flags::NONE).await;
        let fetch = link.expect(Kind::Fetch).await;
        let nothing = FetchedBuilder::new(1).finish(1);
        link.send(&Parts::bare(Kind::Fetched, fetch.id).body(&nothing)).await;
    });
    assert!(read.unwrap().is_end());

    let (denied, ()) = tokio::join!(register.read(1, 100), async {
        let fetch = link.expect(Kind::Fetch).await;
        link.refuse(Kind::Fetch, fetch.id, Code::PermissionDenied, Flags::NONE).await;
    });
    let denied = denied.unwrap_err();
    assert_eq!((denied.code(), denied.cause()), (Code::PermissionDenied, "because"));
}

#[tokio::test]
async fn a_register_that_is_not_there_is_not_made_by_who_only_reads() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let (register, tries) = tokio::join!(client.existing_register("audit"), async {
        let mut tries = 0;
        loop {
            let declare = link.expect(Kind::Declare).await;
            assert!(!body::decode::<DeclareV1>(&declare.body).unwrap().create);
            link.refuse(Kind::Declare, declare.id, Code::LaneUndeclared, Flags::NONE).await;
            tries += 1;
            // A node that has just started may know less than the one before it.
            if tries == 5 {
                return tries;
            }
        }
    });
    assert_eq!((register.unwrap_err().code(), tries), (Code::LaneUndeclared, 5));
    link.expect_nothing_before_ping(&client).await;
}

#[tokio::test]
async fn large_batches_go_in_chunks_and_small_ones_stay_behind_them() {
    let node = FakeNode::new();
    let (_client, register, producer, mut link) = producer(&node).await;
    let value = vec![7; 200 * 1024];
    let large = batch(&[&value, &value, &value]);
    let mut waiting = Vec::new();
    for batch in [&large, &batch(&[b"x"]), &large] {
        waiting.push(producer.send(batch).await.unwrap());
    }
    let mut got = Vec::new();
    while got.len() < 3 {
        let mut opening = link.expect(Kind::Put).await;
        let mut whole = opening.body.to_vec();
        if let Some((series, total)) = opening.ext().chunk() {
            while (whole.len() as u64) < total {
                let part = link.expect(Kind::Chunk).await;
                assert_eq!(part.id, u64::from(series));
                whole.extend_from_slice(&part.body);
            }
        }
        opening.body = whole.into();
        got.push(opening);
    }
    let sequences: Vec<u64> = got.iter().map(|put| header(put).base_sequence).collect();
    assert_eq!(sequences, [0, 3, 4]);
    assert!(got.iter().all(|put| put.lane == got[0].lane), "what is in order shares a lane");
    for put in &got {
        keep(&mut link, put, 1 + header(put).base_sequence, false).await;
    }
    for acknowledged in waiting {
        soon(acknowledged).await.unwrap();
    }

    // And back: a batch that is larger than a frame is put together again.
    let (read, ()) = tokio::join!(register.read(1, limits::FETCH_BYTES_MAX), async {
        let fetch = link.expect(Kind::Fetch).await;
        fetched_in(&mut link, Class::Control, &fetch, &got[0].body).await;
    });
    let read = read.unwrap();
    assert_eq!(read.records().len(), 3);
    assert!(read.records().iter().all(|stored| stored.value == value));
}

#[tokio::test]
async fn whoever_puts_more_than_may_be_under_way_waits() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let register = declared(&client, &mut link).await;
    let producer = register.producer().batches(2).open().unwrap();
    let one = batch(&[b"x"]);
    let first = producer.send(&one).await.unwrap();
    let second = producer.send(&one).await.unwrap();
    let waits = producer.clone();
    let third = tokio::spawn(async move { waits.send(&batch(&[b"x"])).await.unwrap().await });
    let puts = [link.expect(Kind::Put).await, link.expect(Kind::Put).await];
    link.expect_nothing_before_ping(&client).await;
    assert_eq!(producer.in_flight(), 2);
    keep(&mut link, &puts[0], 1, false).await;
    let put = link.expect(Kind::Put).await;
    assert_eq!(header(&put).base_sequence, 2);
    keep(&mut link, &puts[1], 2, false).await;
    keep(&mut link, &put, 3, false).await;
    assert_eq!(soon(third).await.unwrap().unwrap().first, 3);
    soon(async { (first.await.unwrap(), second.await.unwrap()) }).await;
}

#[tokio::test]
async fn after_a_failure_it_goes_on_in_the_next_epoch() {
    let node = FakeNode::new();
    let (_client, _register, producer, mut link) = producer(&node).await;
    let first = producer.send(&batch(&[b"1"])).await.unwrap();
    let second = producer.send(&batch(&[b"2"])).await.unwrap();
    let put = link.expect(Kind::Put).await;
    link.expect(Kind::Put).await;
    link.refuse(Kind::Put, put.id, Code::RecordCorrupt, Flags::NONE).await;
    let error = soon(first).await.unwrap_err();
    assert_eq!((error.code(), error.cause()), (Code::RecordCorrupt, "because"));
    // The second one is out there; nobody said what became of it.
    assert_eq!(soon(second).await.unwrap_err().code(), Code::OutcomeUnknown);
    let third = producer.send(&batch(&[b"3"])).await.unwrap();
    let put = link.expect(Kind::Put).await;
    assert_eq!((header(&put).producer_epoch, header(&put).base_sequence), (1, 0));
    keep(&mut link, &put, 9, false).await;
    assert_eq!(soon(third).await.unwrap().first, 9);
}

#[tokio::test]
async fn what_was_kept_too_long_ago_is_kept() {
    let node = FakeNode::new();
    let (_client, _register, producer, mut link) = producer(&node).await;
    let sent = producer.send(&batch(&[b"1", b"2"])).await.unwrap();
    let put = link.expect(Kind::Put).await;
    link.refuse(Kind::Put, put.id, Code::SequenceForgotten, Flags::NONE).await;
    let appended = soon(sent).await.unwrap();
    assert_eq!((appended.first, appended.count, appended.duplicate), (0, 2, true));
}

#[tokio::test]
async fn time_runs_out_for_what_nobody_takes() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let register = declared(&client, &mut link).await;
    let producer = register.producer().timeout(Duration::from_millis(30)).open().unwrap();
    let sent = producer.send(&batch(&[b"1"])).await.unwrap();
    let put = link.expect(Kind::Put).await;
    assert!((1..=30).contains(&put.aux), "{}", put.aux);
    assert_eq!(soon(sent).await.unwrap_err().code(), Code::OutcomeUnknown);

    // Nobody is there: it is certain that it is not kept.
    drop((node, link));
    let sent = producer.send(&batch(&[b"1"])).await.unwrap();
    let code = soon(sent).await.unwrap_err().code();
    assert!(code == Code::NotConnected || code == Code::OutcomeUnknown, "{code}");
    let sent = producer.send(&batch(&[b"1"])).await.unwrap();
    let error = soon(sent).await.unwrap_err();
    assert_eq!(error.code(), Code::NotConnected);
    assert!(!error.code().leaves_outcome_unknown());
}

#[tokio::test]
async fn the_end_of_the_client_ends_what_is_under_way() {
    let node = FakeNode::new();
    let (client, _register, producer, mut link) = producer(&node).await;
    let sent = producer.send(&batch(&[b"1"])).await.unwrap();
    link.expect(Kind::Put).await;
    tokio::join!(client.close(), async {
        while link.next().await.is_some_and(|got| got.kind != Kind::Goodbye) {}
    });
    let error = soon(sent).await.unwrap_err();
    assert!(error.code() == Code::ClientClosed && error.code().leaves_outcome_unknown());
    let sent = producer.send(&batch(&[b"1"])).await.unwrap();
    let error = soon(sent).await.unwrap_err();
    assert!(!error.code().leaves_outcome_unknown(), "{error}");
}

#[tokio::test]
async fn what_was_sent_is_brought_over_although_its_producer_is_gone() {
    let node = FakeNode::new();
    let (_client, register, producer, mut link) = producer(&node).await;
    let sent = producer.send(&batch(&[b"1"])).await.unwrap();
    drop(producer);
    let put = link.expect(Kind::Put).await;
    link.refuse(Kind::Put, put.id, Code::NodeDraining, Flags::NONE).await;
    let put = link.expect(Kind::Put).await;
    keep(&mut link, &put, 1, false).await;
    assert_eq!(soon(sent).await.unwrap().first, 1);
    drop(register);
}
