//! Work on a data directory while no node runs on it, on real files.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::{
    fs,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use mesh_log::{
    directory::{DataDir, Names},
    id::{FileId, GroupId},
    location::Location,
    log::{Log, Options},
    offline::{Told, dump, repair, verify},
    payload::Payload,
    record::{Entry, EntryKind, HardState, Record},
    vfs::{Vfs, real::Real},
};

fn names() -> Names {
    Names { cluster: "mesh".to_owned(), node: "a".to_owned() }
}

fn real() -> Arc<dyn Vfs> {
    Arc::new(Real)
}

/// Nothing is missed.
fn all() -> Told<'static> {
    Told { lacking: &nothing, in_log: &|_, _, _| Vec::new() }
}

fn nothing(
    _: GroupId,
    _: Option<&Bytes>,
    _: Option<&mesh_log::log::RecoveredGroup>,
    _: &mesh_log::lanes::Lanes,
) -> Vec<String> {
    Vec::new()
}

fn options(dir: &DataDir) -> Options {
    Options { file_bytes: Options::FILE_BYTES_MIN, ..Options::new(dir.uuid().0) }
}

fn entry(group: u32, index: u64) -> Record {
    let payload = Payload::new(Bytes::from(vec![index as u8; 1000]));
    let entry = Entry { term: 1, index, kind: EntryKind::Commands, payload };
    Record::Entry { group: GroupId(group), entry }
}

/// A directory with ten entries of two groups.
fn filled(path: &Path) -> Vec<Location> {
    let dir = DataDir::open(path, &names()).unwrap();
    let (mut log, _) = Log::open(real(), &dir.log(), options(&dir)).unwrap();
    let mut locations = Vec::new();
    for index in 1..=10 {
        let state = HardState { term: 1, vote: 1, commit: index };
        let records = [entry(1, index), entry(2, index), Record::State { group: GroupId(1), state }];
        locations.push(log.append(&records).unwrap()[0]);
        log.sync().unwrap();
    }
    assert!(log.mark().unwrap());
    locations
}

fn path(dir: &Path, file: FileId) -> PathBuf {
    dir.join("log").join(format!("{:016x}.wal", file.0))
}

fn flip(dir: &Path, at: &Location) {
    let mut file = fs::File::options().read(true).write(true).open(path(dir, at.file)).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at.offset + 5)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at.offset + 5)).unwrap();
    file.write_all(&[byte[0] ^ 4]).unwrap();
}

