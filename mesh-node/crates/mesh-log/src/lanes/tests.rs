use std::collections::BTreeMap;

use super::*;
use crate::job::Source;
use crate::{files::built, location::Location, vfs::simulated::SplitMix64};

const GROUP: GroupId = GroupId(1);
const LANE: LaneId = LaneId(7);
const LOG: FileId = FileId(3);

fn piece_in(file: FileId, first: u64, count: u32) -> Piece {
    let location = Location { file, offset: first.wrapping_mul(100), len: 100, crc: first as u32 ^ 0x5a };
    Piece { lane: LANE, first, count, location }
}

fn moved_to(file: FileId, piece: Piece) -> Piece {
    Piece { location: Location { file, ..piece.location }, ..piece }
}

fn segment(file: FileId, first: u64, last: u64) -> Source {
    Source::Segment { file, first, last }
}

#[test]
fn what_is_in_the_log_is_found_piece_by_piece_and_what_is_in_segments_by_the_segment() {
    let mut lanes = Lanes::default();
    for first in 1..=6 {
        lanes.put(GROUP, piece_in(LOG, first, 1));
    }
    lanes.moved(GROUP, &[moved_to(built(1), piece_in(LOG, 1, 1)), moved_to(built(1), piece_in(LOG, 2, 1))]);
    lanes.moved(GROUP, &[moved_to(built(2), piece_in(LOG, 3, 1))]);
    let found = lanes.find(GROUP, LANE, 2, 5);
    let expected = vec![
        segment(built(1), 2, 2),
        segment(built(2), 3, 3),
        Source::Piece(piece_in(LOG, 4, 1)),
        Source::Piece(piece_in(LOG, 5, 1)),
    ];
    assert_eq!(found, expected);
    assert_eq!(lanes.in_log(GROUP).len(), 3);
    assert_eq!(lanes.pieces_in(LOG).len(), 3);
    assert_eq!(lanes.find(GROUP, LANE, 7, u64::MAX), []);
    assert_eq!(lanes.find(GROUP, LaneId(8), 1, 9), []);
    assert_eq!(lanes.find(GroupId(2), LANE, 1, 9), []);
}

#[test]
fn a_chunk_has_no_more_pieces_than_it_may_and_no_gap() {
    let mut lanes = Lanes::default();
    let most = u64::from(CHUNK_PIECES_MAX);
    let chunks = |lanes: &Lanes| lanes.wanted(built(1)).len();
    for (first, expected) in [(1, 1), (most, 1), (most + 1, 2), (most + 3, 3)] {
        let last = lanes.runs(GROUP).last().map_or(0, |run| run.last);
        let from = if first == most + 3 { first } else { last + 1 };
        let pieces: Vec<_> = (from..=first).map(|first| piece_in(built(1), first, 1)).collect();
        lanes.stored(GROUP, &pieces);
        assert_eq!(chunks(&lanes), expected, "up to {first}");
    }
    let runs: Vec<_> = lanes.runs(GROUP).iter().map(|run| (run.first, run.last)).collect();
    assert_eq!(runs, [(1, most + 1), (most + 3, most + 3)]);
}

#[test]
fn no_more_sources_are_given_than_may_be() {
    let mut lanes = Lanes::default();
    let most = SOURCES_MAX as u64;
    for first in 1..=most + 1 {
        lanes.put(GROUP, piece_in(LOG, first, 1));
    }
    for (last, expected) in [(most - 1, most - 1), (most, most), (most + 1, most)] {
        assert_eq!(lanes.find(GROUP, LANE, 1, last).len() as u64, expected);
    }
}

