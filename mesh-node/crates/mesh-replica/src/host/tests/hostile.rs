//! A peer that is who it says it is, and says what can't be: nothing changes, each is counted under its code, the group
//! goes on.

use std::collections::BTreeMap;

use bytes::Bytes;
use mesh_log::{
    id::GroupId,
    payload::Payload,
    record::{Entry, EntryKind},
};
use mesh_wire::code::Code;

use super::cluster::*;
use crate::{
    door::MessageKind,
    id::NodeNumber,
    manifest::NUMBER_MAX,
    message::{Beat, Extent, Manifest, Message, Offer, Part, Pull, Raft},
};

pub(super) fn raft(kind: MessageKind, from: NodeNumber, to: NodeNumber, term: u64) -> Raft {
    Raft {
        group: GROUP,
        from,
        to,
        kind: kind as u8,
        term,
        log_term: 0,
        index: 0,
        commit: 0,
        commit_term: 0,
        reject: false,
        reject_hint: 0,
        context: Bytes::new(),
        entries: Vec::new(),
        priority: 0,
        request_snapshot: 0,
    }
}

fn beat(group: GroupId, term: u64) -> Beat {
    Beat { group, term, commit: 0, rests: false, lost: false, read: 0 }
}

/// What a node has counted since it was last asked.
fn counted(cluster: &mut Cluster, node: NodeNumber) -> BTreeMap<Code, u64> {
    cluster.nodes.get_mut(&node).unwrap().host.take_refusals().counts
}

/// A cluster with two lines, its leader, and one of the others.
fn cluster() -> (Cluster, NodeNumber, NodeNumber) {
    let mut cluster = Cluster::new(3);
    let leader = cluster.elect();
    cluster.commit("a");
    cluster.commit("b");
    cluster.run(200);
    let other = node(leader.0 % 3 + 1);
    for number in 1..=3 {
        counted(&mut cluster, node(number));
    }
    (cluster, leader, other)
}

#[test]
fn what_a_peer_must_not_say_changes_nothing_and_is_counted() {
    let (mut cluster, leader, other) = cluster();
    let before = cluster.view(other);
    let (term, last) = (before.term, before.last);
    let append =
        Raft { index: last, log_term: term, commit: last, ..raft(MessageKind::Append, leader, other, term) };
    let with = |kind, bytes: &'static [u8]| {
        let payload = Payload::new(Bytes::from_static(bytes));
        let entries = vec![Entry { term, index: last + 1, kind, payload }];
        Message::Raft(Raft { entries, commit: last + 1, ..append.clone() })
    };
    let unknown = GroupId(99);
    let offer = Offer {
        group: GROUP,
        from: leader,
        to: other,
        term,
        loss: 0,
        manifest: Manifest {
            index: last + 100,
            term,
            time_ms: 1,
            members: voters(&[1, 2, 3]),
            state: Payload::new(Bytes::from_static(b"state")),
            extents: Vec::new(),
        },
    };
    let extent = Extent { lane: LANE, first: 5, last: 4, bytes: 10, digest: 0 };
    let backwards = Manifest { extents: vec![extent], ..offer.manifest.clone() };
    let pull =
        Pull { group: GROUP, from: leader, snapshot: 77, lane: LANE, first: 1, last: 2, max_bytes: 1000 };
    let part =
        Part { group: unknown, from: leader, snapshot: 1, lane: LANE, pieces: Vec::new(), gone: false };
    let table: Vec<(&str, Message, Code)> = vec![
        ("group", Message::Raft(Raft { group: unknown, ..append.clone() }), Code::GroupUnknown),
        ("group of a beat", Message::Beat(vec![beat(unknown, term)]), Code::GroupUnknown),
        ("group of an answer", Message::BeatReply(vec![beat(unknown, term)]), Code::GroupUnknown),
        ("group of an offer", Message::Offer(Offer { group: unknown, ..offer.clone() }), Code::GroupUnknown),
        ("group of a pull", Message::Pull(Pull { group: unknown, ..pull }), Code::GroupUnknown),
        ("group of a part", Message::Part(part.clone()), Code::GroupUnknown),
        ("sender", Message::Raft(Raft { from: other, ..append.clone() }), Code::ReplicaSender),
        ("receiver", Message::Raft(Raft { to: leader, ..append.clone() }), Code::ReplicaSender),
        ("sender of an offer", Message::Offer(Offer { from: other, ..offer.clone() }), Code::ReplicaSender),
        ("sender of a pull", Message::Pull(Pull { from: other, ..pull }), Code::ReplicaSender),
        ("sender of a part", Message::Part(Part { group: GROUP, from: other, ..part }), Code::ReplicaSender),
        (
            "stale offer",
            Message::Offer(Offer {
                term: term - 1,
                manifest: Manifest { term: term - 1, ..offer.manifest.clone() },
                ..offer.clone()
            }),
            Code::ReplicaStale,
        ),
        ("kind", Message::Raft(Raft { kind: 200, ..append.clone() }), Code::ReplicaMalformed),
        ("term 0", Message::Raft(Raft { term: 0, ..append.clone() }), Code::ReplicaMalformed),
        ("last term", Message::Beat(vec![beat(GROUP, NUMBER_MAX + 1)]), Code::ReplicaMalformed),
        ("commands that don't decode", with(EntryKind::Commands, b"\xff\xff"), Code::EntryUnreadable),
        ("members that don't decode", with(EntryKind::Members, b"\xff\xff"), Code::EntryUnreadable),
        (
            "extents backwards",
            Message::Offer(Offer { manifest: backwards, ..offer }),
            Code::ManifestMalformed,
        ),
        (
            "more than a pull may ask for",
            Message::Pull(Pull { max_bytes: u32::MAX, ..pull }),
            Code::SnapshotRefused,
        ),
    ];
    for (what, message, code) in table {
        cluster.call(other, |host, now| host.handle_message(now, leader, message));
        let refused = counted(&mut cluster, other);
        assert_eq!(refused.into_iter().collect::<Vec<_>>(), [(code, 1)], "{what}");
        let now = cluster.view(other);
        assert_eq!((now.term, now.last, now.leader), (term, last, Some(leader)), "{what}");
    }
    cluster.commit("c");
    for number in 1..=3 {
        assert_eq!(cluster.lines(node(number)), ["a", "b", "c"]);
        assert!(!cluster.view(node(number)).quarantined);
    }
}