/// Everything in the directory, to see that nothing changes.
fn bytes_of(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> =
        fs::read_dir(dir.join("log")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn a_whole_directory_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let data = DataDir::open_offline(dir.path()).unwrap();
    let before = bytes_of(dir.path());
    let report = verify(&real(), dir.path(), data.uuid(), all()).unwrap();
    assert!(!report.is_damaged());
    assert_eq!((report.groups[&GroupId(1)].entries, report.groups[&GroupId(2)].last), (10, 10));
    assert_eq!(report.files.iter().map(|file| file.blocks).sum::<u64>(), 12, "start, ten, mark");
    let repaired = repair(&real(), dir.path(), data.uuid(), all()).unwrap();
    assert!(repaired.aside.is_empty());
    assert_eq!(
        bytes_of(dir.path()),
        before,
        "looking changes nothing, nor does a repair where nothing is damaged"
    );
}

#[test]
fn a_repair_says_what_is_lost_and_keeps_the_damaged_file() {
    let dir = tempfile::tempdir().unwrap();
    let at = filled(dir.path());
    flip(dir.path(), &at[6]);
    let data = DataDir::open_offline(dir.path()).unwrap();
    let damaged = fs::read(path(dir.path(), at[6].file)).unwrap();
    let report = verify(&real(), dir.path(), data.uuid(), all()).unwrap();
    assert!(report.is_damaged());
    let (one, two) = (report.groups[&GroupId(1)], report.groups[&GroupId(2)]);
    assert_eq!((one.last, one.lost, one.suspect), (6, Some((7, 10)), true));
    assert_eq!((two.last, two.lost, two.suspect), (10, None, false));

    let repaired = repair(&real(), dir.path(), data.uuid(), all()).unwrap();
    assert_eq!(repaired.before, report);
    assert_eq!(fs::read(&repaired.aside[0]).unwrap(), damaged);
    assert_eq!(fs::read(path(dir.path(), at[6].file)).unwrap(), damaged);
    let after = verify(&real(), dir.path(), data.uuid(), all()).unwrap();
    assert!(!after.is_damaged() && !after.harmless.is_empty());

    let (mut log, recovered) = Log::open(real(), &data.log(), options(&data)).unwrap();
    let one = &recovered.groups[&GroupId(1)];
    assert_eq!((recovered.damage.len(), one.suspect, one.entries.len(), one.state.commit), (0, false, 6, 6));
    assert_eq!(recovered.groups[&GroupId(2)].entries.len(), 10);
    log.append(&[entry(1, 7)]).unwrap();
    log.sync().unwrap();
    drop(log);
    let (_, recovered) = Log::open(real(), &data.log(), options(&data)).unwrap();
    assert_eq!(recovered.groups[&GroupId(1)].entries.len(), 7);
    assert!(recovered.damage.is_empty());
}

#[test]
fn a_dump_has_a_line_for_each_record() {
    let dir = tempfile::tempdir().unwrap();
    let at = filled(dir.path());
    flip(dir.path(), &at[6]);
    let data = DataDir::open_offline(dir.path()).unwrap();
    let mut out = Vec::new();
    dump(&real(), dir.path(), data.uuid(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains("group 1 entry ")).count(), 10);
    assert_eq!(text.lines().filter(|line| line.ends_with(" DAMAGED")).count(), 1);
    let damaged = text.lines().find(|line| line.ends_with(" DAMAGED")).unwrap();
    assert!(damaged.trim().starts_with("group 1 entry 7 term 1 commands 1000 bytes at "), "{damaged}");
    assert!(text.contains("group 1 state term 1 vote 1 commit 10"));
}

#[test]
fn a_damaged_table_is_told_and_repaired() {
    let dir = tempfile::tempdir().unwrap();
    let at = filled(dir.path());
    let table = Location { offset: at[3].offset - 60, ..at[3] };
    flip(dir.path(), &table);
    let data = DataDir::open_offline(dir.path()).unwrap();
    let report = verify(&real(), dir.path(), data.uuid(), all()).unwrap();
    assert_eq!(report.damage[0].groups, None);
    assert_eq!((report.groups[&GroupId(1)].last, report.groups[&GroupId(2)].last), (3, 3));
    repair(&real(), dir.path(), data.uuid(), all()).unwrap();
    let after = verify(&real(), dir.path(), data.uuid(), all()).unwrap();
    assert!(!after.is_damaged());
    assert_eq!((after.groups[&GroupId(1)].last, after.groups[&GroupId(1)].state.commit), (3, 3));
}

#[test]
fn what_is_not_there_is_damage_until_somebody_agrees_to_go_on_without() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let data = DataDir::open_offline(dir.path()).unwrap();
    let lacking: &mesh_log::offline::Lacking<'_> =
        &|group, _, _, _| if group == GroupId(2) { vec!["half of it".to_owned()] } else { Vec::new() };
    let told = Told { lacking, ..all() };
    let report = verify(&real(), dir.path(), data.uuid(), told).unwrap();
    assert!(report.is_damaged() && !report.accepted);
    assert_eq!(report.lacking, [(GroupId(2), "half of it".to_owned())]);
    let repaired = repair(&real(), dir.path(), data.uuid(), told).unwrap();
    assert_eq!(fs::read_to_string(&repaired.aside[0]).unwrap(), "group 2: half of it\n");
    let report = verify(&real(), dir.path(), data.uuid(), told).unwrap();
    assert!(report.accepted && !report.is_damaged());
    assert!(repair(&real(), dir.path(), data.uuid(), told).unwrap().aside.is_empty());
}