#[test]
fn a_repaired_piece_counts_more_than_the_chunk_around_it() {
    let mut lanes = Lanes::default();
    let pieces: Vec<_> = (1..=5).map(|first| piece_in(built(1), first, 1)).collect();
    lanes.stored(GROUP, &pieces);
    let before = lanes.runs(GROUP);
    lanes.stored(GROUP, &[piece_in(built(2), 3, 1)]);
    let expected =
        vec![segment(built(1), 1, 2), Source::Piece(piece_in(built(2), 3, 1)), segment(built(1), 4, 5)];
    assert_eq!(lanes.find(GROUP, LANE, 1, 9), expected);
    assert_eq!(lanes.runs(GROUP), before, "the same records");
    assert!(lanes.stands(GROUP, &piece_in(built(2), 3, 1)));
    assert!(!lanes.stands(GROUP, &piece_in(built(1), 3, 1)));
    assert!(lanes.stands(GROUP, &piece_in(built(1), 4, 1)));
    let wanted: Vec<_> = lanes.wanted(built(1)).iter().map(|wanted| (wanted.first, wanted.last)).collect();
    assert_eq!(wanted, [(1, 2), (4, 5)]);
    // The repaired segment gives way to another one; the repair stays where it is.
    let rest = [1, 2, 4, 5].map(|first| (GROUP, piece_in(built(3), first, 1)));
    lanes.compacted(built(1), &rest);
    assert_eq!(lanes.unwanted(), [built(1)]);
    assert_eq!(lanes.runs(GROUP), before);
    assert_eq!(lanes.find(GROUP, LANE, 3, 3), [Source::Piece(piece_in(built(2), 3, 1))]);
}

#[test]
fn what_the_log_gives_again_after_a_restart_does_not_take_the_place_of_a_segment() {
    let mut lanes = Lanes::default();
    lanes.stored(GROUP, &[piece_in(built(1), 1, 4)]);
    lanes.put(GROUP, piece_in(LOG, 1, 4));
    assert_eq!(lanes.find(GROUP, LANE, 1, 4), [segment(built(1), 1, 4)]);
    assert_eq!(lanes.pieces_in(LOG), []);
    lanes.put(GROUP, piece_in(LOG, 5, 4));
    assert_eq!(lanes.pieces_in(LOG).len(), 1);
}

#[test]
fn what_was_trimmed_while_it_moved_is_not_wanted_in_the_segment() {
    let mut lanes = Lanes::default();
    lanes.put(GROUP, piece_in(LOG, 1, 2));
    lanes.put(GROUP, piece_in(LOG, 3, 2));
    lanes.trim(GROUP, LANE, 3);
    let both = [1, 3].map(|first| moved_to(built(1), piece_in(LOG, first, 2)));
    lanes.moved(GROUP, &both);
    assert_eq!(lanes.find(GROUP, LANE, 1, 9), [segment(built(1), 3, 4)]);
    assert_eq!(lanes.usage(built(1)).live, 100);
    lanes.trim(GROUP, LANE, 5);
    assert_eq!(lanes.unwanted(), [built(1)]);
    lanes.put(GROUP, piece_in(LOG, 1, 2));
    assert_eq!(lanes.find(GROUP, LANE, 1, 9), [], "it stays trimmed");
}

#[test]
fn trimming_goes_by_whole_pieces_and_whole_chunks() {
    let mut lanes = Lanes::default();
    lanes.stored(GROUP, &[piece_in(built(1), 1, 2), piece_in(built(1), 3, 2)]);
    lanes.put(GROUP, piece_in(LOG, 5, 3));
    for (below, firsts) in [(2, vec![1, 5]), (4, vec![1, 5]), (5, vec![5]), (7, vec![5]), (8, vec![])] {
        lanes.trim(GROUP, LANE, below);
        let mut found = Vec::new();
        for source in lanes.find(GROUP, LANE, 0, 99) {
            found.push(match source {
                Source::Piece(piece) => piece.first,
                Source::Segment { first, .. } => first,
            });
        }
        assert_eq!(found, firsts, "below {below}");
    }
}

