use super::fixture::*;
use crate::{
    files::built,
    id::{FileId, GroupId, LaneId},
    job::{Done, Job, Source, Wanted},
    keeper::Options,
    lanes::Lanes,
    location::{Location, Piece},
    vfs::simulated::{Disk, Faults},
};
use bytes::Bytes;

const PIECES: [(LaneId, u64, u32); 4] = [(LANE, 1, 100), (LANE, 2, 5000), (LaneId(8), 1, 0), (LANE, 3, 1)];
const OF_LANE: [(u64, u32); 3] = [(1, 100), (2, 5000), (3, 1)];

#[test]
fn what_was_moved_is_read_from_the_segment_before_and_after_it_is_finished() {
    for segment_bytes in [1 << 20, 1] {
        let disk = Disk::new();
        let pieces = log_file(&disk, 1, &PIECES);
        let options = Options { segment_bytes, ..options() };
        let (keeper, mut restored) = open_with(&disk, options.clone());
        put(&mut restored.lanes, &pieces);
        let there = moved(keeper.run(Job::Move { group: GROUP, pieces }));
        restored.lanes.moved(GROUP, &there);
        disk.wipe_log(1);
        assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &OF_LANE));
        let runs = restored.lanes.runs(GROUP);

        disk.crash_losing_all();
        let (keeper, restored) = open_with(&disk, options);
        assert_eq!(restored.damage, []);
        assert_eq!(restored.lanes.runs(GROUP), runs);
        assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &OF_LANE));
        assert_eq!(read(&keeper, &restored.lanes, LaneId(8)), whole(LaneId(8), &[(1, 0)]));
        assert_eq!(disk.bytes(&path_of(built(1), "idx")).is_some(), segment_bytes == 1);
    }
}

/// The process ended before what it had written to a segment was durable, or the system could not make it so; the next one
/// finds it there, and the log goes on without it.
#[test]
fn what_is_found_in_a_segment_that_grows_is_durable_from_then_on() {
    for fails in [false, true] {
        let disk = Disk::new();
        let pieces = log_file(&disk, 1, &PIECES);
        let (keeper, mut restored) = open(&disk);
        put(&mut restored.lanes, &pieces);
        let (first, second) = pieces.split_at(2);
        let there = moved(keeper.run(Job::Move { group: GROUP, pieces: first.to_vec() }));
        restored.lanes.moved(GROUP, &there);
        if fails {
            disk.set_faults(Faults { failing_sync: Some(1), ..Faults::default() });
        } else {
            // A write, and no sync.
            disk.set_faults(Faults { power: Some(1), ..Faults::default() });
        }
        assert!(matches!(keeper.run(Job::Move { group: GROUP, pieces: second.to_vec() }), Done::Failed(_)));
        disk.set_faults(Faults::default());
        drop(keeper);
        disk.kill();
        let (keeper, restored) = open(&disk);
        let found = restored.lanes.runs(GROUP);
        drop(keeper);
        disk.crash_losing_all();
        let (_, restored) = open(&disk);
        assert_eq!(restored.damage, []);
        assert_eq!(restored.lanes.runs(GROUP), found, "{fails}");
        assert!(!found.is_empty());
    }
}

impl Disk {
    /// Removes a file of the log.
    fn wipe_log(&self, id: u64) {
        use crate::vfs::Vfs;
        let path = crate::files::data_path(dir(), FileId(id));
        self.remove(&path).unwrap();
        self.sync_dir(path.parent().unwrap()).unwrap();
    }
}

#[test]
fn a_file_of_the_log_that_was_kept_is_read_by_its_index() {
    let disk = Disk::new();
    let pieces = log_file(&disk, 9, &PIECES);
    let (keeper, mut restored) = open(&disk);
    put(&mut restored.lanes, &pieces);
    let keep = |pieces: &[Piece]| Job::Keep {
        file: FileId(9),
        pieces: pieces.iter().map(|piece| (GROUP, *piece)).collect(),
    };
    assert_eq!(keeper.run(keep(&pieces[..2])), Done::Kept);
    // After a crash in between the rest comes by itself, and joins what is known.
    assert_eq!(keeper.run(keep(&pieces[2..])), Done::Kept);
    restored.lanes.kept(FileId(9));
    assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &OF_LANE));

    disk.crash_losing_all();
    let (keeper, restored) = open(&disk);
    assert_eq!(restored.kept.into_iter().collect::<Vec<_>>(), [FileId(9)]);
    assert_eq!(restored.damage, []);
    assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &OF_LANE));
    let other = Piece { location: Location { file: FileId(8), ..pieces[0].location }, ..pieces[0] };
    assert!(matches!(keeper.run(keep(&[other])), Done::Failed(_)));
}

