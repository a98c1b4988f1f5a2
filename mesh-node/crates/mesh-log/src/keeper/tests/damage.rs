use super::fixture::*;
use crate::{
    checkpoint,
    files::built,
    id::{FileId, GroupId, LaneId},
    job::{Done, Job},
    keeper::{Damage, DamageKind, Restored},
    rollover::{Options, Rollover},
    vfs::{
        Vfs,
        simulated::{Disk, Faults, SplitMix64},
    },
};
use bytes::Bytes;
use std::path::{Path, PathBuf};

const KEPT: FileId = FileId(9);
const OTHER: LaneId = LaneId(8);
const OF_LANE: [(u64, u32); 3] = [(1, 100), (2, 5000), (3, 300)];
const OF_OTHER: [(u64, u32); 2] = [(1, 70), (2, 80)];

/// A lane in a kept file, another one in a finished segment, and a checkpoint.
fn store() -> Disk {
    let disk = Disk::new();
    let (keeper, _) = open_with(&disk, crate::keeper::Options { segment_bytes: 1, ..options() });
    let pieces = log_file(&disk, KEPT.0, &OF_LANE.map(|(first, len)| (LANE, first, len)));
    let pieces = pieces.into_iter().map(|piece| (GROUP, piece)).collect();
    assert_eq!(keeper.run(Job::Keep { file: KEPT, pieces }), Done::Kept);
    let pieces = log_file(&disk, 10, &OF_OTHER.map(|(first, len)| (OTHER, first, len)));
    moved(keeper.run(Job::Move { group: GROUP, pieces }));
    let bytes = Bytes::from_static(b"the state of a group");
    assert_eq!(keeper.run(Job::Checkpoint { group: GROUP, bytes }), Done::Checkpointed);
    disk.remove(&crate::files::data_path(dir(), FileId(10))).unwrap();
    disk.sync_dir(&dir().join("log")).unwrap();
    disk
}

fn checkpoint_path() -> PathBuf {
    checkpoint::path(dir(), GROUP)
}

fn kept_path() -> PathBuf {
    crate::files::data_path(dir(), KEPT)
}

fn only(restored: &Restored) -> &Damage {
    assert_eq!(restored.damage.len(), 1, "{:?}", restored.damage);
    &restored.damage[0]
}

/// Nothing is served that is not what was written, and what is not damaged is.
fn check_lanes(disk: &Disk, lane_is_whole: bool, other_is_whole: bool) -> Restored {
    let (keeper, restored) = open(disk);
    for (lane, pieces, is_whole) in
        [(LANE, &OF_LANE[..], lane_is_whole), (OTHER, &OF_OTHER[..], other_is_whole)]
    {
        let expected = whole(lane, pieces);
        let found = read(&keeper, &restored.lanes, lane);
        assert_eq!(found == expected, is_whole, "{lane:?}: {found:?}");
        for (first, bytes) in found {
            let right = expected.iter().any(|(number, right)| (*number, right) == (first, &bytes));
            assert!(bytes.is_none() || right, "{first} of {lane:?}");
        }
    }
    restored
}

fn cut(disk: &Disk, path: &Path, size: u64) {
    let file = disk.open(path, false).unwrap();
    file.set_size(size).unwrap();
    file.sync_data().unwrap();
}

fn remove(disk: &Disk, path: &Path) {
    disk.remove(path).unwrap();
    disk.sync_dir(path.parent().unwrap()).unwrap();
}

fn set_version(disk: &Disk, path: &Path, head: usize) {
    let file = disk.open(path, false).unwrap();
    let mut bytes = disk.bytes(path).unwrap()[..head].to_vec();
    bytes[8] = 2;
    let crc = match path.extension().unwrap().to_str().unwrap() {
        "ckpt" | "seg" => crc32c::crc32c(&bytes[..28]),
        _ => crc32c::crc32c(&bytes[..head - 4]),
    };
    bytes[head - 4..].copy_from_slice(&crc.to_le_bytes());
    crate::files::write_all(&*file, &[&bytes], 0).unwrap();
    file.sync_data().unwrap();
}

#[test]
fn a_sound_store_has_no_damage() {
    let restored = check_lanes(&store(), true, true);
    assert_eq!(restored.damage, []);
    assert_eq!(restored.checkpoints[&GROUP], "the state of a group");
}

