use std::time::Duration;

use mesh_log::id::LaneId;
use mesh_wire::code::Code;

use super::world::{GROUP, LEADER, OWN, all, extent, lane, offer, payload, piece};
use crate::{
    id::NodeNumber,
    message::{Offer, Part, Pull},
    pull::{Follower, FollowerOutput, GivenUp, Lie, PullOptions},
};

const NOW: Duration = Duration::from_secs(100);

fn options() -> PullOptions {
    PullOptions {
        pull_bytes: 100,
        in_flight_bytes_max: 300,
        bytes_per_second: u64::MAX,
        ..PullOptions::default()
    }
}

fn outputs(follower: &mut Follower) -> Vec<FollowerOutput> {
    std::iter::from_fn(|| follower.poll_output()).collect()
}

fn pulls(outputs: &[FollowerOutput]) -> Vec<Pull> {
    let pull = |output: &FollowerOutput| match output {
        FollowerOutput::Send { pull, .. } => Some(*pull),
        _ => None,
    };
    outputs.iter().filter_map(pull).collect()
}

fn part(offer: &Offer, lane: u64, pieces: Vec<(u64, u32, mesh_log::payload::Payload)>) -> Part {
    let snapshot = offer.manifest.index;
    Part { group: GROUP, from: offer.from, snapshot, lane: LaneId(lane), pieces, gone: false }
}

/// One lane of ten pieces of 50 bytes and 3 records each.
fn one_lane() -> (Vec<(mesh_log::location::Piece, bytes::Bytes)>, Offer) {
    let pieces = lane(1, &[(3, 50); 10]);
    let offer = offer(LEADER, 40, vec![extent(&pieces)]);
    (pieces, offer)
}

fn begun(offer: &Offer) -> Follower {
    let mut follower = Follower::new(options());
    follower.handle_offer(NOW, offer.clone(), &all(offer));
    follower
}

#[test]
fn what_is_there_already_is_installed_at_once() {
    let (_, offer) = one_lane();
    let mut follower = Follower::new(options());
    follower.handle_offer(NOW, offer.clone(), &[]);
    assert_eq!(outputs(&mut follower), [FollowerOutput::Install { offer: Box::new(offer) }]);
    assert_eq!((follower.fetching(GROUP), follower.poll_timeout()), (None, None));
}

#[test]
fn parts_are_stored_and_asked_for_where_the_last_one_ended() {
    let (pieces, offer) = one_lane();
    let mut follower = begun(&offer);
    let mut at = 0;
    loop {
        let found = outputs(&mut follower);
        if let [FollowerOutput::Install { offer: installed }] = &found[..] {
            assert_eq!(**installed, offer);
            break;
        }
        let pulls = pulls(&found);
        let [pull] = pulls[..] else { panic!("{found:?}") };
        assert_eq!((pull.lane, pull.first, pull.last), (LaneId(1), pieces[at].0.first, 30));
        assert_eq!((pull.from, pull.snapshot, pull.max_bytes), (OWN, 40, 100));
        let two = &pieces[at..at + 2];
        follower.handle_part(NOW, LEADER, part(&offer, 1, two.iter().map(payload).collect())).unwrap();
        at += 2;
        let FollowerOutput::Store { id, group, pieces } = follower.poll_output().unwrap() else { panic!() };
        assert_eq!((group, &pieces[..]), (GROUP, two));
        follower.handle_stored(NOW, id, true);
    }
    assert_eq!((at, follower.in_flight_bytes()), (10, 0));
}

#[test]
fn it_is_not_installed_before_all_is_stored() {
    let pieces = lane(1, &[(1, 50)]);
    let offer = offer(LEADER, 40, vec![extent(&pieces)]);
    let mut follower = begun(&offer);
    outputs(&mut follower);
    follower.handle_part(NOW, LEADER, part(&offer, 1, vec![payload(&pieces[0])])).unwrap();
    let found = outputs(&mut follower);
    assert!(matches!(found[..], [FollowerOutput::Store { id: 1, .. }]), "{found:?}");
    follower.handle_stored(NOW, 1, true);
    assert!(matches!(outputs(&mut follower)[..], [FollowerOutput::Install { .. }]));
    // What can't be stored is another matter.
    let mut follower = begun(&offer);
    outputs(&mut follower);
    follower.handle_part(NOW, LEADER, part(&offer, 1, vec![payload(&pieces[0])])).unwrap();
    outputs(&mut follower);
    follower.handle_stored(NOW, 1, false);
    let why = GivenUp::NotStored;
    assert_eq!(
        outputs(&mut follower),
        [FollowerOutput::GivenUp { group: GROUP, from: LEADER, index: 40, why }]
    );
    assert_eq!(follower.in_flight_bytes(), 0);
}