#[test]
fn a_segment_is_written_on_after_a_restart() {
    let disk = Disk::new();
    let pieces = log_file(&disk, 1, &PIECES);
    for (round, piece) in pieces.iter().enumerate() {
        let (keeper, restored) = open(&disk);
        let runs = restored.lanes.runs(GROUP);
        assert_eq!(runs.iter().map(|run| run.last).sum::<u64>(), [0, 1, 2, 3][round]);
        let there = moved(keeper.run(Job::Move { group: GROUP, pieces: vec![*piece] }));
        assert_eq!(there[0].location.file, built(1));
        disk.kill();
    }
    let (keeper, restored) = open(&disk);
    assert_eq!(keeper.segments(), [built(1)]);
    assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &OF_LANE));
}

#[test]
fn a_read_ends_where_it_was_told_to() {
    let disk = Disk::new();
    let pieces = log_file(&disk, 1, &[(LANE, 1, 100), (LANE, 2, 100), (LANE, 3, 100)]);
    let (keeper, mut restored) = open(&disk);
    put(&mut restored.lanes, &pieces);
    let firsts = |lanes: &Lanes, first, last, max_bytes| -> Vec<u64> {
        let sources = lanes.find(GROUP, LANE, first, last);
        let read = read_sources(&keeper, LANE, (first, last), max_bytes, sources);
        read.iter().map(|(piece, _)| piece.first).collect()
    };
    for is_segment in [false, true] {
        if is_segment {
            let there = moved(keeper.run(Job::Move { group: GROUP, pieces: pieces.clone() }));
            restored.lanes.moved(GROUP, &there);
        }
        let lanes = &restored.lanes;
        assert_eq!(firsts(lanes, 1, 3, u32::MAX), [1, 2, 3]);
        assert_eq!(firsts(lanes, 2, 2, u32::MAX), [2]);
        assert_eq!(firsts(lanes, 1, 2, u32::MAX), [1, 2]);
        for (max_bytes, expected) in
            [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (199, 2), (200, 2), (201, 3), (300, 3)]
        {
            assert_eq!(firsts(lanes, 1, 3, max_bytes).len(), expected, "{max_bytes} bytes");
        }
    }
}

#[test]
fn checkpoints_take_the_place_of_each_other_and_go_when_forgotten() {
    let disk = Disk::new();
    let (keeper, restored) = open(&disk);
    assert!(restored.checkpoints.is_empty());
    for (group, text) in [(1, "one"), (2, ""), (1, "two")] {
        let bytes = Bytes::from_static(text.as_bytes());
        assert_eq!(keeper.run(Job::Checkpoint { group: GroupId(group), bytes }), Done::Checkpointed);
    }
    disk.crash_losing_all();
    let (keeper, restored) = open(&disk);
    let found: Vec<_> = restored.checkpoints.iter().map(|(group, bytes)| (group.0, bytes.to_vec())).collect();
    assert_eq!(found, [(1, b"two".to_vec()), (2, b"".to_vec())]);
    assert_eq!(keeper.run(Job::Forget { group: GroupId(1) }), Done::Forgotten);
    assert_eq!(keeper.run(Job::Forget { group: GroupId(1) }), Done::Forgotten);
    disk.crash_losing_all();
    assert_eq!(open(&disk).1.checkpoints.keys().copied().collect::<Vec<_>>(), [GroupId(2)]);
}