#[test]
fn what_is_said_in_a_term_that_is_over_changes_nothing() {
    let (mut cluster, old, other) = cluster();
    let stale = cluster.view(other).term;
    cluster.call(old, |host, now| host.transfer(now, GROUP, other));
    cluster.run_until("another leads", |cluster| cluster.leader() == Some(other));
    cluster.commit("c");
    cluster.run(200);
    let before = cluster.view(other);
    let payload = Payload::new(Bytes::from_static(b"whatever"));
    let entry = Entry { term: stale, index: before.last + 1, kind: EntryKind::Commands, payload };
    for message in [
        Message::Raft(Raft {
            index: before.last,
            log_term: stale,
            entries: vec![entry],
            ..raft(MessageKind::Append, old, other, stale)
        }),
        Message::Raft(raft(MessageKind::RequestVote, old, other, stale)),
        Message::Raft(raft(MessageKind::TimeoutNow, old, other, stale)),
        Message::Beat(vec![beat(GROUP, stale)]),
    ] {
        cluster.call(other, |host, now| host.handle_message(now, old, message));
        let now = cluster.view(other);
        assert_eq!((now.term, now.last, now.leader), (before.term, before.last, before.leader));
    }
    cluster.commit("d");
    assert_eq!(cluster.lines(old), ["a", "b", "c", "d"]);
}

#[test]
fn a_snapshot_whose_records_are_not_those_it_names_is_given_up() {
    let (mut cluster, leader, other) = cluster();
    let before = cluster.view(other);
    let index = before.last + 100;
    let extent = Extent { lane: LANE, first: 3, last: 4, bytes: 10, digest: 1 };
    let manifest = Manifest {
        index,
        term: before.term,
        time_ms: 1,
        members: voters(&[1, 2, 3]),
        state: Payload::new(Bytes::from_static(b"state")),
        extents: vec![extent],
    };
    let offer = Offer { group: GROUP, from: leader, to: other, term: before.term, loss: 0, manifest };
    let part = |pieces: Vec<(u64, u32, Payload)>| {
        let part = Part { group: GROUP, from: leader, snapshot: index, lane: LANE, pieces, gone: false };
        Message::Part(part)
    };
    let five = || Payload::new(Bytes::from_static(b"12345"));
    for (what, pieces) in [
        ("another digest", vec![(3, 1, five()), (4, 1, five())]),
        ("a gap", vec![(3, 1, five()), (5, 1, five())]),
        ("too far", vec![(3, 3, five())]),
        ("no records", vec![(3, 0, five())]),
    ] {
        // What the leader has to say to being asked is not wanted here.
        cluster.cut.push((other, leader));
        cluster.call(other, |host, now| host.handle_message(now, leader, Message::Offer(offer.clone())));
        cluster.call(other, |host, now| host.handle_message(now, leader, part(pieces)));
        cluster.cut.clear();
        assert_eq!(counted(&mut cluster, other), BTreeMap::from([(Code::SnapshotLied, 1)]), "{what}");
        assert_eq!(cluster.view(other).applied, before.applied, "{what}");
    }
    cluster.commit("c");
    assert_eq!(cluster.lines(other), ["a", "b", "c"]);
}
