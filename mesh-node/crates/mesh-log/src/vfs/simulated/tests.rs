//! What is left of files after what can happen to a disk.

use std::io::{ErrorKind, IoSlice};

use super::*;

const DIR: &str = "/data";

fn path(name: &str) -> PathBuf {
    Path::new(DIR).join(name)
}

fn disk() -> Disk {
    let disk = Disk::new();
    disk.create_dir(Path::new(DIR)).unwrap();
    disk
}

fn write(file: &dyn File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_at(&mut [IoSlice::new(bytes)], offset)
}

/// A file of a name that is durable, with these bytes durably.
fn durable(disk: &Disk, name: &str, bytes: &[u8]) -> Box<dyn File> {
    let file = disk.create(&path(name)).unwrap();
    write(&*file, bytes, 0).unwrap();
    file.sync_data().unwrap();
    disk.sync_dir(Path::new(DIR)).unwrap();
    file
}

#[test]
fn what_was_synced_outlives_every_crash() {
    for seed in 0..200 {
        let disk = disk();
        let file = durable(&disk, "a", &[1; 3_000]);
        write(&*file, &[2; 1_000], 3_000).unwrap();
        disk.crash(&mut SplitMix64::new(seed));
        let left = disk.bytes(&path("a")).unwrap();
        assert_eq!(left[..3_000], [1; 3_000]);
        assert!(left[3_000..].iter().all(|byte| [0, 2].contains(byte)));
        assert!(disk.is_durable(&path("a")));
    }
}

#[test]
fn what_was_not_synced_is_kept_lost_torn_and_put_out_of_order_by_the_sector() {
    let (mut none, mut all, mut holes, mut torn, mut older) = (0, 0, 0, 0, 0);
    for seed in 0..500 {
        let disk = disk();
        let file = durable(&disk, "a", &[0; 8 * SECTOR]);
        write(&*file, &[1; 8 * SECTOR], 0).unwrap();
        write(&*file, &[2; SECTOR], 0).unwrap();
        disk.crash(&mut SplitMix64::new(seed));
        let left = disk.bytes(&path("a")).unwrap();
        let whole: Vec<Option<u8>> = left
            .chunks(SECTOR)
            .map(|sector| sector.iter().all(|byte| *byte == sector[0]).then_some(sector[0]))
            .collect();
        none += u32::from(whole.iter().all(|sector| *sector == Some(0)));
        all += u32::from(whole[1..].iter().all(|sector| *sector == Some(1)));
        holes += u32::from(
            whole.windows(2).any(|two| two[0] == Some(0) && two[1].is_some_and(|second| second > 0)),
        );
        torn += u32::from(whole.contains(&None));
        older += u32::from(whole[0] == Some(1));
    }
    assert!(
        [none, all, holes, torn, older].iter().all(|times| *times > 10),
        "{none} {all} {holes} {torn} {older}"
    );
}

#[test]
fn names_are_durable_after_the_directory_was_synced() {
    let lost = disk();
    lost.create(&path("a")).unwrap().sync_data().unwrap();
    lost.crash_losing_all();
    assert!(lost.files().is_empty());

    let disk = disk();
    durable(&disk, "a", b"1");
    disk.rename(&path("a"), &path("b")).unwrap();
    durable(&disk, "c", b"3");
    disk.remove(&path("c")).unwrap();
    disk.crash_losing_all();
    let names = || disk.list(Path::new(DIR)).unwrap();
    assert_eq!(names(), [PathBuf::from("b"), PathBuf::from("c")], "syncing c made the renaming durable");
    disk.rename(&path("b"), &path("c")).unwrap();
    disk.sync_dir(Path::new(DIR)).unwrap();
    disk.crash_losing_all();
    assert_eq!(names(), [PathBuf::from("c")]);
    assert_eq!(disk.bytes(&path("c")).unwrap(), b"1");
}