#[test]
fn every_bit_of_a_checkpoint_counts() {
    let size = store().bytes(&checkpoint_path()).unwrap().len() as u64;
    for offset in 0..size {
        let disk = store();
        assert!(disk.flip(&checkpoint_path(), offset, (offset % 8) as u8));
        let restored = check_lanes(&disk, true, true);
        let damage = only(&restored);
        assert_eq!((damage.kind, &damage.groups), (DamageKind::Checkpoint, &Some(vec![GROUP])));
        assert_eq!(damage.code().number(), 7030);
        assert!(restored.checkpoints.is_empty());
    }
}

#[test]
fn a_checkpoint_that_is_cut_short_or_too_long_is_damaged_and_stays() {
    for size in [0, 31, 32, 51, 53] {
        let disk = store();
        cut(&disk, &checkpoint_path(), size);
        let restored = check_lanes(&disk, true, true);
        assert_eq!(only(&restored).kind, DamageKind::Checkpoint);
        assert_eq!(disk.bytes(&checkpoint_path()).unwrap().len() as u64, size);
    }
}

#[test]
fn files_of_another_version_are_named_and_stay() {
    let cases = [
        (checkpoint_path(), 32, (true, true)),
        (path_of(KEPT, "idx"), 64, (false, true)),
        (path_of(built(1), "idx"), 64, (true, true)),
    ];
    for (path, head, (lane, other)) in cases {
        let disk = store();
        set_version(&disk, &path, head);
        let before = disk.bytes(&path);
        let restored = check_lanes(&disk, lane, other);
        assert_eq!(only(&restored).kind, DamageKind::Version, "{}", path.display());
        assert_eq!(only(&restored).code().number(), 7033);
        assert_eq!(disk.bytes(&path), before);
    }
    let disk = store();
    set_version(&disk, &path_of(built(1), "seg"), 32);
    remove(&disk, &path_of(built(1), "idx"));
    let restored = check_lanes(&disk, true, false);
    assert_eq!(only(&restored).kind, DamageKind::Version);
    assert!(restored.lanes.unwanted().is_empty(), "it is not dropped");
}

#[test]
fn a_flipped_bit_anywhere_in_the_store_is_never_served() {
    let mut random = SplitMix64::new(5);
    for _ in 0..300 {
        let disk = store();
        let (path, offset, _) = disk.flip_any(&mut random, |path| path != checkpoint_path()).unwrap();
        let (keeper, restored) = open(&disk);
        for (lane, pieces) in [(LANE, &OF_LANE[..]), (OTHER, &OF_OTHER[..])] {
            let expected = whole(lane, pieces);
            for found in read(&keeper, &restored.lanes, lane) {
                assert!(found.1.is_none() || expected.contains(&found), "{} at {offset}", path.display());
            }
        }
    }
}

#[test]
fn the_index_of_a_built_segment_is_made_again() {
    for how in 0..4 {
        let disk = store();
        let path = path_of(built(1), "idx");
        match how {
            0 => assert!(disk.flip(&path, 70, 1)),
            1 => cut(&disk, &path, 100),
            2 => cut(&disk, &path, 0),
            _ => remove(&disk, &path),
        }
        let restored = check_lanes(&disk, true, true);
        if how < 3 {
            assert_eq!(only(&restored).kind, DamageKind::Index);
            assert_eq!(only(&restored).groups, Some(vec![]), "nothing is lost");
        }
        let restored = check_lanes(&disk, true, true);
        assert_eq!(restored.damage, [], "it is there again");
    }
}

#[test]
fn without_its_index_a_kept_file_is_left_alone() {
    for how in 0..3 {
        let disk = store();
        let path = path_of(KEPT, "idx");
        match how {
            0 => assert!(disk.flip(&path, 70, 1)),
            1 => cut(&disk, &path, 100),
            _ => cut(&disk, &path, 0),
        }
        let restored = check_lanes(&disk, false, true);
        assert_eq!(only(&restored).kind, DamageKind::Index);
        assert_eq!(only(&restored).groups, None);
        assert_eq!(only(&restored).code().number(), 7031);
        assert!(restored.kept.contains(&KEPT), "the log must not use it again");
        assert_eq!(restored.lanes.lacking(GROUP, &[(LANE, 1, 3)]), [(LANE, 1, 3)]);
        let mut rollover = Rollover::new(Options::default());
        assert_eq!(rollover.poll(&restored.lanes), None, "it is not dropped");

        // When it is kept again, for what the log still knows, the damaged index stays beside the new one.
        let (keeper, _) = open(&disk);
        assert_eq!(keeper.run(Job::Keep { file: KEPT, pieces: vec![] }), Done::Kept);
        assert!(disk.bytes(&path_of(KEPT, "damaged")).is_some());
        assert_eq!(open(&disk).1.damage, []);
    }
}

