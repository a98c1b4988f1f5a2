//! Whose a data directory is, and every way in which it can't be used.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use mesh_log::directory::{DataDir, Error, Names, Uuid};
use mesh_wire::code::Code;

fn names() -> Names {
    Names { cluster: "mesh".to_owned(), node: "a".to_owned() }
}

fn refused(path: &Path) -> Code {
    DataDir::open(path, &names()).unwrap_err().code()
}

#[test]
fn it_is_made_once_and_keeps_its_uuid() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b");
    let made = DataDir::open(&path, &names()).unwrap();
    let uuid = made.uuid();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(made.cluster(), None);
    drop(made);
    assert_eq!(DataDir::open(&path, &names()).unwrap().uuid(), uuid);
    assert_ne!(DataDir::open(&dir.path().join("c"), &names()).unwrap().uuid(), uuid);
}

#[test]
fn the_cluster_is_written_down_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut data = DataDir::open(dir.path(), &names()).unwrap();
    data.set_cluster(Uuid(5)).unwrap();
    data.set_cluster(Uuid(5)).unwrap();
    fs::write(dir.path().join("log/0000000000000001.wal"), b"").unwrap();
    let error = data.set_cluster(Uuid(6)).unwrap_err();
    assert!(matches!(error, Error::OtherClusterUuid { found: Uuid(5), wanted: Uuid(6), .. }), "{error}");
    drop(data);
    assert_eq!(DataDir::open(dir.path(), &names()).unwrap().cluster(), Some(Uuid(5)));
}

#[test]
fn only_one_uses_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::open(dir.path(), &names()).unwrap();
    assert_eq!(refused(dir.path()), Code::DataDirLocked);
    assert_eq!(DataDir::open_offline(dir.path()).unwrap_err().code(), Code::DataDirLocked);
    drop(data);
    assert!(DataDir::open_offline(dir.path()).is_ok());
}

#[test]
fn another_cluster_and_another_node_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    DataDir::open(dir.path(), &names()).unwrap();
    let other = |cluster: &str, node: &str| {
        let names = Names { cluster: cluster.to_owned(), node: node.to_owned() };
        DataDir::open(dir.path(), &names).unwrap_err().code()
    };
    assert_eq!(other("prod", "a"), Code::DataDirOtherCluster);
    assert_eq!(other("mesh", "b"), Code::DataDirOtherNode);
    assert!(DataDir::open(dir.path(), &names()).is_ok(), "nothing was changed");
}

#[test]
fn another_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    DataDir::open(dir.path(), &names()).unwrap();
    let data = dir.path().join("DATA");
    let text = fs::read_to_string(&data).unwrap().replace("format: 1", "format: 2");
    fs::write(&data, text).unwrap();
    assert_eq!(refused(dir.path()), Code::DataDirVersion);
}

#[test]
fn a_damaged_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    DataDir::open(dir.path(), &names()).unwrap();
    let data = dir.path().join("DATA");
    let good = fs::read(&data).unwrap();
    for damaged in [good[..good.len() - 1].to_vec(), Vec::new(), vec![0; 5000], [&good[..], b"x"].concat()] {
        fs::write(&data, damaged).unwrap();
        assert_eq!(refused(dir.path()), Code::DataDirDamaged);
    }
    fs::write(&data, good).unwrap();
    assert!(DataDir::open(dir.path(), &names()).is_ok());
}

#[test]
fn one_that_was_copied_in_part_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    DataDir::open(dir.path(), &names()).unwrap();
    for part in ["log", "seg", "checkpoint"] {
        fs::remove_dir(dir.path().join(part)).unwrap();
        assert_eq!(refused(dir.path()), Code::DataDirIncomplete, "{part}");
        fs::create_dir(dir.path().join(part)).unwrap();
    }
    fs::write(dir.path().join("log/0000000000000001.wal"), b"x").unwrap();
    fs::remove_file(dir.path().join("DATA")).unwrap();
    assert_eq!(refused(dir.path()), Code::DataDirIncomplete);
    assert!(!dir.path().join("DATA").exists(), "no new one is made of it");
}

#[test]
fn what_a_crash_left_of_making_one_is_no_obstacle() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("log")).unwrap();
    fs::write(dir.path().join("DATA.new"), b"mesh").unwrap();
    assert!(DataDir::open(dir.path(), &names()).is_ok());
}

#[test]
fn what_is_none_is_not_worked_on() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(DataDir::open_offline(dir.path()).unwrap_err().code(), Code::DataDirMissing);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    assert_eq!(DataDir::open_offline(&dir.path().join("x")).unwrap_err().code(), Code::DataDirMissing);
}

#[test]
fn a_directory_that_was_in_a_cluster_has_a_log() {
    let dir = tempfile::tempdir().unwrap();
    DataDir::open(dir.path(), &names()).unwrap().set_cluster(Uuid(5)).unwrap();
    fs::write(dir.path().join("log/0000000000000001.tmp"), b"").unwrap();
    assert_eq!(refused(dir.path()), Code::DataDirIncomplete);
    fs::write(dir.path().join("log/0000000000000001.wal"), b"").unwrap();
    assert!(DataDir::open(dir.path(), &names()).is_ok());
}