#[test]
fn what_came_from_a_peer_is_compared_with_its_checksum() {
    let disk = Disk::new();
    let (keeper, mut restored) = open(&disk);
    let bytes = bytes_of(LANE, 5, 50);
    let location = Location { file: FileId(77), offset: 3, len: 50, crc: crc32c::crc32c(&bytes) };
    let piece = Piece { lane: LANE, first: 5, count: 1, location };
    let there = moved(keeper.run(Job::Store { group: GROUP, pieces: vec![(piece, bytes.clone())] }));
    restored.lanes.stored(GROUP, &there);
    assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &[(5, 50)]));
    for bad in [
        Piece { location: Location { crc: 0, ..location }, ..piece },
        Piece { location: Location { len: 49, ..location }, ..piece },
        Piece { location: Location { len: 51, ..location }, ..piece },
        Piece { count: 0, ..piece },
    ] {
        let done = keeper.run(Job::Store { group: GROUP, pieces: vec![(bad, bytes.clone())] });
        assert_eq!(done, Done::Damaged(vec![bad]));
    }
}

#[test]
fn what_is_left_of_a_segment_is_copied_and_the_segment_goes() {
    let disk = Disk::new();
    let pieces = log_file(&disk, 1, &PIECES);
    let (keeper, mut restored) = open(&disk);
    put(&mut restored.lanes, &pieces);
    let there = moved(keeper.run(Job::Move { group: GROUP, pieces }));
    restored.lanes.moved(GROUP, &there);
    let wanted = vec![Wanted { group: GROUP, lane: LANE, first: 2, last: 3 }];
    let compacted = match keeper.run(Job::Compact { file: built(1), pieces: 4, wanted }) {
        Done::Compacted(pieces) => pieces,
        other => panic!("{other:?}"),
    };
    assert!(compacted.iter().all(|(group, piece)| *group == GROUP && piece.location.file == built(2)));
    restored.lanes.compacted(built(1), &compacted);
    assert_eq!(restored.lanes.unwanted(), [built(1)]);
    assert_eq!(keeper.run(Job::Drop { file: built(1), pieces: 4 }), Done::Dropped);
    assert_eq!(keeper.run(Job::Drop { file: built(1), pieces: 4 }), Done::Dropped, "again, after a crash");
    assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &OF_LANE[1..]));
    disk.crash_losing_all();
    let (keeper, restored) = open(&disk);
    assert_eq!(keeper.segments(), [built(2)]);
    assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &OF_LANE[1..]));
}

#[test]
fn dropping_a_file_that_was_kept_removes_both_its_files() {
    let disk = Disk::new();
    let pieces = log_file(&disk, 9, &PIECES);
    let (keeper, _) = open(&disk);
    let pieces = pieces.into_iter().map(|piece| (GROUP, piece)).collect();
    assert_eq!(keeper.run(Job::Keep { file: FileId(9), pieces }), Done::Kept);
    assert_eq!(disk.files().len(), 2);
    assert_eq!(keeper.run(Job::Drop { file: FileId(9), pieces: 0 }), Done::Dropped);
    assert_eq!(disk.files(), []);
}

#[test]
fn a_full_disk_leaves_everything_as_before() {
    let disk = Disk::new();
    let pieces = log_file(&disk, 1, &PIECES);
    let (keeper, mut restored) = open(&disk);
    put(&mut restored.lanes, &pieces);
    let checkpoint = Job::Checkpoint { group: GROUP, bytes: Bytes::from(vec![1; 9000]) };
    assert_eq!(keeper.run(checkpoint.clone()), Done::Checkpointed);
    let there = moved(keeper.run(Job::Move { group: GROUP, pieces: pieces[..1].to_vec() }));
    restored.lanes.moved(GROUP, &there);
    let wanted = vec![Wanted { group: GROUP, lane: LANE, first: 1, last: 1 }];
    let jobs = [
        Job::Compact { file: built(1), pieces: 1, wanted },
        Job::Move { group: GROUP, pieces: pieces[1..].to_vec() },
        Job::Keep { file: FileId(1), pieces: pieces.iter().map(|piece| (GROUP, *piece)).collect() },
        checkpoint,
    ];
    let before = disk.used();
    for job in &jobs {
        disk.set_faults(Faults { capacity: disk.used(), ..Faults::default() });
        assert_eq!(keeper.run(job.clone()), Done::Full, "{job:?}");
        assert_eq!(disk.used(), before);
        assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &OF_LANE));
    }
    disk.set_faults(Faults::default());
    for job in jobs {
        let done = keeper.run(job.clone());
        assert!(!matches!(done, Done::Full | Done::Failed(_) | Done::Damaged(_)), "{job:?}: {done:?}");
    }
}

