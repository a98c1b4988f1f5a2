//! `mesh-node log`, as a process.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::{
    fs,
    os::unix::fs::FileExt,
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use bytes::Bytes;
use mesh_log::{
    directory::{DataDir, Names},
    id::GroupId,
    location::Location,
    log::{Log, Options},
    payload::Payload,
    record::{Entry, EntryKind, Record},
    vfs::real::Real,
};
use serde_json::Value as Json;

fn mesh_node(arguments: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mesh-node")).arg("log").args(arguments).arg(dir).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A data directory with four entries.
fn filled(path: &Path) -> Vec<Location> {
    let names = Names { cluster: "mesh".to_owned(), node: "a".to_owned() };
    let dir = DataDir::open(path, &names).unwrap();
    let options = Options { file_bytes: Options::FILE_BYTES_MIN, ..Options::new(dir.uuid().0) };
    let (mut log, _) = Log::open(Arc::new(Real), &dir.log(), options).unwrap();
    let mut locations = Vec::new();
    for index in 1..=4 {
        let payload = Payload::new(Bytes::from(vec![7; 100]));
        let entry = Entry { term: 1, index, kind: EntryKind::Commands, payload };
        locations.extend(log.append(&[Record::Entry { group: GroupId(3), entry }]).unwrap());
        log.sync().unwrap();
    }
    log.mark().unwrap();
    locations
}

fn damage(path: &Path, at: &Location) {
    let file = path.join("log").join(format!("{:016x}.wal", at.file.0));
    fs::File::options().write(true).open(file).unwrap().write_all_at(&[8], at.offset).unwrap();
}

#[test]
fn a_whole_log_is_verified_with_status_0() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let output = mesh_node(&["verify"], dir.path());
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stdout).contains("group 3: term 0, vote 0, commit 0, entries 1 to 4"));
    assert!(text(&output.stdout).ends_with("nothing is damaged\n"));
    let json: Json = serde_json::from_slice(&mesh_node(&["verify", "--json"], dir.path()).stdout).unwrap();
    assert_eq!((&json["damaged"], &json["groups"][0]["last"]), (&Json::Bool(false), &Json::from(4)));
    let output = mesh_node(&["repair", "--accept-loss"], dir.path());
    assert!(output.status.success());
    assert_eq!(text(&output.stdout), "the log is not damaged: nothing was changed\n");
}

#[test]
fn damage_is_told_and_repaired_only_with_consent() {
    let dir = tempfile::tempdir().unwrap();
    let at = filled(dir.path());
    damage(dir.path(), &at[2]);
    let output = mesh_node(&["verify"], dir.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error[MESH-7011]"), "{}", text(&output.stderr));
    let lost = "lost: group 3: entries 3 to 4 at least; 2 is the last left\n";
    assert!(text(&output.stdout).contains(lost), "{}", text(&output.stdout));

    let output = mesh_node(&["repair"], dir.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error[MESH-7015]"), "{}", text(&output.stderr));
    assert!(!mesh_node(&["verify"], dir.path()).status.success(), "nothing was changed");

    let output = mesh_node(&["repair", "--accept-loss"], dir.path());
    assert!(output.status.success(), "{output:?}");
    assert!(text(&output.stdout).contains(lost));
    let kept = text(&output.stdout).lines().find_map(|line| line.strip_prefix("kept: ")).unwrap();
    assert!(Path::new(kept).exists());
    assert!(mesh_node(&["verify"], dir.path()).status.success());
}

#[test]
fn the_json_says_where_and_whose() {
    let dir = tempfile::tempdir().unwrap();
    let at = filled(dir.path());
    damage(dir.path(), &at[2]);
    let output = mesh_node(&["verify", "--json"], dir.path());
    let json: Json = serde_json::from_slice(&output.stdout).unwrap();
    let found = &json["damage"][0];
    assert_eq!((&found["offset"], &found["what"]), (&Json::from(at[2].offset), &Json::from("payload")));
    assert_eq!(found["groups"], serde_json::json!([3]));
    assert_eq!(json["groups"][0]["lost"], serde_json::json!({ "first": 3, "last": 4 }));
    let error: Json = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["code"], "MESH-7011");
}

#[test]
fn a_dump_is_for_people() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    let output = mesh_node(&["dump"], dir.path());
    assert!(output.status.success());
    let entries = text(&output.stdout).lines().filter(|line| line.trim().starts_with("group 3 entry "));
    assert_eq!(entries.count(), 4);
}

#[test]
fn what_can_not_be_worked_on_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |code: &str| {
        for command in [&["verify"][..], &["dump"], &["repair", "--accept-loss"]] {
            let output = mesh_node(command, dir.path());
            assert_eq!(output.status.code(), Some(1));
            assert!(text(&output.stderr).starts_with(&format!("error[{code}]")), "{}", text(&output.stderr));
        }
    };
    refused("MESH-7007");
    let names = Names { cluster: "mesh".to_owned(), node: "a".to_owned() };
    let held = DataDir::open(dir.path(), &names).unwrap();
    refused("MESH-4031");
    drop(held);
    fs::write(dir.path().join("DATA"), b"else").unwrap();
    refused("MESH-7006");
}
