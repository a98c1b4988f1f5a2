use super::*;
use crate::{files::built, id::LaneId, lanes::LARGE, location::Location};

const A: GroupId = GroupId(1);
const B: GroupId = GroupId(2);
const LANE: LaneId = LaneId(0);

fn piece(file: u64, first: u64, len: u32) -> Piece {
    let location = Location { file: FileId(file), offset: first * 1000, len, crc: 0 };
    Piece { lane: LANE, first, count: 1, location }
}

fn sealed(file: u64, groups: &[(GroupId, u64)], bytes: u64) -> Sealed {
    Sealed { file: FileId(file), groups: groups.to_vec(), bytes }
}

fn progress(applied: u64, checkpointed: u64) -> Progress {
    Progress { applied, last: applied, checkpointed }
}

/// One that deals with every full file at once.
fn eager() -> Rollover {
    Rollover::new(Options { sealed_files: 0, ..Options::default() })
}

fn job(action: Option<Action>) -> (Work, Job) {
    match action {
        Some(Action::Job { work, job }) => (work, job),
        other => panic!("a job was expected, not {other:?}"),
    }
}

#[test]
fn as_many_full_files_wait_as_may() {
    let lanes = Lanes::default();
    let mut rollover = Rollover::new(Options { sealed_files: 2, ..Options::default() });
    rollover.handle_progress(A, progress(9, 9));
    for file in 1..=2 {
        rollover.handle_sealed(&sealed(file, &[(A, file)], 100));
        assert_eq!(rollover.poll(&lanes), None);
    }
    rollover.handle_sealed(&sealed(3, &[(A, 3)], 100));
    assert_eq!(rollover.poll(&lanes), Some(Action::Release { file: FileId(1), kept: false }));
    assert_eq!(rollover.poll(&lanes), None);
    assert_eq!(rollover.waiting(), 2);
    rollover.set_urgent(true);
    assert_eq!(rollover.poll(&lanes), Some(Action::Release { file: FileId(2), kept: false }));
}

#[test]
fn what_is_live_moves_then_the_group_checkpoints_then_the_file_goes() {
    let mut lanes = Lanes::default();
    let mut rollover = eager();
    rollover.handle_sealed(&sealed(1, &[(A, 5)], 1000));
    assert_eq!(rollover.poll(&lanes), None, "nothing is known of the group");
    rollover.handle_progress(A, Progress { applied: 4, last: 9, checkpointed: 4 });
    assert_eq!(rollover.poll(&lanes), None, "not all of it is applied");
    rollover.handle_progress(A, Progress { applied: 5, last: 9, checkpointed: 4 });
    lanes.put(A, piece(1, 1, 10));

    let (work, moving) = job(rollover.poll(&lanes));
    assert_eq!(moving, Job::Move { group: A, pieces: vec![piece(1, 1, 10)] });
    assert_eq!(rollover.poll(&lanes), None, "not before it is durable");
    let there =
        Piece { location: Location { file: built(1), ..piece(1, 1, 10).location }, ..piece(1, 1, 10) };
    assert_eq!(rollover.handle_done(work, &Done::Moved(vec![there]), &mut lanes), Found::default());

    assert_eq!(rollover.poll(&lanes), Some(Action::Checkpoint { group: A, index: 5 }));
    assert_eq!(rollover.poll(&lanes), None, "it is asked for once");
    rollover.handle_progress(A, Progress { applied: 6, last: 9, checkpointed: 4 });
    assert_eq!(rollover.poll(&lanes), None);
    rollover.handle_progress(A, Progress { applied: 6, last: 9, checkpointed: 5 });
    assert_eq!(rollover.poll(&lanes), Some(Action::Release { file: FileId(1), kept: false }));
    assert_eq!(rollover.poll(&lanes), None);
    assert_eq!(lanes.pieces_in(FileId(1)), []);
}

