//! How long a node takes to open its log and its segments.
//!
//! ```text
//! cargo run --release -p mesh-log --example recover -- DIR GIB [PIECE_BYTES]
//! ```
//! Fills DIR (which must not exist) with GIB of entries of 512 KiB from 16 groups, each entry cut into pieces of
//! `PIECE_BYTES` (4,096 by default). Full files of the log become segments: three of four are kept where they are, of the
//! fourth the records move. The last four files stay in the log. Then both are opened twice.
#![allow(clippy::print_stdout, reason = "it is what the example is for")]

use std::{
    collections::BTreeMap,
    error::Error,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use mesh_log::{
    files::LOG_DIR,
    id::{GroupId, LaneId},
    job::{Done, Job},
    keeper::{self, Keeper},
    location::{Location, Piece},
    log::{self, Log, Sealed},
    payload::Payload,
    record::{Entry, EntryKind, Record},
    vfs::{Vfs, real::Real},
};

const GROUPS: u32 = 16;
const LANES: u64 = 8;
const ENTRY_BYTES: usize = 512 << 10;
const IDENTITY: u128 = 7;
const WAL_FILES: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let dir = args.next().ok_or("usage: recover DIR GIB [PIECE_BYTES]")?;
    let gib: f64 = args.next().ok_or("GIB is missing")?.parse()?;
    let piece_bytes: usize = args.next().map_or(Ok(4096), |arg| arg.parse())?;
    let dir = Path::new(&dir);
    std::fs::create_dir(dir)?;
    let vfs: Arc<dyn Vfs> = Arc::new(Real);
    fill(&vfs, dir, (gib * f64::from(1 << 30)) as u64, piece_bytes.clamp(1, ENTRY_BYTES))?;
    for _ in 0..2 {
        let (keeper, log) = open(&vfs, dir)?;
        println!(
            "opened: {:.3} s, of it segments {:.3} s, log {:.3} s",
            (keeper + log).as_secs_f64(),
            keeper.as_secs_f64(),
            log.as_secs_f64()
        );
    }
    Ok(())
}

fn fill(vfs: &Arc<dyn Vfs>, dir: &Path, bytes: u64, piece_bytes: usize) -> Result<(), Box<dyn Error>> {
    let (keeper, _) = Keeper::open(vfs.clone(), dir, keeper::Options::default())?;
    let options = log::Options { prefill: false, ..log::Options::new(IDENTITY) };
    let (mut log, _) = Log::open(vfs.clone(), &dir.join(LOG_DIR), options)?;
    let record = Bytes::from((0..ENTRY_BYTES).map(|at| (at * 31) as u8).collect::<Vec<_>>());
    let payload = Payload::new(record.clone());
    let mut world =
        World { record, piece_bytes, next: BTreeMap::new(), pieces: BTreeMap::new(), sealed: Vec::new() };
    for n in 0..bytes / ENTRY_BYTES as u64 {
        let group = GroupId((n % u64::from(GROUPS)) as u32);
        let index = n / u64::from(GROUPS) + 1;
        let entry = Entry { term: 1, index, kind: EntryKind::Commands, payload: payload.clone() };
        let locations = log.append(&[Record::Entry { group, entry }])?;
        log.sync()?;
        world.apply(group, locations[0]);
        world.sealed.extend(log.sealed());
        if world.sealed.len() >= WAL_FILES {
            let sealed = world.sealed.remove(0);
            let kept = world.keep(&keeper, &sealed)?;
            let cuts: Vec<_> = sealed
                .groups
                .iter()
                .map(|(group, index)| Record::Cut { group: *group, index: *index, term: 1 })
                .collect();
            log.append(&cuts)?;
            log.sync()?;
            log.release(sealed.file, kept);
        }
    }
    println!("{} pieces in {} segments", world.next.values().sum::<u64>(), keeper.segments().len());
    Ok(())
}

struct World {
    record: Bytes,
    piece_bytes: usize,
    next: BTreeMap<(GroupId, LaneId), u64>,
    pieces: BTreeMap<u64, Vec<(GroupId, Piece)>>,
    sealed: Vec<Sealed>,
}

impl World {
    fn apply(&mut self, group: GroupId, location: Location) {
        let mut crcs = BTreeMap::new();
        for (n, chunk) in self.record.chunks(self.piece_bytes).enumerate() {
            let lane = LaneId(n as u64 % LANES);
            let next = self.next.entry((group, lane)).or_default();
            *next += 1;
            let len = chunk.len() as u32;
            // The pattern repeats every 256 bytes.
            let offset = n * self.piece_bytes;
            let crc = *crcs
                .entry((offset % 256, len))
                .or_insert_with(|| Payload::new(self.record.slice_ref(chunk)).crc());
            let location = Location { offset: location.offset + offset as u64, len, crc, ..location };
            let piece = Piece { lane, first: *next, count: 1, location };
            self.pieces.entry(location.file.0).or_default().push((group, piece));
        }
    }

    fn keep(&mut self, keeper: &Keeper, sealed: &Sealed) -> Result<bool, Box<dyn Error>> {
        let pieces = self.pieces.remove(&sealed.file.0).unwrap_or_default();
        if !sealed.file.0.is_multiple_of(4) {
            let done = keeper.run(Job::Keep { file: sealed.file, pieces });
            return if done == Done::Kept { Ok(true) } else { Err(format!("{done:?}").into()) };
        }
        let mut by_group: BTreeMap<GroupId, Vec<Piece>> = BTreeMap::new();
        pieces.into_iter().for_each(|(group, piece)| by_group.entry(group).or_default().push(piece));
        for (group, pieces) in by_group {
            let done = keeper.run(Job::Move { group, pieces });
            if !matches!(done, Done::Moved(_)) {
                return Err(format!("{done:?}").into());
            }
        }
        Ok(false)
    }
}

fn open(vfs: &Arc<dyn Vfs>, dir: &Path) -> Result<(Duration, Duration), Box<dyn Error>> {
    let begun = Instant::now();
    let (_keeper, restored) = Keeper::open(vfs.clone(), dir, keeper::Options::default())?;
    let keeper = begun.elapsed();
    let begun = Instant::now();
    let options = log::Options { prefill: false, kept: restored.kept.clone(), ..log::Options::new(IDENTITY) };
    let (_log, recovered) = Log::open(vfs.clone(), &dir.join(LOG_DIR), options)?;
    let log = begun.elapsed();
    let runs: usize = restored.lanes.groups().map(|group| restored.lanes.runs(group).len()).sum();
    let entries: usize = recovered.groups.values().map(|group| group.entries.len()).sum();
    println!(
        "{runs} runs of records, {entries} entries in the log, damage: {} and {}",
        restored.damage.len(),
        recovered.damage.len()
    );
    Ok((keeper, log))
}