#[test]
fn only_what_the_checkpoint_names_is_wanted_and_what_is_missing_of_it_is_said() {
    let mut lanes = Lanes::default();
    lanes.stored(GROUP, &[piece_in(built(1), 1, 2), piece_in(built(2), 3, 2), piece_in(built(3), 9, 1)]);
    lanes.restrict(GROUP, &[(LANE, 3, 9), (LaneId(8), 1, 1)]);
    assert_eq!(lanes.unwanted(), [built(1)]);
    let ranges = [(LANE, 3, 9), (LaneId(8), 1, 1)];
    assert_eq!(lanes.lacking(GROUP, &ranges), [(LANE, 5, 8), (LaneId(8), 1, 1)]);
    lanes.restrict(GROUP, &[]);
    assert_eq!(lanes.unwanted(), [built(1), built(2), built(3)]);
    assert_eq!(lanes.groups().count(), 0);
}

#[test]
fn what_is_missing_is_found_as_such_until_it_is_there() {
    let mut lanes = Lanes::default();
    lanes.stored(GROUP, &[piece_in(built(1), 4, 2)]);
    let ranges = [(LANE, 1, 9)];
    lanes.miss(GROUP, &ranges);
    assert_eq!(lanes.lacking(GROUP, &ranges), [(LANE, 1, 3), (LANE, 6, 9)], "to be fetched from others");
    lanes.miss(GROUP, &[(LANE, 2, 7)]);
    let expected = vec![segment(NOWHERE, 1, 3), segment(built(1), 4, 5), segment(NOWHERE, 6, 9)];
    assert_eq!(lanes.find(GROUP, LANE, 1, 99), expected);
    assert_eq!(lanes.find(GROUP, LANE, 7, 8), [segment(NOWHERE, 6, 9)]);
    let runs = |lanes: &Lanes| -> Vec<_> {
        lanes.runs(GROUP).iter().map(|run| (run.first, run.last, run.bytes)).collect()
    };
    assert_eq!(runs(&lanes), [(1, 3, 0), (4, 5, 100), (6, 9, 0)]);
    assert!(lanes.unwanted().is_empty());
    assert_eq!(lanes.segments().map(|(file, _)| file).collect::<Vec<_>>(), [built(1)]);

    lanes.stored(GROUP, &[piece_in(built(1), 6, 2)]);
    lanes.put(GROUP, piece_in(LOG, 2, 1));
    let expected = vec![
        segment(NOWHERE, 1, 1),
        Source::Piece(piece_in(LOG, 2, 1)),
        segment(NOWHERE, 3, 3),
        segment(built(1), 4, 7),
        segment(NOWHERE, 8, 9),
    ];
    assert_eq!(lanes.find(GROUP, LANE, 1, 99), expected);
    lanes.stored(GROUP, &[piece_in(built(1), 8, 2), piece_in(built(1), 1, 1), piece_in(built(1), 3, 1)]);
    assert_eq!(runs(&lanes), [(1, 9, 600)], "all of it is there");
    lanes.miss(GROUP, &[(LANE, 20, 21)]);
    lanes.trim(GROUP, LANE, 22);
    assert!(lanes.find(GROUP, LANE, 0, 99).is_empty());
}

#[test]
fn runs_begin_with_the_record_that_they_are_wanted_from() {
    let mut lanes = Lanes::default();
    lanes.stored(GROUP, &[piece_in(built(1), 1, 2)]);
    lanes.stored(GROUP, &[piece_in(built(2), 3, 2)]);
    lanes.put(GROUP, piece_in(LOG, 5, 2));
    let all = lanes.runs(GROUP);
    for (from, first, pieces) in [(0, 1, 3), (2, 1, 3), (3, 3, 2), (4, 3, 2), (5, 5, 1), (6, 5, 1)] {
        let runs = lanes.runs_from(GROUP, |_| from);
        assert_eq!(runs.iter().map(|run| (run.first, run.last)).collect::<Vec<_>>(), [(first, 6)], "{from}");
        assert_eq!(runs[0].bytes * 3, all[0].bytes * pieces);
    }
    assert_eq!(lanes.runs_from(GROUP, |_| 0), all);
    assert_eq!(lanes.runs_from(GROUP, |_| 7), []);
    lanes.trim(GROUP, LANE, 3);
    assert_eq!(lanes.runs(GROUP), lanes.runs_from(GROUP, |_| 3), "as if the others had gone");
}