#[test]
fn no_more_is_under_way_than_may_be() {
    // 300 bytes of 100 each: three lanes of five.
    let lanes: Vec<_> = (1..=5).map(|number| lane(number, &[(1, 100); 2])).collect();
    let offer = offer(LEADER, 40, lanes.iter().map(|pieces| extent(pieces)).collect());
    let mut follower = begun(&offer);
    assert_eq!(pulls(&outputs(&mut follower)).len(), 3);
    assert_eq!(follower.in_flight_bytes(), 300);
    // What came counts until it is stored.
    follower.handle_part(NOW, LEADER, part(&offer, 1, vec![payload(&lanes[0][0])])).unwrap();
    let found = outputs(&mut follower);
    assert_eq!((pulls(&found).len(), follower.in_flight_bytes()), (0, 300));
    follower.handle_stored(NOW, 1, true);
    assert_eq!((pulls(&outputs(&mut follower)).len(), follower.in_flight_bytes()), (1, 300));
    // One byte less of room, one pull less.
    let mut tight = Follower::new(PullOptions { in_flight_bytes_max: 299, ..options() });
    tight.handle_offer(NOW, offer.clone(), &all(&offer));
    assert_eq!(pulls(&outputs(&mut tight)).len(), 2);
    // One there may always be.
    let mut tiny = Follower::new(PullOptions { in_flight_bytes_max: 1, ..options() });
    tiny.handle_offer(NOW, offer.clone(), &all(&offer));
    assert_eq!(pulls(&outputs(&mut tiny)).len(), 1);
}

#[test]
fn the_pace_is_kept() {
    let (pieces, offer) = one_lane();
    let mut follower = Follower::new(PullOptions { bytes_per_second: 1_000, ..options() });
    follower.handle_offer(NOW, offer.clone(), &all(&offer));
    assert_eq!(pulls(&outputs(&mut follower)).len(), 1);
    follower.handle_part(NOW, LEADER, part(&offer, 1, pieces[..2].iter().map(payload).collect())).unwrap();
    follower.handle_stored(NOW, 1, true);
    assert!(pulls(&outputs(&mut follower)).is_empty());
    // 100 bytes at 1,000 a second.
    let at = NOW + Duration::from_millis(100);
    assert_eq!(follower.poll_timeout(), Some(at));
    follower.handle_timeout(at - Duration::from_nanos(1));
    assert!(pulls(&outputs(&mut follower)).is_empty());
    follower.handle_timeout(at);
    assert_eq!(pulls(&outputs(&mut follower)).len(), 1);
}

#[test]
fn who_does_not_answer_is_asked_again_and_then_given_up() {
    let (_, offer) = one_lane();
    let mut follower = begun(&offer);
    let first = pulls(&outputs(&mut follower));
    for _ in 1..options().tries_max {
        let at = follower.poll_timeout().unwrap();
        follower.handle_timeout(at - Duration::from_nanos(1));
        assert!(outputs(&mut follower).is_empty());
        follower.handle_timeout(at);
        assert_eq!(pulls(&outputs(&mut follower)), first);
    }
    follower.handle_timeout(follower.poll_timeout().unwrap());
    let why = GivenUp::Silence;
    assert_eq!(
        outputs(&mut follower),
        [FollowerOutput::GivenUp { group: GROUP, from: LEADER, index: 40, why }]
    );
    assert_eq!(
        (why.code(), follower.in_flight_bytes(), follower.poll_timeout()),
        (Code::SnapshotGone, 0, None)
    );
}

#[test]
fn what_was_not_asked_of_this_node_changes_nothing() {
    let (pieces, offer) = one_lane();
    let mut follower = begun(&offer);
    outputs(&mut follower);
    let good = || part(&offer, 1, vec![payload(&pieces[0])]);
    for (link, part) in [
        (NodeNumber(3), good()),
        (NodeNumber(3), Part { from: NodeNumber(3), ..good() }),
        (LEADER, Part { from: NodeNumber(3), ..good() }),
        (LEADER, Part { snapshot: 39, ..good() }),
        (LEADER, Part { snapshot: 0, ..good() }),
        (LEADER, Part { group: mesh_log::id::GroupId(4), ..good() }),
        (LEADER, Part { gone: true, snapshot: 39, ..good() }),
        // Nothing in it: it is asked again in time.
        (LEADER, part(&offer, 1, vec![])),
    ] {
        assert_eq!(follower.handle_part(NOW, link, part), Ok(()));
        assert_eq!(outputs(&mut follower), []);
    }
    // An answer to what was asked before for the same offer: its beginning is missing.
    follower.handle_part(NOW, LEADER, part(&offer, 1, vec![payload(&piece(1, 4, 3, 50))])).unwrap();
    assert_eq!(outputs(&mut follower), []);
    // The same answer twice.
    follower.handle_part(NOW, LEADER, good()).unwrap();
    assert_eq!(outputs(&mut follower).len(), 2);
    follower.handle_part(NOW, LEADER, good()).unwrap();
    assert_eq!(outputs(&mut follower), []);
}

