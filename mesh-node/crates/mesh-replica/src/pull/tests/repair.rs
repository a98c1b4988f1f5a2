use std::time::Duration;

use mesh_log::{
    id::{FileId, GroupId, LaneId},
    location::{Location, Piece},
};

use super::world::{GROUP, OWN, payload, piece};
use crate::{
    id::NodeNumber,
    message::Part,
    pull::{PullOptions, Repair, RepairOutput},
};

const NOW: Duration = Duration::from_secs(100);

fn options() -> PullOptions {
    PullOptions { damaged_max: 3, in_flight_bytes_max: 100, ..PullOptions::default() }
}

fn peers(_: GroupId) -> Vec<NodeNumber> {
    [1, 2, 3].map(NodeNumber).to_vec()
}

fn outputs(repair: &mut Repair) -> Vec<RepairOutput> {
    std::iter::from_fn(|| repair.poll_output()).collect()
}

fn damaged(piece: Piece) -> Repair {
    let mut repair = Repair::new(options());
    assert!(repair.handle_damaged(NOW, GROUP, piece));
    repair
}

/// Whom it was asked of.
fn asked(repair: &mut Repair, now: Duration) -> Option<NodeNumber> {
    repair.handle_timeout(now, OWN, &peers);
    match outputs(repair)[..] {
        [] => None,
        [RepairOutput::Send { to, .. }] => Some(to),
        ref others => panic!("{others:?}"),
    }
}

fn part(from: u64, pieces: &[(Piece, bytes::Bytes)]) -> Part {
    let lane = mesh_log::id::LaneId(1);
    let pieces = pieces.iter().map(payload).collect();
    Part { group: GROUP, from: NodeNumber(from), snapshot: 0, lane, pieces, gone: false }
}

#[test]
fn a_damaged_piece_is_asked_for_and_stored() {
    let good = piece(1, 7, 3, 50);
    let mut repair = damaged(good.0);
    assert_eq!(repair.poll_timeout(), Some(NOW));
    repair.handle_timeout(NOW, OWN, &peers);
    let found = outputs(&mut repair);
    let [RepairOutput::Send { to, pull }] = found[..] else { panic!("{found:?}") };
    assert_eq!((to, pull.snapshot, pull.first, pull.last, pull.max_bytes), (NodeNumber(2), 0, 7, 9, 50));
    repair.handle_part(NOW, NodeNumber(2), part(2, std::slice::from_ref(&good)));
    assert_eq!(outputs(&mut repair), [RepairOutput::Store { group: GROUP, piece: good.0, bytes: good.1 }]);
    // Twice changes nothing, nor does time.
    repair.handle_part(NOW, NodeNumber(2), part(2, &[piece(1, 7, 3, 50)]));
    assert_eq!((asked(&mut repair, NOW + Duration::from_secs(999)), repair.poll_timeout()), (None, None));
    repair.handle_stored(NOW, GROUP, &good.0, true);
    assert!(repair.is_empty());
}

#[test]
fn only_the_bytes_that_were_written_count() {
    let good = piece(1, 7, 3, 50);
    let other_bytes = {
        let mut bytes = good.1.to_vec();
        bytes[0] ^= 1;
        (good.0, bytes::Bytes::from(bytes))
    };
    for (name, link, part) in [
        ("other bytes", 2, part(2, &[other_bytes])),
        ("fewer bytes", 2, part(2, &[piece(1, 7, 3, 49)])),
        ("other records", 2, part(2, &[piece(1, 7, 4, 50)])),
        ("another piece", 2, part(2, &[piece(1, 8, 3, 50)])),
        ("nothing", 2, part(2, &[])),
        ("gone", 2, Part { gone: true, ..part(2, &[]) }),
    ] {
        let mut repair = damaged(good.0);
        assert_eq!(asked(&mut repair, NOW), Some(NodeNumber(2)));
        repair.handle_part(NOW, NodeNumber(link), part);
        assert_eq!(outputs(&mut repair), [], "{name}");
        // On to the next one, at once.
        assert_eq!(repair.poll_timeout(), Some(NOW), "{name}");
        assert_eq!(asked(&mut repair, NOW), Some(NodeNumber(3)), "{name}");
    }
    for (name, link, part) in [
        ("from another", 3, part(3, std::slice::from_ref(&good))),
        ("under another name", 2, part(3, std::slice::from_ref(&good))),
        ("of a snapshot", 2, Part { snapshot: 40, ..part(2, std::slice::from_ref(&good)) }),
    ] {
        let mut repair = damaged(good.0);
        asked(&mut repair, NOW);
        repair.handle_part(NOW, NodeNumber(link), part);
        assert_eq!(outputs(&mut repair), [], "{name}");
        assert_eq!(asked(&mut repair, NOW), None, "{name}");
    }
}

