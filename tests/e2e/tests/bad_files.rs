//! Each kind of file of a data directory, changed in each way: a node that is alone makes it good by itself, or refuses by a
//! code, or serves all but what is lost. What was acknowledged is never silently missing or another one.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use mesh_client::Client;
use mesh_e2e::{Finished, NodeBuilder, Process, RawLink, RunningNode, program, register, wait_until};
use mesh_wire::{
    batch::{BatchBuilder, Producer, Record},
    durable::{PutOk, put_ext},
    frame::{Kind, Parts},
};
use rustix::process::Signal;
use serde_json::Value;

/// Large records: the files of the log that they are in are kept. Those between are small, and what is beside them in the log is
/// not wanted: they are moved to a segment. A file has 4 MiB, and three that are full wait.
const LARGE_FIRST: usize = 30;
const SMALL: usize = 300;
const LARGE_LAST: usize = 90;
/// Bytes of the first small one, which is put again beside each.
const AGAIN_BYTES: usize = 40_000;
const RECORDS: usize = LARGE_FIRST + SMALL + LARGE_LAST;
const LARGE_BYTES: usize = 200_000;
/// How long a record is asked for that can't be had.
const SHORT: Duration = Duration::from_millis(700);
/// The parts of a data directory.
const PARTS: [&str; 5] = ["DATA", "lock", "log", "seg", "checkpoint"];

/// The nth record, from 1 on.
fn text(n: usize) -> String {
    let bytes = match n.checked_sub(LARGE_FIRST + 1) {
        Some(0) => AGAIN_BYTES,
        Some(small) if small < SMALL => 300,
        _ => LARGE_BYTES,
    };
    format!("{n:06}{}", "x".repeat(bytes))
}

/// A batch that is put again and again: the log has it each time, and the register once.
struct Again {
    link: RefCell<RawLink>,
    lane: u64,
    batch: Vec<u8>,
}

impl Again {
    fn new(node: &RunningNode, lane: u64) -> Self {
        let mut batch = BatchBuilder::new(Producer { id: 77, epoch: 0, base_sequence: 0 });
        let text = text(LARGE_FIRST + 1);
        batch.push(&Record { value: Some(text.as_bytes()), ..Record::default() }).unwrap();
        Self { link: RefCell::new(node.link("again")), lane, batch: batch.build().unwrap().to_vec() }
    }

    fn put(&self) -> PutOk {
        let mut link = self.link.borrow_mut();
        let ext = put_ext(self.lane);
        link.send(&Parts { ext: &ext, ..Parts::bare(Kind::Put, 1).aux(5_000).body(&self.batch) });
        let answer = link.receive();
        assert_eq!(answer.kind, Kind::PutOk, "{answer:?} {}", answer.cause());
        PutOk::decode(&answer.body).unwrap()
    }
}

/// A node that has run and is gone, with files of all kinds in its directory, and a copy of them.
struct Filled {
    node: RunningNode,
    copy: tempfile::TempDir,
}

impl Filled {
    async fn new() -> Self {
        let mut node = NodeBuilder::default().with_http().with_registers().start();
        let register = register(&node, "kept").await;
        let again = Again::new(&node, register.lane());
        for n in 1..=RECORDS {
            match n.checked_sub(LARGE_FIRST + 1) {
                Some(0) => assert!(!again.put().duplicate),
                small => {
                    register.append([text(n)]).await.unwrap();
                    if small.is_some_and(|small| small < SMALL) {
                        assert!(again.put().duplicate);
                    }
                }
            }
        }
        let dir = node.directory().to_owned();
        wait_until("there is a segment", || !files(&dir.join("seg"), "seg").is_empty());
        // In good order: the last block says that the one before is durable.
        stop(&mut node);
        // What was being written to the segment goes to another one, and this one is finished.
        let segment = files(&dir.join("seg"), "seg").remove(0);
        fs::File::options().append(true).open(&segment).unwrap().write_all(&[7; 5_000]).unwrap();
        node.start_again();
        wait_until("the segment has an index", || segment.with_extension("idx").exists());
        drop(mesh_e2e::register(&node, "kept").await);
        stop(&mut node);
        let copy = tempfile::tempdir().unwrap();
        PARTS.iter().for_each(|part| put(&dir.join(part), &copy.path().join(part)));
        Self { node, copy }
    }

    fn dir(&self) -> PathBuf {
        self.node.directory().to_owned()
    }

    /// Everything is as it was.
    fn restore(&self) {
        for part in PARTS {
            put(&self.copy.path().join(part), &self.dir().join(part));
        }
    }
}

/// Ends a node in good order.
fn stop(node: &mut RunningNode) {
    node.signal(Signal::TERM);
    node.process().wait();
}

