//! A node is started on a data directory that is not whole, not sound or not its own: it refuses by a code, `log verify` says
//! the same, and nothing in the directory has changed.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{FileExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use mesh_client::Client;
use mesh_e2e::{Finished, NodeBuilder, Process, RunningNode, program, register, wait_until};

/// Records that fill several files of the log, so that some of them are segments.
const RECORDS: usize = 110;
const RECORD_BYTES: usize = 200_000;
/// How long a record is asked for that can't be had.
const SHORT: Duration = Duration::from_secs(3);

/// A directory with records in segments and in the log; the node is gone.
async fn filled() -> RunningNode {
    let mut node = NodeBuilder::default().with_http().with_registers().start();
    let register = register(&node, "kept").await;
    for n in 0..RECORDS {
        register.append([format!("{n:04}{}", "x".repeat(RECORD_BYTES))]).await.unwrap();
    }
    let of = |ending| !files(&node.directory().join("seg"), ending).is_empty();
    wait_until("there is a segment", || of("idx"));
    node.kill();
    node
}

/// The files of a directory with this ending, by name.
fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == ending)).collect();
    found.sort();
    found
}

/// Everything in a directory, to see that nothing changes. Who holds the lock is nothing that changes.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match fs::metadata(&path).unwrap() {
            meta if meta.is_dir() => found.extend(contents(&path)),
            meta if meta.is_file() && path.file_name().unwrap() != "lock" => {
                found.insert(path.clone(), fs::read(&path).unwrap());
            }
            _ => {}
        }
    }
    found
}

fn verify(dir: &Path) -> Finished {
    let mut command = Command::new(program("mesh-node", "mesh-node"));
    Process::start(command.arg("log").arg("verify").arg(dir)).finish()
}

/// What was done to a directory, and how to undo it.
struct Change(Vec<(PathBuf, Option<Vec<u8>>)>);

impl Change {
    fn of(paths: &[PathBuf], how: impl Fn(&Path)) -> Self {
        let before = paths.iter().map(|path| (path.clone(), fs::read(path).ok())).collect();
        paths.iter().for_each(|path| how(path));
        Self(before)
    }

    fn undo(self) {
        for (path, before) in self.0 {
            match before {
                Some(bytes) => fs::write(path, bytes).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
        }
    }
}

fn flip(path: &Path, at: u64) {
    let file = fs::File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
}

/// A file says that it is of a later version, and is whole: its checksum stands at `crc`, and is of the bytes before it and
/// of those behind it up to `end`.
fn to_2(path: &Path, crc: usize, end: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[8] = 2;
    let sum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..crc]), &bytes[end.min(crc + 4)..end]);
    bytes[crc..crc + 4].copy_from_slice(&sum.to_le_bytes());
    fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_in_a_segment_is_not_served_and_the_others_are() {
    let mut node = filled().await;
    let index = files(&node.directory().join("seg"), "idx").remove(0);
    let segment = node.directory().join("log").join(index.with_extension("wal").file_name().unwrap());
    // In the midst of the first record.
    flip(&segment, 100_000);
    let told = verify(node.directory());
    assert!(told.stderr.contains("MESH-7032"), "{}{}", told.stdout, told.stderr);
    // Records that nobody reads say nothing at the start.
    node.start_again();
    let register = register(&node, "kept").await;
    let client = Client::builder().endpoint(node.url()).request_timeout(SHORT).connect().await.unwrap();
    let refused = client.existing_register("kept").await.unwrap().read(1, 1).await.unwrap_err();
    // That there is no copy elsewhere is known a moment later than that it is damaged.
    assert!(["MESH-7062", "MESH-7099"].contains(&&*refused.code().to_string()), "{refused}");
    let others = register.read(RECORDS as u64 / 2, 1).await.unwrap();
    assert_eq!(others.next(), RECORDS as u64 / 2 + 1);
    register.append(["behind"]).await.unwrap();
}

#[test]
fn a_directory_of_somebody_else_is_refused() {
    let mut node = NodeBuilder::default().with_registers().start();
    // One that is in use is nobody's but that node's.
    let started = |node: &RunningNode, arguments: &[&str]| {
        let mut command = Command::new(program("mesh-node", "mesh-node"));
        command.arg("--data").arg(node.directory()).arg("--http").arg("off");
        command.arg("--socket").arg(node.directory().join("other.sock")).args(arguments);
        Process::start(&mut command).finish()
    };
    let in_use = started(&node, &[]);
    assert_eq!(in_use.status, Some(1));
    assert!(in_use.stderr.contains("belongs to a running node"), "{}", in_use.stderr);
    let told = verify(node.directory());
    assert!(told.stderr.contains("belongs to a running node"), "{}", told.stderr);
    node.assert_serves();
    wait_until("there is a log", || !files(&node.directory().join("log"), "wal").is_empty());
    node.kill();
    let before = contents(node.directory());
    for (arguments, code) in [(["--cluster", "other"], "MESH-7002"), (["--node", "other"], "MESH-7003")] {
        let refused = started(&node, &arguments);
        assert_eq!(refused.status, Some(1), "{}", refused.stderr);
        for words in [code, "cause: ", "hint: "] {
            assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
        }
    }
    // Another version of the directory, and of a file of the log.
    let data = node.directory().join("DATA");
    let text = fs::read_to_string(&data).unwrap();
    let file = files(&node.directory().join("log"), "wal").remove(0);
    let other = |path: &Path, how: &dyn Fn(&Path)| {
        let change = Change::of(&[path.to_owned()], how);
        for finished in [started(&node, &[]), verify(node.directory())] {
            assert_eq!(finished.status, Some(1));
            assert!(finished.stderr.contains("MESH-7001"), "{}", finished.stderr);
        }
        change.undo();
    };
    other(&data, &|path| fs::write(path, text.replace("format: 1", "format: 2")).unwrap());
    other(&file, &|path| to_2(path, 12, 64));
    assert!(contents(node.directory()) == before, "nothing was changed");
    node.start_again();
}

#[test]
fn a_directory_that_can_t_be_written_to_is_refused() {
    let mut node = NodeBuilder::default().with_registers().start();
    node.kill();
    let dir = node.directory().to_owned();
    let before = contents(&dir);
    let elsewhere = tempfile::tempdir().unwrap();
    let socket = elsewhere.path().join("m.sock");
    let program = program("mesh-node", "mesh-node");
    // Rights don't stop root: for it, the directory is mounted so that nobody can write.
    let is_root = rustix::process::geteuid().is_root();
    let mut command = if is_root {
        let mut command = Command::new("unshare");
        let script = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && \
                      exec \"$0\" --data \"$1\" --socket \"$2\" --http off";
        command.args(["--mount", "sh", "-c", script]).arg(program).arg(&dir).arg(&socket);
        command
    } else {
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o500)).unwrap();
        fs::set_permissions(dir.join("lock"), fs::Permissions::from_mode(0o400)).unwrap();
        let mut command = Command::new(program);
        command.arg("--data").arg(&dir).arg("--socket").arg(&socket).args(["--http", "off"]);
        command
    };
    let refused = Process::start(&mut command).finish();
    if !is_root {
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(dir.join("lock"), fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(refused.status, Some(1), "{}", refused.stderr);
    for words in ["MESH-7004", "cause: ", "hint: "] {
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    assert!(contents(&dir) == before, "nothing was changed");
    node.start_again();
}