#[test]
fn when_nobody_has_it_all_are_asked_again_later() {
    let good = piece(1, 7, 3, 50);
    let mut repair = damaged(good.0);
    let mut now = NOW;
    for node in [2, 3] {
        assert_eq!(asked(&mut repair, now), Some(NodeNumber(node)));
        now = repair.poll_timeout().unwrap();
        assert_eq!(asked(&mut repair, now - Duration::from_nanos(1)), None);
    }
    repair.handle_timeout(now, OWN, &peers);
    assert_eq!(outputs(&mut repair), [RepairOutput::NoIntactCopy { group: GROUP, piece: good.0 }]);
    let again = now + options().repair_again_after;
    assert_eq!(repair.poll_timeout(), Some(again));
    assert_eq!(asked(&mut repair, again), Some(NodeNumber(2)));
    // Alone there is nobody to ask.
    let mut alone = damaged(good.0);
    alone.handle_timeout(NOW, OWN, &|_| vec![OWN]);
    assert_eq!(
        (outputs(&mut alone), alone.poll_timeout()),
        (
            vec![RepairOutput::NoIntactCopy { group: GROUP, piece: good.0 }],
            Some(NOW + options().repair_again_after)
        )
    );
    assert_eq!(alone.of_group(GROUP), (1, 1));
    let lane = good.0.lane;
    let is_lost = |repair: &Repair| [6, 7, 9, 10].map(|number| repair.is_lost(GROUP, lane, number));
    assert_eq!(is_lost(&alone), [false, true, true, false]);
    // Somebody is back.
    alone.handle_back(NOW);
    assert_eq!(asked(&mut alone, NOW), Some(NodeNumber(2)));
}

#[test]
fn what_is_given_up_is_not_asked_for() {
    let location = Location { file: FileId(9), offset: 0, len: u32::MAX, crc: 0 };
    let unknown = Piece { lane: LaneId(1), first: 10, count: 10, location };
    let ranges = |low: u64, stands: bool| {
        let mut repair = damaged(unknown);
        assert!(repair.handle_damaged(NOW, GROUP, piece(1, 5, 3, 50).0));
        repair.retain(&|_, _| low, &|_, _| stands);
        repair.handle_timeout(NOW, OWN, &peers);
        let asked = outputs(&mut repair).into_iter().map(|output| match output {
            RepairOutput::Send { pull, .. } => (pull.first, pull.last),
            other => panic!("{other:?}"),
        });
        asked.collect::<Vec<_>>()
    };
    assert_eq!(ranges(0, false), []);
    assert_eq!(ranges(7, true)[0], (5, 7), "of a piece that is known all is wanted");
    assert_eq!(ranges(8, true), [(10, 19)]);
    assert_eq!(ranges(12, true), [(12, 19)]);
    assert_eq!(ranges(20, true), []);
}

#[test]
fn unknown_records_come_as_the_pieces_that_others_have() {
    let location = Location { file: FileId(9), offset: 0, len: u32::MAX, crc: 0 };
    let mut repair = damaged(Piece { lane: LaneId(1), first: 10, count: 10, location });
    let options = PullOptions { in_flight_bytes_max: 1 << 21, ..options() };
    let mut now = NOW;
    // The piece begins before what is wanted of it; then there is one beyond the next; then what was left out.
    for (link, (first, count), rest) in
        [(2, (8, 4), vec![12]), (2, (15, 2), vec![12, 17]), (2, (17, 3), vec![12]), (2, (12, 3), vec![])]
    {
        let given = piece(1, first, count, 50);
        while repair.poll_output().is_some() {}
        for _ in 0..20 {
            repair.handle_timeout(now, OWN, &|_| vec![NodeNumber(link)]);
            repair.handle_part(now, NodeNumber(link), part(link, std::slice::from_ref(&given)));
            now += options.answer_time_max;
        }
        let stored = outputs(&mut repair).into_iter().find_map(|output| match output {
            RepairOutput::Store { piece, .. } => Some(piece),
            _ => None,
        });
        let stored = stored.expect("it is taken");
        assert_eq!((stored.first, stored.count), (first, count));
        repair.handle_stored(now, GROUP, &stored, true);
        let left: Vec<_> = (0..30).filter(|number| repair.begins(GROUP, LaneId(1), *number)).collect();
        assert_eq!(left, rest);
    }
    assert!(repair.is_empty());
}

#[test]
fn what_can_not_be_stored_is_tried_again() {
    let good = piece(1, 7, 3, 50);
    let mut repair = damaged(good.0);
    asked(&mut repair, NOW);
    repair.handle_part(NOW, NodeNumber(2), part(2, std::slice::from_ref(&good)));
    outputs(&mut repair);
    repair.handle_stored(NOW, GROUP, &good.0, false);
    let again = NOW + options().repair_again_after;
    assert_eq!((repair.len(), repair.poll_timeout()), (1, Some(again)));
    assert_eq!(asked(&mut repair, again), Some(NodeNumber(2)));
}

#[test]
fn damage_and_bytes_are_bounded() {
    let mut repair = Repair::new(options());
    for (at, fits) in [(1, true), (2, true), (3, true), (4, false)] {
        assert_eq!(repair.handle_damaged(NOW, GROUP, piece(1, at, 1, 40).0), fits);
    }
    assert!(repair.handle_damaged(NOW, GROUP, piece(1, 1, 1, 40).0), "it is known");
    assert_eq!(repair.len(), 3);
    repair.handle_timeout(NOW, OWN, &peers);
    // 100 bytes have room for two of 40.
    assert_eq!(outputs(&mut repair).len(), 2);
    repair.forget(GROUP);
    assert_eq!((repair.len(), repair.poll_timeout()), (0, None));
    assert!(repair.handle_damaged(NOW, GROUP, piece(1, 9, 1, 100).0));
    assert_eq!(asked(&mut repair, NOW), Some(NodeNumber(2)));
}