#[test]
fn a_file_is_kept_from_the_share_on_that_the_options_name() {
    // Bytes of pieces, of which some are large, in a file with 1,000,000 bytes of entries; and whether it is kept.
    let large = LARGE + 1;
    let cases: [(&[u32], bool); 6] = [
        (&[50_000; 9], false),
        (&[50_000; 10], true),
        (&[LARGE; 6], false),
        (&[large; 3], false),
        (&[large; 4], true),
        (&[50_000, 50_000, 50_000, 50_000, large], false),
    ];
    for (lens, kept) in cases {
        let mut lanes = Lanes::default();
        let mut rollover = eager();
        rollover.handle_sealed(&sealed(1, &[(A, 1)], 1_000_000));
        rollover.handle_progress(A, progress(1, 1));
        for (first, len) in lens.iter().enumerate() {
            lanes.put(A, piece(1, first as u64, *len));
        }
        let (work, job) = job(rollover.poll(&lanes));
        assert_eq!(matches!(job, Job::Keep { .. }), kept, "{lens:?}");
        if kept {
            rollover.handle_done(work, &Done::Kept, &mut lanes);
            assert_eq!(rollover.poll(&lanes), Some(Action::Release { file: FileId(1), kept: true }));
            assert!(lanes.is_segment(FileId(1)));
        }
    }
}

#[test]
fn an_idle_group_is_made_to_checkpoint() {
    let lanes = Lanes::default();
    let mut rollover = eager();
    rollover.handle_progress(A, progress(100, 100));
    rollover.handle_progress(B, progress(3, 0));
    rollover.handle_sealed(&sealed(1, &[(A, 50), (B, 3)], 10));
    assert_eq!(rollover.poll(&lanes), Some(Action::Checkpoint { group: B, index: 3 }));
    rollover.handle_progress(B, progress(3, 3));
    assert_eq!(rollover.poll(&lanes), Some(Action::Release { file: FileId(1), kept: false }));
}

#[test]
fn a_group_whose_log_was_cut_back_does_not_pin_a_file() {
    let lanes = Lanes::default();
    let mut rollover = eager();
    rollover.handle_sealed(&sealed(1, &[(A, 20)], 10));
    rollover.handle_progress(A, Progress { applied: 11, last: 12, checkpointed: 0 });
    assert_eq!(rollover.poll(&lanes), None);
    rollover.handle_progress(A, Progress { applied: 12, last: 12, checkpointed: 0 });
    assert_eq!(rollover.poll(&lanes), Some(Action::Checkpoint { group: A, index: 12 }));
    rollover.handle_progress(A, progress(12, 12));
    assert_eq!(rollover.poll(&lanes), Some(Action::Release { file: FileId(1), kept: false }));
}

#[test]
fn a_group_that_was_forgotten_pins_no_file() {
    let lanes = Lanes::default();
    let mut rollover = eager();
    rollover.handle_sealed(&sealed(1, &[(A, 20), (B, 1)], 10));
    rollover.handle_progress(B, progress(1, 1));
    assert_eq!(rollover.poll(&lanes), None);
    rollover.forget(A);
    assert_eq!(rollover.poll(&lanes), Some(Action::Release { file: FileId(1), kept: false }));
    // It comes back.
    rollover.handle_progress(A, progress(0, 0));
    rollover.handle_sealed(&sealed(2, &[(A, 1)], 10));
    rollover.handle_progress(A, Progress { applied: 0, last: 1, checkpointed: 0 });
    assert_eq!(rollover.poll(&lanes), None);
}

#[test]
fn a_file_with_damage_is_kept_since_that_needs_no_reading() {
    let mut lanes = Lanes::default();
    let mut rollover = eager();
    rollover.handle_sealed(&sealed(1, &[(A, 5)], 1000));
    rollover.handle_progress(A, progress(5, 5));
    lanes.put(A, piece(1, 1, 10));
    let (work, _) = job(rollover.poll(&lanes));
    let found = rollover.handle_done(work, &Done::Damaged(vec![piece(1, 1, 10)]), &mut lanes);
    assert_eq!(found.damaged, [(A, piece(1, 1, 10))]);
    let (work, keep) = job(rollover.poll(&lanes));
    assert_eq!(keep, Job::Keep { file: FileId(1), pieces: vec![(A, piece(1, 1, 10))] });
    rollover.handle_done(work, &Done::Kept, &mut lanes);
    assert_eq!(rollover.poll(&lanes), Some(Action::Release { file: FileId(1), kept: true }));
}