#[test]
fn a_segment_whose_sync_failed_is_not_written_on() {
    let disk = Disk::new();
    let pieces = log_file(&disk, 1, &PIECES);
    let (keeper, _) = open(&disk);
    let one = |at: usize| Job::Move { group: GROUP, pieces: vec![pieces[at]] };
    assert_eq!(moved(keeper.run(one(0)))[0].location.file, built(1));
    disk.set_faults(Faults { failing_sync: Some(1), ..Faults::default() });
    assert!(matches!(keeper.run(one(1)), Done::Failed(_)));
    assert_eq!(moved(keeper.run(one(1)))[0].location.file, built(2));
    disk.crash_losing_all();
    let (keeper, restored) = open(&disk);
    assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &OF_LANE[..2]));
}

#[test]
fn no_more_files_are_open_than_may_be() {
    let disk = Disk::new();
    let (keeper, mut restored) = open_with(&disk, Options { open_files_max: 3, ..options() });
    for id in 1..=6 {
        let pieces = log_file(&disk, id, &[(LANE, id, 10)]);
        put(&mut restored.lanes, &pieces);
    }
    let expected = whole(LANE, &[(1, 10), (2, 10), (3, 10), (4, 10), (5, 10), (6, 10)]);
    for _ in 0..2 {
        assert_eq!(read(&keeper, &restored.lanes, LANE), expected);
        assert_eq!(keeper.files.count(), 3);
    }
}

#[test]
fn a_directory_that_is_only_looked_at_stays_as_it_is() {
    let disk = Disk::new();
    let pieces = log_file(&disk, 1, &PIECES);
    let (keeper, _) = open(&disk);
    moved(keeper.run(Job::Move { group: GROUP, pieces }));
    drop(keeper);
    let before = disk.digest();
    let (keeper, restored) = open_with(&disk, Options { read_only: true, ..options() });
    assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &OF_LANE));
    assert_eq!(disk.digest(), before);
    let empty = Disk::new();
    let (_, restored) = open_with(&empty, Options { read_only: true, ..options() });
    assert!(restored.checkpoints.is_empty() && restored.damage.is_empty());
    assert_eq!(empty.files(), []);
}

#[test]
fn records_of_a_segment_that_is_not_there_are_said_to_be_damaged() {
    let disk = Disk::new();
    let (keeper, _) = open(&disk);
    let sources = vec![Source::Segment { file: built(4), first: 3, last: 9 }];
    let found = read_sources(&keeper, LANE, (3, 9), 100, sources);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].0.first, found[0].0.count, &found[0].1), (3, 7, &None));
}

#[test]
fn what_came_into_a_segment_unheard_of_is_neither_dropped_nor_left_behind() {
    let disk = Disk::new();
    let pieces = log_file(&disk, 1, &PIECES);
    let (keeper, mut restored) = open(&disk);
    put(&mut restored.lanes, &pieces);
    let there = moved(keeper.run(Job::Move { group: GROUP, pieces: pieces[..2].to_vec() }));
    restored.lanes.moved(GROUP, &there);
    let heard = restored.lanes.came_into(built(1));
    // While this one is on its way, nothing of the segment may be wanted any more, as far as is known.
    moved(keeper.run(Job::Move { group: GROUP, pieces: pieces[2..].to_vec() }));
    let wanted = vec![Wanted { group: GROUP, lane: LANE, first: 1, last: 2 }];
    for job in
        [Job::Drop { file: built(1), pieces: heard }, Job::Compact { file: built(1), pieces: heard, wanted }]
    {
        assert!(matches!(keeper.run(job), Done::Failed(_)));
    }
    drop(keeper);
    let (keeper, restored) = open(&disk);
    assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &OF_LANE));
    assert_eq!(restored.lanes.came_into(built(1)), 4, "and a restart knows of all");
    let pieces = restored.lanes.came_into(built(1));
    assert_eq!(keeper.run(Job::Drop { file: built(1), pieces }), Done::Dropped);
}