#[test]
fn a_segment_that_is_cut_short_or_gone_keeps_what_can_be_read() {
    let cases = [(kept_path(), KEPT, (false, true)), (path_of(built(1), "seg"), built(1), (true, false))];
    for (path, file, (lane, other)) in cases {
        for gone in [false, true] {
            let disk = store();
            match gone {
                true => remove(&disk, &path),
                false => cut(&disk, &path, 4096 + 100),
            }
            let restored = check_lanes(&disk, lane, other);
            let damage = only(&restored);
            assert_eq!((damage.kind, &damage.groups), (DamageKind::Segment, &Some(vec![GROUP])));
            assert_eq!(damage.code().number(), 7032);
            assert!(damage.lost.contains("pieces"), "{damage}");
            let (keeper, restored) = open(&disk);
            let found = read(&keeper, &restored.lanes, if file == KEPT { LANE } else { OTHER });
            let readable = found.iter().filter(|(_, bytes)| bytes.is_some()).count();
            assert_eq!(
                readable,
                usize::from(file == KEPT && !gone),
                "only the first piece is before the cut"
            );
        }
    }
}

#[test]
fn an_index_of_another_segment_is_not_believed() {
    let disk = store();
    disk.rename(&path_of(KEPT, "idx"), &path_of(FileId(10), "idx")).unwrap();
    disk.sync_dir(&dir().join("seg")).unwrap();
    let restored = check_lanes(&disk, false, true);
    assert_eq!(only(&restored).kind, DamageKind::Index);
    assert!(only(&restored).lost.contains("another segment"));
}

#[test]
fn files_that_are_none_of_ours_are_left_alone() {
    let disk = store();
    for name in
        ["seg/x.idx", "seg/0000000000000001.tmp", "seg/1.idx", "checkpoint/x.ckpt", "checkpoint/1.ckpt"]
    {
        disk.create(&dir().join(name)).unwrap();
    }
    let before = disk.files().len();
    assert_eq!(check_lanes(&disk, true, true).damage, []);
    assert_eq!(disk.files().len(), before);
}

#[test]
fn damage_in_a_growing_segment_is_told_from_what_was_never_finished() {
    let grown = || {
        let disk = Disk::new();
        let (keeper, _) = open(&disk);
        let pieces = log_file(&disk, 1, &[(LANE, 1, 100), (LANE, 2, 9000), (LANE, 3, 50)]);
        let there: Vec<_> = pieces
            .into_iter()
            .map(|piece| moved(keeper.run(Job::Move { group: GROUP, pieces: vec![piece] }))[0])
            .collect();
        (disk, there)
    };
    // The head of the block in the middle: what is behind it shows that it was durable.
    let (disk, _) = grown();
    assert!(disk.flip(&path_of(built(1), "seg"), 8192 + 5, 1));
    let (keeper, restored) = open(&disk);
    assert_eq!(only(&restored).kind, DamageKind::Segment);
    assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &[(1, 100), (3, 50)]));
    assert_eq!(restored.lanes.lacking(GROUP, &[(LANE, 1, 3)]), [(LANE, 2, 2)]);
    assert!(disk.bytes(&path_of(built(1), "idx")).is_none(), "nothing makes it look sound");
    // Its records: found when they are read.
    let (disk, there) = grown();
    assert!(disk.flip(&path_of(built(1), "seg"), there[1].location.offset + 10, 1));
    let (keeper, restored) = open(&disk);
    assert_eq!(restored.damage, []);
    assert_eq!(read(&keeper, &restored.lanes, LANE)[1], (2, None));
    // The last block: it was never finished, as far as can be seen. What is written next goes elsewhere.
    for offset in [5, there[2].location.offset % 4096] {
        let (disk, there) = grown();
        let last = there[2].location.offset / 4096 * 4096;
        assert!(disk.flip(&path_of(built(1), "seg"), last + offset, 1));
        let (keeper, restored) = open(&disk);
        assert_eq!(restored.damage, []);
        assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &[(1, 100), (2, 9000)]));
        let pieces = log_file(&disk, 2, &[(LANE, 3, 50)]);
        let again = moved(keeper.run(Job::Move { group: GROUP, pieces }));
        assert_eq!(again[0].location.file, built(2));
        assert_eq!(read(&open(&disk).0, &open(&disk).1.lanes, LANE).len(), 3);
    }
}