#[test]
fn what_is_missing_and_not_wanted_any_more_is_not_missed() {
    let missing = |lanes: &Lanes| -> Vec<_> {
        lanes.missing(GROUP).iter().map(|piece| (piece.first, piece.last())).collect()
    };
    let mut lanes = Lanes::default();
    lanes.stored(GROUP, &[piece_in(built(1), 4, 2)]);
    lanes.miss(GROUP, &[(LANE, 1, 9)]);
    assert_eq!(missing(&lanes), [(1, 3), (6, 9)]);
    for (below, left) in [(3, vec![(3, 3), (6, 9)]), (4, vec![(6, 9)]), (9, vec![(9, 9)]), (10, vec![])] {
        lanes.trim(GROUP, LANE, below);
        assert_eq!((missing(&lanes), lanes.low(GROUP, LANE)), (left, below));
    }
    lanes.miss(GROUP, &[(LANE, 1, 12)]);
    assert_eq!(missing(&lanes), [(10, 12)]);
}

#[test]
fn a_group_that_is_forgotten_wants_nothing() {
    let mut lanes = Lanes::default();
    lanes.stored(GROUP, &[piece_in(built(1), 1, 2)]);
    lanes.stored(GroupId(2), &[piece_in(built(2), 1, 2)]);
    lanes.put(GROUP, piece_in(LOG, 3, 1));
    lanes.forget(GROUP);
    assert_eq!(lanes.unwanted(), [built(1)]);
    assert_eq!(lanes.pieces_in(LOG), []);
    lanes.dropped(built(1));
    lanes.dropped(built(2));
    let left: Vec<_> = lanes.segments().map(|(file, _)| file).collect();
    assert_eq!(left, [built(2)], "what is wanted is not dropped");
}

#[test]
fn the_last_number_that_there_is_can_be_held() {
    let mut lanes = Lanes::default();
    lanes.put(GROUP, piece_in(LOG, u64::MAX - 1, 1));
    assert_eq!(lanes.find(GROUP, LANE, 0, u64::MAX).len(), 1);
    assert_eq!(lanes.lacking(GROUP, &[(LANE, u64::MAX - 2, u64::MAX)]).len(), 2);
    lanes.kept(LOG);
    assert_eq!(lanes.runs(GROUP).len(), 1);
    assert_eq!(lanes.find(GROUP, LANE, 0, u64::MAX), [segment(LOG, u64::MAX - 1, u64::MAX - 1)]);
}

/// The same by brute force: each piece by itself.
#[derive(Default)]
struct Model {
    pieces: BTreeMap<(GroupId, LaneId, u64), Piece>,
    low: BTreeMap<(GroupId, LaneId), u64>,
    next: BTreeMap<(GroupId, LaneId), u64>,
}

impl Model {
    fn of(&self, group: GroupId, lane: LaneId) -> Vec<Piece> {
        let low = self.low.get(&(group, lane)).copied().unwrap_or(0);
        let range = self.pieces.range((group, lane, 0)..=(group, lane, u64::MAX));
        range.map(|(_, piece)| *piece).filter(|piece| piece.last() >= low).collect()
    }

    fn check(&self, lanes: &Lanes, random: &mut SplitMix64) {
        for (group, lane) in self.next.keys().copied() {
            let pieces = self.of(group, lane);
            let Some((first, last)) = pieces.first().zip(pieces.last()) else { continue };
            let from = random.between(first.first, last.last());
            let to = random.between(from, last.last() + 2);
            let within: Vec<_> = pieces.iter().filter(|p| p.last() >= from && p.first <= to).collect();
            let mut at = 0;
            for source in lanes.find(group, lane, from, to) {
                match source {
                    Source::Piece(piece) => {
                        assert_eq!(piece, *within[at]);
                        at += 1;
                    }
                    Source::Segment { file, first, last } => {
                        while at < within.len() && within[at].first <= last {
                            assert_eq!(within[at].location.file, file, "{group} {lane:?} {first}..={last}");
                            assert!(within[at].last() >= first);
                            at += 1;
                        }
                    }
                }
            }
            assert_eq!(at, within.len(), "all of it is found");
            let crcs: Vec<u8> = pieces.iter().flat_map(|p| p.location.crc.to_le_bytes()).collect();
            if lanes.runs(group).iter().any(|run| run.lane == lane && run.first == first.first) {
                let run = lanes.runs(group).into_iter().find(|run| run.lane == lane).unwrap();
                assert_eq!((run.last, run.digest), (last.last(), crc32c::crc32c(&crcs)));
            }
            assert_eq!(lanes.lacking(group, &[(lane, first.first, last.last())]), []);
        }
    }