#[test]
fn what_found_no_room_is_tried_again_when_asked_to() {
    for failure in [Done::Full, Done::Failed("x".to_owned())] {
        let mut lanes = Lanes::default();
        let mut rollover = eager();
        rollover.handle_sealed(&sealed(1, &[(A, 5)], 1000));
        rollover.handle_progress(A, progress(5, 0));
        lanes.put(A, piece(1, 1, 10));
        let (work, first) = job(rollover.poll(&lanes));
        assert!(rollover.handle_done(work, &failure, &mut lanes).failed.is_some());
        assert_eq!(rollover.poll(&lanes), None);
        rollover.retry();
        let (work, second) = job(rollover.poll(&lanes));
        assert_eq!(first, second);
        rollover.handle_done(work, &Done::Moved(vec![]), &mut lanes);
        lanes.trim(A, LANE, 9);
        assert_eq!(rollover.poll(&lanes), Some(Action::Checkpoint { group: A, index: 5 }));
        rollover.retry();
        assert_eq!(rollover.poll(&lanes), Some(Action::Checkpoint { group: A, index: 5 }));
    }
}

#[test]
fn pieces_move_in_batches_and_those_trimmed_meanwhile_stay() {
    let mut lanes = Lanes::default();
    let mut rollover =
        Rollover::new(Options { sealed_files: 0, move_bytes: 200, keep_percent: 101, ..Options::default() });
    rollover.handle_sealed(&sealed(1, &[(A, 5), (B, 5)], 1000));
    rollover.handle_progress(A, progress(5, 5));
    rollover.handle_progress(B, progress(5, 5));
    for (group, first, len) in [(A, 1, 100), (A, 2, 100), (A, 3, 1), (A, 4, 500), (B, 1, 1)] {
        lanes.put(group, piece(1, first, len));
    }
    let mut moves = Vec::new();
    loop {
        match rollover.poll(&lanes) {
            Some(Action::Job { work, job: Job::Move { group, pieces } }) => {
                moves.push((group, pieces.iter().map(|piece| piece.first).collect::<Vec<_>>()));
                let location = |piece: &Piece| Location { file: built(1), ..piece.location };
                let there =
                    pieces.iter().map(|piece| Piece { location: location(piece), ..*piece }).collect();
                rollover.handle_done(work, &Done::Moved(there), &mut lanes);
                lanes.trim(A, LANE, 4);
            }
            Some(Action::Release { file, kept }) => break assert_eq!((file, kept), (FileId(1), false)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(moves, [(A, vec![1, 2]), (A, vec![4]), (B, vec![1])]);
}

#[test]
fn a_file_that_was_kept_before_a_crash_is_kept_again() {
    let mut lanes = Lanes::default();
    lanes.stored(A, &[piece(1, 1, 10)]);
    assert!(lanes.is_segment(FileId(1)), "a piece in a file by its index makes it a segment");
    lanes.put(B, piece(1, 1, 10));
    let mut rollover = eager();
    rollover.handle_sealed(&sealed(1, &[(A, 5), (B, 5)], 100_000));
    rollover.handle_progress(A, progress(5, 5));
    rollover.handle_progress(B, progress(5, 0));
    let (_, keep) = job(rollover.poll(&lanes));
    assert_eq!(keep, Job::Keep { file: FileId(1), pieces: vec![(B, piece(1, 1, 10))] });
}

#[test]
fn a_segment_goes_when_nothing_in_it_is_wanted_and_the_log_has_let_it_go() {
    let mut lanes = Lanes::default();
    let mut rollover = eager();
    rollover.handle_sealed(&sealed(1, &[(A, 5)], 20));
    rollover.handle_progress(A, progress(5, 0));
    lanes.put(A, piece(1, 1, 10));
    let (work, _) = job(rollover.poll(&lanes));
    rollover.handle_done(work, &Done::Kept, &mut lanes);
    lanes.trim(A, LANE, 2);
    assert_eq!(rollover.poll(&lanes), Some(Action::Checkpoint { group: A, index: 5 }));
    assert_eq!(rollover.poll(&lanes), None, "it is the log's yet");
    rollover.handle_progress(A, progress(5, 5));
    assert_eq!(rollover.poll(&lanes), Some(Action::Release { file: FileId(1), kept: true }));
    let (work, drop) = job(rollover.poll(&lanes));
    assert_eq!(drop, Job::Drop { file: FileId(1), pieces: 0 });
    assert_eq!(rollover.poll(&lanes), None, "once");
    rollover.handle_done(work, &Done::Failed("busy".to_owned()), &mut lanes);
    assert_eq!(rollover.poll(&lanes), None);
    rollover.retry();
    let (work, _) = job(rollover.poll(&lanes));
    rollover.handle_done(work, &Done::Dropped, &mut lanes);
    assert_eq!(rollover.poll(&lanes), None);
    assert_eq!(lanes.segments().count(), 0);
}

#[test]
fn a_segment_is_compacted_from_the_share_on_that_the_options_name() {
    let mut lanes = Lanes::default();
    let mut rollover = eager();
    let lane = |first| LaneId(first);
    let pieces: Vec<_> = (0..4).map(|n| Piece { lane: lane(n), ..piece(0, 1, 25) }).collect();
    let at = |file, piece: &Piece| Piece { location: Location { file, ..piece.location }, ..*piece };
    lanes.stored(A, &pieces.iter().map(|piece| at(built(1), piece)).collect::<Vec<_>>());
    for n in 0..3 {
        assert_eq!(rollover.poll(&lanes), None);
        lanes.trim(A, lane(n), 2);
    }
    let (work, compact) = job(rollover.poll(&lanes));
    let wanted = crate::job::Wanted { group: A, lane: lane(3), first: 1, last: 1 };
    assert_eq!(compact, Job::Compact { file: built(1), pieces: 4, wanted: vec![wanted] });
    assert_eq!(rollover.poll(&lanes), None, "once");
    let done = Done::Compacted(vec![(A, at(built(2), &pieces[3]))]);
    assert_eq!(rollover.handle_done(work, &done, &mut lanes), Found::default());
    assert_eq!(job(rollover.poll(&lanes)).1, Job::Drop { file: built(1), pieces: 4 });
    assert_eq!(rollover.poll(&lanes), None);
}

#[test]
fn damage_in_a_segment_that_is_compacted_is_named_with_its_group() {
    let mut lanes = Lanes::default();
    let mut rollover = eager();
    let at = |lane, first| {
        let piece = piece(0, first, 25);
        Piece { lane: LaneId(lane), location: Location { file: built(1), ..piece.location }, ..piece }
    };
    lanes.stored(B, &[at(0, 1), at(1, 1), at(2, 1), at(3, 1)]);
    (0..3).for_each(|lane| lanes.trim(B, LaneId(lane), 2));
    let (work, _) = job(rollover.poll(&lanes));
    let found = rollover.handle_done(work, &Done::Damaged(vec![at(3, 1)]), &mut lanes);
    assert_eq!(found.damaged, [(B, at(3, 1))]);
    rollover.retry();
    assert_eq!(rollover.poll(&lanes), None, "it is not tried again before it was repaired");
    let elsewhere = Piece { location: Location { file: built(2), ..at(3, 1).location }, ..at(3, 1) };
    lanes.stored(B, &[elsewhere]);
    let (work, compact) = job(rollover.poll(&lanes));
    assert_eq!(compact, Job::Compact { file: built(1), pieces: 4, wanted: vec![] });
    rollover.handle_done(work, &Done::Compacted(vec![]), &mut lanes);
    assert_eq!(job(rollover.poll(&lanes)).1, Job::Drop { file: built(1), pieces: 4 });
}