#[test]
fn damage_in_what_is_to_be_moved_or_compacted_is_named_and_nothing_is_done() {
    let disk = Disk::new();
    let (keeper, _) = open(&disk);
    let pieces = log_file(&disk, 1, &[(LANE, 1, 100), (LANE, 2, 100)]);
    let path = crate::files::data_path(dir(), FileId(1));
    assert!(disk.flip(&path, pieces[1].location.offset, 1));
    let done = keeper.run(Job::Move { group: GROUP, pieces: pieces.clone() });
    assert_eq!(done, Done::Damaged(vec![pieces[1]]));
    assert!(keeper.segments().is_empty());
    let all = pieces.iter().map(|piece| (GROUP, *piece)).collect();
    assert_eq!(keeper.run(Job::Keep { file: FileId(1), pieces: all }), Done::Kept);
    let wanted = crate::job::Wanted { group: GROUP, lane: LANE, first: 1, last: 2 };
    let done = keeper.run(Job::Compact { file: FileId(1), pieces: 0, wanted: vec![wanted] });
    assert_eq!(done, Done::Damaged(vec![pieces[1]]));
}

#[test]
fn a_later_copy_counts_more_than_a_damaged_one() {
    let disk = store();
    let (keeper, mut restored) = open(&disk);
    assert!(disk.flip(&kept_path(), 4096 + 100 + 7, 0));
    assert_eq!(read(&keeper, &restored.lanes, LANE)[1], (2, None));
    let bytes = bytes_of(LANE, 2, 5000);
    let location =
        crate::location::Location { file: FileId(0), offset: 0, len: 5000, crc: crc32c::crc32c(&bytes) };
    let piece = crate::location::Piece { lane: LANE, first: 2, count: 1, location };
    let there = moved(keeper.run(Job::Store { group: GROUP, pieces: vec![(piece, bytes)] }));
    restored.lanes.stored(GROUP, &there);
    assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &OF_LANE));
    drop(keeper);
    let restored = check_lanes(&disk, true, true);
    assert_eq!(restored.lanes.runs(GROUP).len(), 2);
    assert_eq!(restored.lanes.runs(GroupId(2)), []);
}

#[test]
fn when_the_loss_is_accepted_the_store_is_sound_and_what_is_left_can_be_read() {
    type Harm = fn(&Disk);
    let index: Harm = |disk| assert!(disk.flip(&path_of(KEPT, "idx"), 70, 1));
    let short: Harm = |disk| cut(disk, &kept_path(), 4096 + 100);
    let gone: Harm = |disk| remove(disk, &path_of(built(1), "seg"));
    let state: Harm = |disk| assert!(disk.flip(&checkpoint_path(), 40, 1));
    let blocks: Harm = |disk| {
        remove(disk, &path_of(built(1), "idx"));
        assert!(disk.flip(&path_of(built(1), "seg"), 12, 1));
    };
    // What is done, how many pieces are left of either lane, and how many files are put aside.
    let cases =
        [(index, (0, 2), 1), (short, (1, 2), 1), (gone, (3, 0), 1), (state, (3, 2), 1), (blocks, (3, 0), 0)];
    for (n, (harm, (of_lane, of_other), aside)) in cases.into_iter().enumerate() {
        let disk = store();
        harm(&disk);
        let (_, restored) = open(&disk);
        assert!(!only(&restored).is_harmless(), "case {n}");
        assert_eq!(only(&restored).lost_state().is_some(), n == 3);
        let vfs: std::sync::Arc<dyn Vfs> = std::sync::Arc::new(disk.clone());
        let done = crate::keeper::accept_loss(&vfs, dir()).unwrap();
        assert_eq!(done.len(), aside, "case {n}: {done:?}");
        disk.crash_losing_all();
        let (keeper, mut restored) = open(&disk);
        assert_eq!(restored.damage, [], "case {n}");
        assert_eq!(read(&keeper, &restored.lanes, LANE), whole(LANE, &OF_LANE[..of_lane]));
        assert_eq!(read(&keeper, &restored.lanes, OTHER), whole(OTHER, &OF_OTHER[..of_other]));
        restored.lanes.miss(GROUP, &[(LANE, 1, 3), (OTHER, 1, 2)]);
        assert_eq!(
            read(&keeper, &restored.lanes, LANE).iter().any(|(_, bytes)| bytes.is_none()),
            of_lane < 3
        );
        assert_eq!(crate::keeper::accept_loss(&vfs, dir()).unwrap(), Vec::<PathBuf>::new());
    }
}

#[test]
fn a_read_that_fails_once_costs_no_checkpoint() {
    let disk = store();
    disk.set_faults(Faults { failing_read: Some(1), ..Faults::default() });
    let (_, restored) = open(&disk);
    assert_eq!(restored.damage, []);
    assert!(restored.checkpoints.contains_key(&GROUP));
}
