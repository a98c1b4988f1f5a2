use std::time::Duration;

use mesh_log::id::{GroupId, LaneId};
use mesh_wire::code::Code;

use super::world::{GROUP, LEADER, OWN, extent, lane, offer, payload};
use crate::{
    codec::PULL_BYTES_MAX,
    id::NodeNumber,
    message::{Offer, Part, Pull},
    pull::{Leader, LeaderOutput, Lie, PullOptions, Reading},
};

const NOW: Duration = Duration::from_secs(100);

fn options() -> PullOptions {
    PullOptions {
        pin_idle_max: Duration::from_secs(10),
        pin_time_max: Duration::from_secs(25),
        pins_max: 2,
        reads_per_peer_max: 2,
        ..PullOptions::default()
    }
}

fn outputs(leader: &mut Leader) -> Vec<LeaderOutput> {
    std::iter::from_fn(|| leader.poll_output()).collect()
}

/// Lane 1 with the numbers 1 to 30, in two extents, and lane 4 with 1 to 3.
fn an_offer(index: u64) -> Offer {
    let pieces = lane(1, &[(3, 50); 10]);
    let extents = vec![extent(&pieces[..5]), extent(&pieces[5..]), extent(&lane(4, &[(3, 9)]))];
    offer(LEADER, index, extents)
}

fn pull(lane: u64, first: u64, last: u64) -> Pull {
    Pull { group: GROUP, from: OWN, snapshot: 40, lane: LaneId(lane), first, last, max_bytes: 100 }
}

fn offering() -> Leader {
    let mut leader = Leader::new(options());
    assert!(leader.offer(NOW, LEADER, &an_offer(40)));
    leader
}

fn gone(pull: &Pull) -> LeaderOutput {
    let Pull { group, snapshot, lane, .. } = *pull;
    let part = Part { group, from: LEADER, snapshot, lane, pieces: Vec::new(), gone: true };
    LeaderOutput::Send { to: OWN, part }
}

#[test]
fn what_was_offered_is_read_and_sent() {
    let mut leader = offering();
    leader.handle_pull(NOW, LEADER, OWN, pull(1, 4, 15)).unwrap();
    let read = LeaderOutput::Read {
        id: Reading(1),
        group: GROUP,
        lane: LaneId(1),
        first: 4,
        last: 15,
        max_bytes: 100,
    };
    assert_eq!(outputs(&mut leader), [read]);
    let pieces = lane(1, &[(3, 50); 10]);
    let found = pieces[1..4].iter().map(|(piece, bytes)| (*piece, Some(bytes.clone()))).collect();
    leader.handle_read(LEADER, Reading(1), found);
    // 100 bytes are full with two.
    let sent = pieces[1..3].iter().map(payload).collect();
    let part = Part { group: GROUP, from: LEADER, snapshot: 40, lane: LaneId(1), pieces: sent, gone: false };
    assert_eq!(outputs(&mut leader), [LeaderOutput::Send { to: OWN, part }]);
    // It is answered once.
    leader.handle_read(LEADER, Reading(1), Vec::new());
    assert_eq!(outputs(&mut leader), []);
}

#[test]
fn what_was_not_offered_is_refused() {
    let mut leader = offering();
    let max = PULL_BYTES_MAX as u32;
    for (name, pull) in [
        ("another lane", pull(2, 1, 3)),
        ("across extents", pull(1, 14, 16)),
        ("before the first", pull(1, 0, 3)),
        ("behind the last", pull(1, 28, 31)),
        ("backwards", pull(1, 5, 4)),
        ("another sender", Pull { from: NodeNumber(3), ..pull(1, 1, 3) }),
        ("too many bytes", Pull { max_bytes: max + 1, ..pull(1, 1, 3) }),
    ] {
        let Pull { lane, first, last, .. } = pull;
        let refused = leader.handle_pull(NOW, LEADER, OWN, pull).unwrap_err();
        assert_eq!(refused, Lie::NotOffered { lane, first, last }, "{name}");
        assert_eq!(refused.code(), Code::SnapshotRefused);
        assert_eq!(outputs(&mut leader), [], "{name}");
    }
    for good in [pull(1, 1, 15), pull(4, 1, 3)] {
        leader.handle_pull(NOW, LEADER, OWN, Pull { max_bytes: max, ..good }).unwrap();
        assert!(matches!(outputs(&mut leader)[..], [LeaderOutput::Read { .. }]));
    }
}

#[test]
fn another_snapshot_or_one_for_another_node_is_gone() {
    let mut leader = offering();
    for (link, asked) in [
        (OWN, Pull { snapshot: 39, ..pull(1, 1, 3) }),
        (OWN, Pull { snapshot: 41, ..pull(1, 1, 3) }),
        (OWN, Pull { group: GroupId(9), ..pull(1, 1, 3) }),
        (NodeNumber(3), Pull { from: NodeNumber(3), ..pull(1, 1, 3) }),
    ] {
        leader.handle_pull(NOW, LEADER, link, asked).unwrap();
        let found = outputs(&mut leader);
        assert!(
            matches!(&found[..], [LeaderOutput::Send { to, part }] if *to == link && part.gone),
            "{found:?}"
        );
    }
    // A newer offer takes the place of the older one.
    assert!(leader.offer(NOW, LEADER, &an_offer(50)));
    leader.handle_pull(NOW, LEADER, OWN, pull(1, 1, 3)).unwrap();
    assert_eq!(outputs(&mut leader), [gone(&pull(1, 1, 3))]);
    assert_eq!(leader.pins(), 1);
}