/// Makes `to` what `from` is.
fn put(from: &Path, to: &Path) {
    if from.is_file() {
        fs::copy(from, to).unwrap();
        return;
    }
    if to.exists() {
        fs::remove_dir_all(to).unwrap();
    }
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The files of a directory with this ending, by name.
fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == ending)).collect();
    found.sort();
    found
}

/// Everything in a directory but who holds the lock.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let parts = PARTS.iter().filter(|part| **part != "lock").map(|part| dir.join(part));
    let all = parts.flat_map(|part| match fs::read_dir(&part) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => vec![part],
    });
    all.filter_map(|path| fs::read(&path).ok().map(|bytes| (path, bytes))).collect()
}

fn log(arguments: &[&str], dir: &Path) -> Finished {
    let mut command = Command::new(program("mesh-node", "mesh-node"));
    Process::start(command.arg("log").args(arguments).arg(dir)).finish()
}

/// Where the blocks of a file of the log stand, and how many bytes they have.
fn blocks(dir: &Path, file: &Path) -> Vec<(u64, u64)> {
    let dump = log(&["dump"], dir).stdout;
    let title = format!("file {}", file.file_stem().unwrap().to_str().unwrap());
    let lines = dump.lines().skip_while(|line| !line.starts_with(&title)).skip(1);
    let block = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "bytes")?;
        (words.get(1) == Some(&"block")).then(|| (words[0].parse().unwrap(), words[at + 1].parse().unwrap()))
    };
    lines.take_while(|line| !line.starts_with("file")).filter_map(block).collect()
}

fn flip(path: &Path, at: u64) {
    let file = fs::File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
}

/// What is done to a file.
#[derive(Debug, Clone, Copy)]
enum How {
    Flip(u64),
    Halve,
    Remove,
    Empty,
}

impl How {
    fn to(self, path: &Path) {
        let size = |of: &dyn Fn(u64) -> u64| {
            let file = fs::File::options().write(true).open(path).unwrap();
            file.set_len(of(file.metadata().unwrap().len())).unwrap();
        };
        match self {
            Self::Flip(at) => flip(path, at),
            Self::Halve => size(&|len| len / 2),
            Self::Remove => fs::remove_file(path).unwrap(),
            Self::Empty => size(&|_| 0),
        }
    }
}

/// What comes of it.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// The node does not start, by this code, and `verify` says this one.
    Refuses(&'static str, &'static str),
    /// It serves everything, and `verify` has nothing to say.
    IsWhole,
    /// It serves everything, and says this code before, as `verify` does.
    IsMadeGood(&'static str),
    /// It serves everything but what is lost, of which `verify` knows by this code.
    Lacks(&'static str),
}

use How::{Empty, Flip, Halve, Remove};
use Then::{IsMadeGood, IsWhole, Lacks, Refuses};

/// A file by its name, where it is, and what is done to it.
type Row<'a> = (&'a str, &'a Path, &'a [(How, Then)]);

/// Reads all records one by one where that has to be; gives those that are refused.
async fn refused(node: &RunningNode) -> Vec<usize> {
    let whole = register(node, "kept").await;
    let client = Client::builder().endpoint(node.url()).request_timeout(SHORT).connect().await.unwrap();
    let (hurried, mut refused, mut from) = (client.existing_register("kept").await.unwrap(), Vec::new(), 1);
    while from <= RECORDS {
        match hurried.read(from as u64, 1 << 20).await {
            Ok(read) => {
                let next = usize::try_from(read.next()).unwrap();
                for (n, record) in (from..).zip(read.into_records()) {
                    assert_eq!(record.sequence, n as u64);
                    assert!(record.value == text(n).as_bytes(), "record {n} is another one");
                }
                assert!(next > from, "records from {from} on are silently missing");
                from = next;
            }
            // What is read together with it is not refused for its sake.
            Err(_) => {
                let one = hurried.read(from as u64, 1).await;
                let code = one.map(|_| ()).map_err(|error| error.code().to_string());
                match code {
                    Ok(()) => {
                        let read = whole.read(from as u64, 1).await.unwrap();
                        assert!(read.into_records()[0].value == text(from).as_bytes(), "record {from}");
                    }
                    Err(code) => {
                        assert!(["MESH-7062", "MESH-7099"].contains(&&*code), "record {from}: {code}");
                        refused.push(from);
                    }
                }
                from += 1;
            }
        }
    }
    refused
}