    fn live(&self, file: FileId) -> u64 {
        let lanes = self.next.keys().flat_map(|(group, lane)| self.of(*group, *lane));
        lanes.filter(|piece| piece.location.file == file).map(|piece| u64::from(piece.location.len)).sum()
    }
}

#[test]
fn lanes_are_as_if_each_piece_was_held_by_itself() {
    for seed in 0..30 {
        let mut random = SplitMix64::new(seed);
        let mut model = Model::default();
        let mut lanes = Lanes::default();
        let (mut log, mut nth) = (FileId(1), 1);
        for _ in 0..300 {
            let group = GroupId(random.below(2) as u32);
            let lane = LaneId(random.below(3));
            match random.below(12) {
                0..6 => {
                    let next = model.next.entry((group, lane)).or_insert(1);
                    let piece = Piece { lane, ..piece_in(log, *next, 1 + random.below(4) as u32) };
                    *next = piece.last() + 1;
                    model.pieces.insert((group, lane, piece.first), piece);
                    lanes.put(group, piece);
                }
                6 => {
                    let next = model.next.get(&(group, lane)).copied().unwrap_or(1);
                    let low = model.low.entry((group, lane)).or_insert(0);
                    *low = random.between(*low, next.max(*low));
                    lanes.trim(group, lane, *low);
                }
                7 => {
                    let pieces = lanes.pieces_in(log);
                    let kept = random.chance(2);
                    for (group, piece) in pieces {
                        let to = if kept { log } else { built(nth) };
                        let moved = moved_to(to, piece);
                        model.pieces.insert((group, piece.lane, piece.first), moved);
                        if !kept {
                            lanes.moved(group, &[moved]);
                        }
                    }
                    if kept {
                        lanes.kept(log);
                    }
                    log = FileId(log.0 + 1);
                    nth += random.below(2);
                }
                8 => {
                    let pieces = model.of(group, lane);
                    if !pieces.is_empty() {
                        nth += 1;
                        let repaired = moved_to(built(nth), *random.pick(&pieces));
                        nth += 1;
                        model.pieces.insert((group, lane, repaired.first), repaired);
                        lanes.stored(group, &[repaired]);
                    }
                }
                9 => {
                    let files: Vec<_> = lanes.segments().map(|(file, _)| file).collect();
                    if !files.is_empty() {
                        nth += 1;
                        let file = *random.pick(&files);
                        let mut moved = Vec::new();
                        for wanted in lanes.wanted(file) {
                            for (_, piece) in model.pieces.range(
                                (wanted.group, wanted.lane, wanted.first)
                                    ..=(wanted.group, wanted.lane, wanted.last),
                            ) {
                                moved.push((wanted.group, moved_to(built(nth), *piece)));
                            }
                        }
                        for (group, piece) in &moved {
                            model.pieces.insert((*group, piece.lane, piece.first), *piece);
                        }
                        lanes.compacted(file, &moved);
                        nth += 1;
                    }
                }
                10 => lanes.unwanted().into_iter().for_each(|file| lanes.dropped(file)),
                _ => model.check(&lanes, &mut random),
            }
        }
        for (file, usage) in lanes.segments().collect::<Vec<_>>() {
            assert!(usage.live >= model.live(file), "seed {seed}: {file:?} has more than {usage:?}");
        }
        model.check(&lanes, &mut random);
    }
}