#[test]
fn what_is_offered_is_kept_for_a_bounded_time() {
    let mut leader = offering();
    let idle_over = NOW + Duration::from_secs(10);
    assert_eq!(leader.poll_timeout(), Some(idle_over));
    assert_eq!((leader.pinned_from(GROUP, LaneId(1)), leader.pinned_from(GROUP, LaneId(2))), (Some(1), None));
    assert_eq!(leader.pinned_lanes(GROUP).count(), 3);
    // Who asks keeps it, up to the end of all patience.
    let mut now = NOW;
    for (step, until) in [(9, 19), (9, 25), (6, 25)] {
        now += Duration::from_secs(step);
        leader.handle_pull(now, LEADER, OWN, pull(1, 1, 3)).unwrap();
        leader.handle_timeout(now);
        let found = outputs(&mut leader);
        let [LeaderOutput::Read { id, .. }] = found[..] else { panic!("{found:?}") };
        leader.handle_read_failed(id);
        assert_eq!(leader.poll_timeout(), Some(NOW + Duration::from_secs(until)));
    }
    let over = NOW + Duration::from_secs(25);
    leader.handle_timeout(over - Duration::from_nanos(1));
    assert_eq!(outputs(&mut leader), []);
    leader.handle_pull(over, LEADER, OWN, pull(1, 1, 3)).unwrap();
    assert_eq!(outputs(&mut leader), [gone(&pull(1, 1, 3))]);
    leader.handle_timeout(over);
    assert_eq!(outputs(&mut leader), [LeaderOutput::Expired { group: GROUP, to: OWN, index: 40 }]);
    assert_eq!((leader.pins(), leader.poll_timeout(), leader.pinned_from(GROUP, LaneId(1))), (0, None, None));
}

#[test]
fn what_is_installed_is_not_kept() {
    let mut leader = offering();
    leader.handle_acknowledged(GROUP, OWN, 39);
    leader.handle_acknowledged(GROUP, NodeNumber(3), 40);
    assert_eq!(leader.pins(), 1);
    leader.handle_acknowledged(GROUP, OWN, 40);
    assert_eq!((leader.pins(), outputs(&mut leader)), (0, vec![]));
}

#[test]
fn snapshots_and_reads_are_bounded() {
    let mut leader = offering();
    let to = |node: u64| Offer { to: NodeNumber(node), ..an_offer(40) };
    assert!(leader.offer(NOW, LEADER, &to(3)));
    assert!(!leader.offer(NOW, LEADER, &to(4)));
    // One in the place of another needs no more room.
    assert!(leader.offer(NOW, LEADER, &to(3)));
    assert_eq!(leader.pins(), 2);
    for reads in [1, 1, 0] {
        leader.handle_pull(NOW, LEADER, OWN, pull(1, 1, 3)).unwrap();
        assert_eq!(outputs(&mut leader).len(), reads);
    }
    // Others have their own.
    leader.handle_pull(NOW, LEADER, NodeNumber(3), Pull { from: NodeNumber(3), ..pull(1, 1, 3) }).unwrap();
    assert_eq!(outputs(&mut leader).len(), 1);
    leader.handle_read_failed(Reading(1));
    leader.handle_pull(NOW, LEADER, OWN, pull(1, 1, 3)).unwrap();
    assert_eq!(outputs(&mut leader).len(), 1);
    leader.forget(GROUP);
    assert_eq!(leader.pins(), 0);
}

#[test]
fn damage_and_what_was_not_asked_for_is_not_sent() {
    let pieces = lane(1, &[(3, 50); 10]);
    let whole = |at: usize| (pieces[at].0, Some(pieces[at].1.clone()));
    let mut flipped = pieces[1].1.to_vec();
    flipped[0] ^= 1;
    for (name, read, sent) in [
        ("damaged", vec![whole(0), (pieces[1].0, None), whole(2)], 1),
        ("damaged first", vec![(pieces[0].0, None), whole(1)], 0),
        ("not what was written", vec![whole(0), (pieces[1].0, Some(flipped.into()))], 1),
        ("a gap", vec![whole(0), whole(2)], 1),
        ("begins later", vec![whole(1)], 0),
        ("beyond", vec![whole(0), whole(1), whole(2)], 2),
    ] {
        let mut leader = offering();
        leader.handle_pull(NOW, LEADER, OWN, pull(1, 1, 6)).unwrap();
        outputs(&mut leader);
        leader.handle_read(LEADER, Reading(1), read);
        let found = outputs(&mut leader);
        let [LeaderOutput::Send { part, .. }] = &found[..] else { panic!("{name}: {found:?}") };
        assert_eq!((part.pieces.len(), part.gone), (sent, false), "{name}");
    }
}

#[test]
fn repairs_need_no_offer() {
    let mut leader = Leader::new(options());
    leader.handle_pull(NOW, LEADER, OWN, Pull { snapshot: 0, ..pull(8, 4, 6) }).unwrap();
    assert!(matches!(outputs(&mut leader)[..], [LeaderOutput::Read { first: 4, last: 6, .. }]));
    let wrong = Pull { snapshot: 0, ..pull(8, 6, 4) };
    assert!(leader.handle_pull(NOW, LEADER, OWN, wrong).is_err());
}