/// What `verify --json` says of the files and records that are damaged, as one text; and its code.
fn verified(dir: &Path, what: &str) -> (Option<String>, String) {
    let told = log(&["verify", "--json"], dir);
    if told.status == Some(0) {
        return (None, String::new());
    }
    assert_eq!(told.status, Some(1), "{what}");
    let error: Value = serde_json::from_str(&told.stderr).unwrap();
    let names = serde_json::from_str::<Value>(&told.stdout).map_or_else(
        |_| error["message"].to_string(),
        |found| {
            let of = ["damage", "store_damage", "damaged_records", "missing"];
            of.map(|part| found[part].to_string()).join(" ")
        },
    );
    (error["code"].as_str().map(str::to_owned), names)
}

async fn check(filled: &mut Filled, what: &str, path: &Path, how: How, then: Then) {
    let dir = filled.dir();
    filled.restore();
    how.to(path);
    let what = format!("{what}, {how:?}");
    let before = contents(&dir);
    let (code, names) = verified(&dir, &what);
    assert!(contents(&dir) == before, "{what}: verify changed something");
    let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
    match then {
        Refuses(at_start, by_verify) => {
            assert_eq!(code.as_deref(), Some(by_verify), "{what}");
            let refused = filled.node.start_in_vain();
            assert_eq!(refused.status, Some(1), "{what}: {}", refused.stderr);
            for words in [at_start, "cause: ", "hint: "] {
                assert!(refused.stderr.contains(words), "{what}, {words}: {}", refused.stderr);
            }
            assert!(contents(&dir) == before, "{what}: something was changed");
        }
        IsWhole | IsMadeGood(_) => {
            let expected = if let IsMadeGood(code) = then { Some(code) } else { None };
            assert_eq!(code.as_deref(), expected, "{what}");
            filled.node.start_again();
            if let Some(code) = expected {
                filled.node.process().stderr_line(code);
            }
            assert_eq!(refused(&filled.node).await, [0_usize; 0], "{what}");
            filled.node.kill();
        }
        Lacks(expected) => {
            assert_eq!(code.as_deref(), Some(expected), "{what}");
            filled.node.start_again();
            let refused = refused(&filled.node).await;
            assert!(!refused.is_empty() && refused.len() < RECORDS / 2, "{what}: {refused:?}");
            for n in refused {
                assert!(names.contains(&format!("\"first\":{n}")), "{what}, record {n}: {names}");
            }
            filled.node.kill();
        }
    }
    if code.is_some() && !matches!(then, Lacks(_)) {
        // What is missing is named by whose it was; the register is in group 1.
        let is_missing = matches!(then, Refuses(_, "MESH-7005"));
        let is_named = names.contains(if is_missing { "\"group\":1," } else { &stem });
        assert!(is_named, "{what}: {stem} is not named: {names}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_file_changed_in_each_way() {
    let mut filled = Filled::new().await;
    let dir = filled.dir();
    let (log_dir, seg_dir) = (dir.join("log"), dir.join("seg"));
    let is_built = |path: &PathBuf| path.with_extension("seg").exists();
    let (built, kept): (Vec<_>, Vec<_>) = files(&seg_dir, "idx").into_iter().partition(is_built);
    let (built_index, kept_index) = (&built[0], &kept[0]);
    let segment = built_index.with_extension("seg");
    let kept_file = log_dir.join(kept_index.with_extension("wal").file_name().unwrap());
    // Those that the log is in: the last one with blocks, and a full one before it.
    let of_log = files(&log_dir, "wal").into_iter();
    let of_log: Vec<PathBuf> = of_log
        .filter(|path| !seg_dir.join(path.file_name().unwrap()).with_extension("idx").exists())
        .collect();
    let used: Vec<_> = of_log.into_iter().filter(|path| !blocks(&dir, path).is_empty()).collect();
    let (newest, full, waiting) = (used.last().unwrap(), &used[used.len() - 2], &used[0]);
    let at = blocks(&dir, newest);
    let [first, middle, mark] = [0, at.len() / 2, at.len() - 1].map(|nth| at[nth].0);
    let last = at[at.len() - 2].0;
    let in_full = blocks(&dir, full);
    let (full_middle, full_bytes) = in_full[in_full.len() / 2];
    let in_waiting = blocks(&dir, waiting);
    let (waiting_middle, waiting_bytes) = in_waiting[in_waiting.len() / 2];
    assert!(used.len() > 3 && waiting_bytes > 100_000, "{used:?}");
    let in_kept = blocks(&dir, &kept_file);
    let (kept_middle, kept_bytes) = in_kept[in_kept.len() / 2];
    assert!(full_bytes > 100_000 && kept_bytes > 100_000, "of large records");
    let in_segment = fs::metadata(&segment).unwrap().len() * 3 / 4;
    let data = dir.join("DATA");
    // That of the group that the register is in: it has entries and records.
    let checkpoint = files(&dir.join("checkpoint"), "ckpt").into_iter();
    let checkpoint = checkpoint.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    let (lock, begun) = (dir.join("lock"), log_dir.join("begun"));
    let damaged = Refuses("MESH-7011", "MESH-7011");
    let missing = Refuses("MESH-7005", "MESH-7032");
    let table: [Row<'_>; _] = [
        (
            "DATA",
            &data,
            &[
                (Flip(60), Refuses("MESH-7006", "MESH-7006")),
                (Halve, Refuses("MESH-7006", "MESH-7006")),
                (Empty, Refuses("MESH-7006", "MESH-7006")),
                (Remove, Refuses("MESH-7005", "MESH-7007")),
            ],
        ),
        ("the lock", &lock, &[(Remove, IsWhole), (Empty, IsWhole)]),
        (
            "the newest file of the log",
            newest,
            &[
                (Flip(20), IsWhole),
                (Flip(first + 20), damaged),
                (Flip(first + 70), damaged),
                (Flip(middle + 20), damaged),
                (Flip(last + 20), damaged),
                // Nobody was told of the last block, which says that the one before is durable.
                (Flip(mark + 20), IsWhole),
                (Halve, damaged),
                (Empty, damaged),
                (Remove, damaged),
            ],
        ),
        (
            "a full file of the log",
            full,
            &[
                (Flip(full_middle + 20), damaged),
                (Flip(full_middle + 100_000), damaged),
                (Halve, damaged),
                (Empty, damaged),
                (Remove, damaged),
            ],
        ),
        (
            "a full file of the log that only a checkpoint names",
            waiting,
            &[
                (Flip(waiting_middle + 100_000), Lacks("MESH-7032")),
                (Halve, missing),
                (Empty, missing),
                (Remove, missing),
            ],
        ),
        ("begun", &begun, &[(Flip(20), IsWhole), (Halve, IsWhole), (Empty, IsWhole), (Remove, IsWhole)]),
        (
            "a checkpoint",
            &checkpoint,
            &[
                (Flip(10), Refuses("MESH-7030", "MESH-7030")),
                (Flip(40), Refuses("MESH-7030", "MESH-7030")),
                (Halve, Refuses("MESH-7030", "MESH-7030")),
                (Empty, Refuses("MESH-7030", "MESH-7030")),
                (Remove, Refuses("MESH-7005", "MESH-7005")),
            ],
        ),
        (
            "a segment",
            &segment,
            &[
                // Its own table is for making the index again.
                (Flip(1_000), IsWhole),
                (Flip(in_segment), Lacks("MESH-7032")),
                (Halve, Refuses("MESH-7032", "MESH-7032")),
                (Empty, Refuses("MESH-7032", "MESH-7032")),
                (Remove, Refuses("MESH-7032", "MESH-7032")),
            ],
        ),
        (
            "the index of a segment",
            built_index,
            &[
                (Flip(20), IsMadeGood("MESH-7031")),
                (Halve, IsMadeGood("MESH-7031")),
                (Empty, IsMadeGood("MESH-7031")),
                (Remove, IsWhole),
            ],
        ),
        (
            "a file of the log that is kept",
            &kept_file,
            &[
                (Flip(kept_middle + 100_000), Lacks("MESH-7032")),
                (Halve, Refuses("MESH-7032", "MESH-7032")),
                (Empty, Refuses("MESH-7032", "MESH-7032")),
                (Remove, Refuses("MESH-7032", "MESH-7032")),
            ],
        ),
        (
            "the index of a file that is kept",
            kept_index,
            &[
                (Flip(20), Refuses("MESH-7031", "MESH-7031")),
                (Halve, Refuses("MESH-7031", "MESH-7031")),
                (Empty, Refuses("MESH-7031", "MESH-7031")),
                (Remove, Refuses("MESH-7005", "MESH-7005")),
            ],
        ),
    ];
    for (what, path, ways) in table {
        for (how, then) in ways {
            println!("{what}, {how:?}: {then:?}");
            check(&mut filled, what, path, *how, *then).await;
        }
    }
    // All of the log behind the checkpoints.
    println!("all files of the log that are in use");
    filled.restore();
    used.iter().for_each(|path| fs::remove_file(path).unwrap());
    let before = contents(&dir);
    assert_eq!(verified(&dir, "no log").0.as_deref(), Some("MESH-7011"));
    let refused = filled.node.start_in_vain();
    assert!(refused.status == Some(1) && refused.stderr.contains("MESH-7011"), "{}", refused.stderr);
    assert!(contents(&dir) == before);
    // And all is well with what was not changed.
    filled.restore();
    assert_eq!(verified(&dir, "nothing").0, None);
}