#[test]
fn a_rename_is_there_or_not() {
    let mut seen = [0, 0];
    for seed in 0..100 {
        let disk = disk();
        durable(&disk, "old", b"old");
        let new = disk.create(&path("new")).unwrap();
        write(&*new, b"new", 0).unwrap();
        new.sync_data().unwrap();
        disk.rename(&path("new"), &path("old")).unwrap();
        disk.crash(&mut SplitMix64::new(seed));
        match disk.bytes(&path("old")).unwrap().as_slice() {
            b"old" => seen[0] += 1,
            b"new" => seen[1] += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(seen.iter().all(|times| *times > 10), "{seen:?}");
}

#[test]
fn a_killed_process_loses_nothing_but_its_files_are_closed() {
    let disk = disk();
    let file = disk.create(&path("a")).unwrap();
    write(&*file, b"kept", 0).unwrap();
    disk.kill();
    assert!(write(&*file, b"more", 4).is_err() && file.sync_data().is_err() && file.size().is_err());
    assert_eq!(disk.bytes(&path("a")).unwrap(), b"kept");
    assert!(!disk.is_durable(&path("a")));
}

#[test]
fn a_full_disk_refuses_one_byte_more_and_takes_what_was_reserved() {
    let disk = disk();
    disk.set_faults(Faults { capacity: 1_000, ..Faults::default() });
    let file = disk.create(&path("a")).unwrap();
    assert_eq!(file.allocate(1_001).unwrap_err().kind(), ErrorKind::StorageFull);
    file.allocate(1_000).unwrap();
    assert_eq!((file.size().unwrap(), disk.used()), (1_000, 1_000));
    write(&*file, &[1; 1_000], 0).unwrap();
    let other = disk.create(&path("b")).unwrap();
    assert_eq!(write(&*other, &[1], 0).unwrap_err().kind(), ErrorKind::StorageFull);
    drop(file);
    disk.remove(&path("a")).unwrap();
    disk.sync_dir(Path::new(DIR)).unwrap();
    write(&*other, &[1], 0).unwrap();
}

#[test]
fn a_sync_that_fails_takes_with_it_what_it_was_to_make_durable() {
    let disk = disk();
    let file = durable(&disk, "a", b"..");
    disk.set_faults(Faults { failing_sync: Some(2), ..Faults::default() });
    write(&*file, b"1", 0).unwrap();
    file.sync_data().unwrap();
    write(&*file, b"2", 1).unwrap();
    assert_eq!(file.sync_data().unwrap_err().raw_os_error(), Some(5));
    file.sync_data().unwrap();
    assert_eq!(disk.bytes(&path("a")).unwrap(), b"12");
    disk.crash_losing_all();
    assert_eq!(disk.bytes(&path("a")).unwrap(), b"1.");
}

#[test]
fn the_nth_write_and_read_fail() {
    let disk = disk();
    let file = durable(&disk, "a", b"....");
    disk.set_faults(Faults { failing_write: Some(2), failing_read: Some(2), ..Faults::default() });
    write(&*file, b"11", 0).unwrap();
    assert!(write(&*file, b"22", 2).is_err() && write(&*file, b"33", 2).is_err());
    assert_eq!(disk.bytes(&path("a")).unwrap(), b"113.");
    let mut into = [0; 8];
    assert_eq!(file.read_at(&mut into, 2).unwrap(), 2, "up to the end");
    assert!(file.read_at(&mut into, 0).is_err());
    assert_eq!(file.read_at(&mut into, 100).unwrap(), 0);
}

#[test]
fn bits_flip_for_good() {
    let disk = disk();
    durable(&disk, "a", &[0; 10]);
    assert!(disk.flip(&path("a"), 9, 3) && !disk.flip(&path("a"), 10, 3) && !disk.flip(&path("b"), 0, 0));
    disk.crash_losing_all();
    assert_eq!(disk.bytes(&path("a")).unwrap()[9], 8);
    let (file, offset, _) = disk.flip_any(&mut SplitMix64::new(1), |path| path.ends_with("a")).unwrap();
    assert!(file == path("a") && offset < 10);
    assert!(disk.flip_any(&mut SplitMix64::new(1), |path| path.ends_with("b")).is_none());
}

#[test]
fn the_power_goes_between_two_operations() {
    let disk = disk();
    let file = durable(&disk, "a", b"....");
    disk.set_faults(Faults { power: Some(2), ..Faults::default() });
    write(&*file, b"1", 0).unwrap();
    file.sync_data().unwrap();
    assert!(disk.is_out() && disk.is_durable_at(&path("a"), 0, 4) && !disk.is_durable_at(&path("a"), 0, 5));
    assert!(write(&*file, b"2", 1).is_err() && file.sync_data().is_err());
    assert!(disk.create(&path("b")).is_err() && disk.remove(&path("a")).is_err());
    disk.crash_losing_all();
    assert!(!disk.is_out());
    assert_eq!(disk.bytes(&path("a")).unwrap(), b"1...");
}

#[test]
fn time_is_summed_up() {
    let disk = disk();
    disk.set_faults(Faults { sync_delay: Duration::from_millis(500), ..Faults::default() });
    durable(&disk, "a", &[0; 4_096]);
    let spent = disk.take_spent();
    assert_eq!(spent, Duration::from_millis(1_000) + Duration::from_micros(4), "a file and its directory");
    assert_eq!(disk.take_spent(), Duration::ZERO);
}

#[test]
fn the_same_seed_leaves_the_same() {
    let run = |seed| {
        let disk = disk();
        let file = durable(&disk, "a", &[0; 40 * SECTOR]);
        for index in 0..40 {
            write(&*file, &[index as u8; 700], index * 500).unwrap();
            if index % 7 == 0 {
                disk.create(&path(&format!("{index}"))).unwrap();
            }
        }
        disk.crash(&mut SplitMix64::new(seed));
        disk.digest()
    };
    assert!((0..20).all(|seed| run(seed) == run(seed)));
    assert_ne!(run(3), run(4));
}