#[test]
fn lies_are_refused() {
    let (pieces, truth) = one_lane();
    let lied = |change: fn(&mut Offer)| {
        let mut offer = truth.clone();
        change(&mut offer);
        offer
    };
    let good = |range: std::ops::Range<usize>| pieces[range].iter().map(payload).collect::<Vec<_>>();
    let rows = vec![
        ("another lane", truth.clone(), part(&truth, 2, good(0..1)), Lie::Lane { lane: LaneId(2) }),
        (
            "a gap",
            truth.clone(),
            part(&truth, 1, vec![payload(&pieces[0]), payload(&pieces[2])]),
            Lie::Order { lane: LaneId(1), first: 7, expected: 4 },
        ),
        (
            "out of order",
            truth.clone(),
            part(&truth, 1, vec![payload(&pieces[0]), payload(&pieces[0])]),
            Lie::Order { lane: LaneId(1), first: 1, expected: 4 },
        ),
        (
            "overlapping",
            truth.clone(),
            part(&truth, 1, vec![payload(&pieces[0]), payload(&piece(1, 3, 3, 50))]),
            Lie::Order { lane: LaneId(1), first: 3, expected: 4 },
        ),
        (
            "more numbers than asked for",
            truth.clone(),
            part(&truth, 1, vec![payload(&piece(1, 1, 31, 50))]),
            Lie::Beyond { lane: LaneId(1), last: 31, wanted: 30 },
        ),
        (
            "no records",
            truth.clone(),
            part(&truth, 1, vec![payload(&piece(1, 1, 0, 50))]),
            Lie::Empty { lane: LaneId(1) },
        ),
        (
            "no bytes",
            truth.clone(),
            part(&truth, 1, vec![payload(&piece(1, 1, 3, 0))]),
            Lie::Empty { lane: LaneId(1) },
        ),
        (
            "more bytes than asked for",
            truth.clone(),
            part(&truth, 1, good(0..3)),
            Lie::TooMuch { lane: LaneId(1), bytes: 150, max: 100 },
        ),
        (
            "more bytes than there are",
            lied(|offer| offer.manifest.extents[0].bytes = 99),
            part(&truth, 1, good(0..2)),
            Lie::TooMuch { lane: LaneId(1), bytes: 100, max: 99 },
        ),
        (
            "fewer bytes than there are",
            lied(|offer| (offer.manifest.extents[0].bytes, offer.manifest.extents[0].last) = (51, 3)),
            part(&truth, 1, good(0..1)),
            Lie::TooLittle { lane: LaneId(1), bytes: 50, expected: 51 },
        ),
        (
            "another digest",
            lied(|offer| (offer.manifest.extents[0].bytes, offer.manifest.extents[0].last) = (50, 3)),
            part(&truth, 1, good(0..1)),
            Lie::Digest { lane: LaneId(1), first: 1 },
        ),
    ];
    for (name, offer, part, lie) in rows {
        let mut follower = begun(&offer);
        outputs(&mut follower);
        assert_eq!(follower.handle_part(NOW, LEADER, part), Err(lie), "{name}");
        let why = GivenUp::Lie(lie);
        assert_eq!(
            outputs(&mut follower),
            [FollowerOutput::GivenUp { group: GROUP, from: LEADER, index: 40, why }],
            "{name}"
        );
        assert_eq!(
            (why.code(), follower.fetching(GROUP), follower.in_flight_bytes()),
            (Code::SnapshotLied, None, 0)
        );
        assert!(!why.hint().is_empty() && !why.is_retryable() && !lie.hint().is_empty());
    }
}

