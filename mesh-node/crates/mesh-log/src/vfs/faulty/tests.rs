use std::{io::IoSlice, path::Path, sync::Arc};

use super::{Faults, Faulty};
use crate::vfs::{File, Vfs, simulated::Disk};

/// A file system over one in memory, its faults, and a file in it.
fn file() -> (Faulty, Arc<Faults>, Box<dyn File>) {
    let faults = Arc::new(Faults::none());
    let inner = Disk::new();
    inner.create_dir(Path::new("/d")).unwrap();
    let vfs = Faulty::new(Arc::new(inner), Arc::clone(&faults));
    let file = vfs.create(Path::new("/d/f")).unwrap();
    (vfs, faults, file)
}

fn write(file: &dyn File, bytes: &[u8], offset: u64) -> std::io::Result<()> {
    file.write_at(&mut [IoSlice::new(bytes)], offset)
}

fn read(file: &dyn File) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    let read = file.read_at(&mut bytes, 0).unwrap();
    bytes.truncate(read);
    bytes
}

#[test]
fn the_nth_and_every_later_one_fails() {
    let (_vfs, faults, file) = file();
    faults.set(["fail-sync=2"]).unwrap();
    file.sync_data().unwrap();
    assert!(file.sync_data().is_err() && file.sync_data().is_err());
    faults.set(["fail-write=1"]).unwrap();
    file.sync_data().unwrap();
    assert!(write(&*file, b"x", 0).is_err());
    faults.set([]).unwrap();
    write(&*file, b"x", 0).unwrap();
}

#[test]
fn a_full_disk_has_no_room_for_anything_new() {
    let (vfs, faults, file) = file();
    write(&*file, b"there", 0).unwrap();
    faults.set(["full"]).unwrap();
    let full = |error: std::io::Error| error.kind() == std::io::ErrorKind::StorageFull;
    assert!(vfs.create(Path::new("/d/g")).is_err_and(full));
    assert!(file.allocate(10).is_err_and(full));
    assert!(file.set_size(10).is_err_and(full));
    write(&*file, b"THERE", 0).unwrap();
}

#[test]
fn what_is_not_synced_is_seen_by_all_and_not_on_the_disk() {
    let (vfs, faults, file) = file();
    write(&*file, b"aaaaaa", 0).unwrap();
    faults.set(["forget-unsynced"]).unwrap();
    write(&*file, b"bb", 2).unwrap();
    write(&*file, b"c", 3).unwrap();
    write(&*file, b"d", 8).unwrap();
    let other = vfs.open(Path::new("/d/f"), true).unwrap();
    assert_eq!(read(&*other), b"aabcaa\0\0d");
    assert_eq!(other.size().unwrap(), 9);
    let on_disk = vfs.inner.open(Path::new("/d/f"), true).unwrap();
    assert_eq!(read(&*on_disk), b"aaaaaa");
    file.sync_data().unwrap();
    assert_eq!(read(&*on_disk), b"aabcaa\0\0d");
}

#[test]
fn a_bit_of_some_reads_is_flipped() {
    let (_vfs, faults, file) = file();
    write(&*file, b"abc", 0).unwrap();
    faults.set(["flip-read=2"]).unwrap();
    assert_eq!(read(&*file), b"abc");
    assert_ne!(read(&*file), b"abc");
}

#[test]
fn what_is_no_fault_is_refused_and_changes_nothing() {
    let (_vfs, faults, file) = file();
    faults.set(["fail-sync=1"]).unwrap();
    for bad in ["fail-sync", "fail-sync=0", "sync-delay=5", "flip", ""] {
        assert!(faults.set([bad]).is_err(), "{bad}");
    }
    assert!(file.sync_data().is_err());
}