#[test]
fn what_came_with_a_lie_is_fetched_again() {
    let (pieces, truth) = one_lane();
    let mut wrong = truth.clone();
    wrong.manifest.extents[0].digest ^= 1;
    let mut follower = begun(&wrong);
    for (id, two) in (1..).zip(pieces.chunks(2)) {
        outputs(&mut follower);
        let taken = follower.handle_part(NOW, LEADER, part(&wrong, 1, two.iter().map(payload).collect()));
        assert_eq!(taken.is_err(), id == 5);
        follower.handle_stored(NOW, id, true);
    }
    outputs(&mut follower);
    // The disk has 24 numbers of it, which are not to be trusted.
    follower.handle_offer(NOW, truth.clone(), &[(LaneId(1), 25, 30)]);
    let again = pulls(&outputs(&mut follower));
    assert_eq!((again[0].first, again[0].last), (1, 24));
    // When they came without one they are.
    let mut clean = Follower::new(options());
    clean.handle_offer(NOW, truth, &[(LaneId(1), 25, 30)]);
    assert_eq!(pulls(&outputs(&mut clean))[0].first, 25);
}

#[test]
fn a_snapshot_that_is_gone_is_given_up_for_another_one() {
    let (pieces, offer) = one_lane();
    let mut follower = begun(&offer);
    outputs(&mut follower);
    follower.handle_part(NOW, LEADER, part(&offer, 1, pieces[..2].iter().map(payload).collect())).unwrap();
    follower.handle_stored(NOW, 1, true);
    outputs(&mut follower);
    follower.handle_part(NOW, LEADER, Part { gone: true, ..part(&offer, 1, vec![]) }).unwrap();
    let why = GivenUp::Gone;
    assert_eq!(
        outputs(&mut follower),
        [FollowerOutput::GivenUp { group: GROUP, from: LEADER, index: 40, why }]
    );
    // Another leader, another snapshot: what is there is not asked for again.
    let next = super::world::offer(NodeNumber(3), 60, offer.manifest.extents.clone());
    follower.handle_offer(NOW, next, &[(LaneId(1), 7, 30)]);
    let found = outputs(&mut follower);
    let FollowerOutput::Send { to, pull } = found[0] else { panic!() };
    assert_eq!((to, pull.first, pull.snapshot), (NodeNumber(3), 7, 60));
}

#[test]
fn a_newer_offer_waits_for_what_the_older_one_is_storing() {
    let pieces = lane(1, &[(3, 50); 2]);
    let first = offer(LEADER, 40, vec![extent(&pieces)]);
    let mut follower = begun(&first);
    outputs(&mut follower);
    follower.handle_part(NOW, LEADER, part(&first, 1, pieces.iter().map(payload).collect())).unwrap();
    outputs(&mut follower);
    let next = super::world::offer(NodeNumber(3), 41, first.manifest.extents.clone());
    // The disk does not have it yet, and it is not asked for again.
    follower.handle_offer(NOW, next.clone(), &all(&next));
    assert_eq!(outputs(&mut follower), []);
    assert_eq!(follower.in_flight_bytes(), 100);
    follower.handle_stored(NOW, 1, true);
    assert_eq!(outputs(&mut follower), [FollowerOutput::Install { offer: Box::new(next) }]);
    assert_eq!(follower.in_flight_bytes(), 0);
}

#[test]
fn the_same_offer_again_goes_on_where_it_is() {
    let (pieces, offer) = one_lane();
    let mut follower = begun(&offer);
    outputs(&mut follower);
    follower.handle_part(NOW, LEADER, part(&offer, 1, pieces[..2].iter().map(payload).collect())).unwrap();
    follower.handle_stored(NOW, 1, true);
    assert_eq!(pulls(&outputs(&mut follower))[0].first, 7);
    follower.handle_offer(NOW, offer.clone(), &all(&offer));
    assert_eq!(outputs(&mut follower), []);
    assert_eq!(follower.in_flight_bytes(), 100);
}

#[test]
fn what_is_cancelled_takes_no_room() {
    let (pieces, offer) = one_lane();
    let mut follower = begun(&offer);
    outputs(&mut follower);
    follower.handle_part(NOW, LEADER, part(&offer, 1, vec![payload(&pieces[0])])).unwrap();
    assert_eq!(follower.in_flight_bytes(), 150);
    follower.forget(GROUP);
    assert_eq!((follower.in_flight_bytes(), follower.poll_timeout()), (0, None));
    outputs(&mut follower);
    follower.handle_stored(NOW, 1, true);
    assert_eq!(follower.handle_part(NOW, LEADER, part(&offer, 1, vec![payload(&pieces[1])])), Ok(()));
    assert_eq!(outputs(&mut follower), []);
}
