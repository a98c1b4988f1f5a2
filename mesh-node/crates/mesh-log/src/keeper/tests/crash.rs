//! The power goes between every two steps of a roll-over, and nothing that is wanted is lost.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::fixture::*;
use crate::{
    files::data_path,
    id::{FileId, GroupId, LaneId},
    job::{Done, Job},
    keeper::{Keeper, Restored},
    lanes::Lanes,
    location::Piece,
    log::Sealed,
    rollover::{Action, Options, Progress, Rollover},
    vfs::{
        Vfs,
        simulated::{Disk, Faults, SplitMix64},
    },
};

const FILES: u64 = 3;

/// An entry of a group's log: one piece of a lane.
#[derive(Debug, Clone, Copy)]
struct Entry {
    group: GroupId,
    index: u64,
    piece: Piece,
}

/// What replicas do with their log: each applies its entries in order, and trims its lanes.
#[derive(Debug)]
struct World {
    disk: Disk,
    entries: Vec<Entry>,
    sealed: Vec<Sealed>,
}

/// A replica.
#[derive(Debug, Default, Clone)]
struct Replica {
    applied: u64,
    checkpointed: u64,
    lows: BTreeMap<LaneId, u64>,
}

impl World {
    fn new() -> Self {
        let disk = Disk::new();
        let mut entries = Vec::new();
        let mut sealed = Vec::new();
        let mut indexes: BTreeMap<GroupId, u64> = BTreeMap::new();
        for file in 1..=FILES {
            // Half of the middle one is wanted, and a third of the others.
            let (count, len) = if file == 2 { (4, 2000) } else { (12, 300) };
            let mut plan = Vec::new();
            for n in 0..count {
                let group = GroupId(n % 3);
                let index = indexes.entry(group).or_insert(0);
                *index += 1;
                plan.push((group, *index, LaneId(*index % 2)));
            }
            let pieces: Vec<_> = plan.iter().map(|(_, index, lane)| (*lane, *index, len)).collect();
            let pieces = log_file(&disk, file, &pieces);
            entries.extend(plan.iter().zip(pieces).map(|((group, index, _), piece)| Entry {
                group: *group,
                index: *index,
                piece,
            }));
            let groups = indexes.iter().map(|(group, index)| (*group, *index)).collect();
            sealed.push(Sealed { file: FileId(file), groups, bytes: u64::from(count) * u64::from(len) });
        }
        Self { disk, entries, sealed }
    }

    fn last(&self, group: GroupId) -> u64 {
        self.entries.iter().filter(|entry| entry.group == group).map(|entry| entry.index).max().unwrap_or(0)
    }

    fn groups() -> [GroupId; 3] {
        [GroupId(0), GroupId(1), GroupId(2)]
    }

    /// From which number on a lane's records are wanted after an entry: one group keeps all of them, the rest none.
    fn low(group: GroupId, applied: u64) -> u64 {
        if group == GroupId(0) { 0 } else { applied + 1 }
    }
}

/// A checkpoint: the last entry, what is trimmed, the runs of records, and those of them that are in the log.
fn checkpoint(replica: &Replica, lanes: &Lanes, group: GroupId) -> Bytes {
    let mut bytes = replica.applied.to_le_bytes().to_vec();
    let runs = lanes.runs(group);
    let pieces = lanes.in_log(group);
    for number in [replica.lows.len(), runs.len(), pieces.len()] {
        bytes.extend_from_slice(&(number as u64).to_le_bytes());
    }
    for (lane, low) in &replica.lows {
        bytes.extend_from_slice(&lane.0.to_le_bytes());
        bytes.extend_from_slice(&low.to_le_bytes());
    }
    for run in runs {
        for number in [run.lane.0, run.first, run.last] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
    }
    pieces.iter().for_each(|piece| bytes.extend_from_slice(&piece.encode()));
    Bytes::from(bytes)
}

fn restore(bytes: &Bytes, lanes: &mut Lanes, group: GroupId) -> Replica {
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let counts = [number(8), number(16), number(24)].map(|count| count as usize);
    let applied = number(0);
    let mut at = 32;
    let mut lows = BTreeMap::new();
    for _ in 0..counts[0] {
        lows.insert(LaneId(number(at)), number(at + 8));
        at += 16;
    }
    let mut runs = Vec::new();
    for _ in 0..counts[1] {
        runs.push((LaneId(number(at)), number(at + 8), number(at + 16)));
        at += 24;
    }
    lanes.restrict(group, &runs);
    for _ in 0..counts[2] {
        let piece = bytes[at..at + Piece::ENCODED].try_into().unwrap();
        lanes.put(group, Piece::decode(piece).unwrap());
        at += Piece::ENCODED;
    }
    lows.iter().for_each(|(lane, low)| lanes.trim(group, *lane, *low));
    Replica { applied, checkpointed: applied, lows }
}

/// A process that runs until it is idle or the disk fails it.
struct Process<'a> {
    world: &'a World,
    keeper: Keeper,
    lanes: Lanes,
    replicas: BTreeMap<GroupId, Replica>,
    rollover: Rollover,
}

impl<'a> Process<'a> {
    fn start(world: &'a World) -> Option<Self> {
        let vfs: std::sync::Arc<dyn Vfs> = std::sync::Arc::new(world.disk.clone());
        let (keeper, restored) = Keeper::open(vfs, dir(), options()).ok()?;
        let Restored { mut lanes, checkpoints, damage, .. } = restored;
        assert_eq!(damage, [], "a crash is no damage");
        let mut replicas = BTreeMap::new();
        for group in World::groups() {
            let replica = match checkpoints.get(&group) {
                Some(bytes) => restore(bytes, &mut lanes, group),
                None => {
                    lanes.restrict(group, &[]);
                    Replica::default()
                }
            };
            replicas.insert(group, replica);
        }
        let rollover = Rollover::new(Options { sealed_files: 0, ..Options::default() });
        let mut process = Self { world, keeper, lanes, replicas, rollover };
        process.apply();
        Some(process)
    }

    /// Applies what the log has behind the checkpoints; then reports the full files that are still there.
    fn apply(&mut self) {
        let files: BTreeSet<_> = self.world.disk.files().into_iter().map(|(path, _)| path).collect();
        for entry in &self.world.entries {
            let Entry { group, index, piece } = *entry;
            let replica = self.replicas.get_mut(&group).unwrap();
            if index <= replica.applied {
                continue;
            }
            assert!(
                files.contains(&data_path(dir(), piece.location.file)),
                "entry {index} of group {group} is needed and gone"
            );
            assert_eq!(index, replica.applied + 1);
            replica.applied = index;
            self.lanes.put(group, piece);
            let low = World::low(group, index);
            replica.lows.insert(piece.lane, low);
            self.lanes.trim(group, piece.lane, low);
        }
        for sealed in &self.world.sealed {
            if files.contains(&data_path(dir(), sealed.file)) {
                self.rollover.handle_sealed(sealed);
            }
        }
        World::groups().into_iter().for_each(|group| self.progress(group));
    }

    fn progress(&mut self, group: GroupId) {
        let Replica { applied, checkpointed, .. } = self.replicas[&group];
        let last = self.world.last(group);
        self.rollover.handle_progress(group, Progress { applied, last, checkpointed });
    }

    /// Does what is to be done; `false` when the disk failed.
    fn run(&mut self) -> bool {
        while let Some(action) = self.rollover.poll(&self.lanes) {
            let ok = match action {
                Action::Job { work, job } => {
                    let done = self.keeper.run(job);
                    assert!(!matches!(done, Done::Damaged(_)), "{done:?}");
                    self.rollover.handle_done(work, &done, &mut self.lanes).failed.is_none()
                }
                Action::Checkpoint { group, .. } => {
                    let replica = self.replicas.get_mut(&group).unwrap();
                    let bytes = checkpoint(replica, &self.lanes, group);
                    let done = self.keeper.run(Job::Checkpoint { group, bytes });
                    if done == Done::Checkpointed {
                        replica.checkpointed = replica.applied;
                        self.progress(group);
                    }
                    done == Done::Checkpointed
                }
                Action::Release { file, kept } => kept || self.release(file).is_ok(),
            };
            if !ok {
                return false;
            }
        }
        true
    }

    /// What the log does with a file that nobody needs.
    fn release(&self, file: FileId) -> std::io::Result<()> {
        self.world.disk.remove(&data_path(dir(), file))?;
        self.world.disk.sync_dir(&dir().join("log"))
    }

    /// Everything that is wanted can be read.
    fn check(&self) {
        for entry in &self.world.entries {
            let Entry { group, index, piece } = *entry;
            let low = self.replicas[&group].lows.get(&piece.lane).copied().unwrap_or(0);
            if index < low {
                continue;
            }
            let sources = self.lanes.find(group, piece.lane, index, index);
            let read = Job::Read {
                group,
                lane: piece.lane,
                first: index,
                last: index,
                max_bytes: u32::MAX,
                sources,
            };
            let Done::Read(found) = self.keeper.run(read) else { panic!("not read") };
            let bytes = bytes_of(piece.lane, index, piece.location.len);
            assert_eq!(found.len(), 1, "record {index} of group {group}");
            assert_eq!((found[0].0.first, &found[0].1), (index, &Some(bytes)));
        }
    }
}

#[test]
fn without_a_crash_the_mostly_live_file_stays_and_what_is_live_of_the_others_moves() {
    let world = World::new();
    let mut process = Process::start(&world).unwrap();
    assert!(process.run());
    process.check();
    let files: Vec<_> = world.disk.files().into_iter().map(|(path, _)| path.display().to_string()).collect();
    assert!(files.contains(&"/data/log/0000000000000002.wal".to_owned()), "{files:?}");
    assert!(!files.contains(&"/data/log/0000000000000001.wal".to_owned()), "{files:?}");
    assert!(!files.contains(&"/data/log/0000000000000003.wal".to_owned()), "{files:?}");
    assert_eq!(process.rollover.waiting(), 0);
}

/// Runs until the power goes after so many changes to the disk; `false` when it did not.
fn run_until(world: &World, changes: u64) -> bool {
    world.disk.set_faults(Faults { power: Some(changes), ..Faults::default() });
    let done = Process::start(world).is_some_and(|mut process| process.run());
    world.disk.set_faults(Faults::default());
    !done
}

#[test]
fn nothing_is_lost_when_the_power_goes_between_any_two_steps() {
    let mut crashes = 0;
    for seed in 0..3 {
        for changes in 1.. {
            let world = World::new();
            let mut random = SplitMix64::new(seed * 1000 + changes);
            if !run_until(&world, changes) {
                assert!(changes > 20, "a roll-over has more than {changes} steps");
                break;
            }
            crashes += 1;
            match seed {
                0 => world.disk.crash_losing_all(),
                _ => world.disk.crash(&mut random),
            }
            // And again, somewhere in what comes after it.
            if run_until(&world, 1 + random.below(12)) {
                world.disk.crash(&mut random);
            }
            let mut process = Process::start(&world).unwrap();
            process.check();
            assert!(process.run(), "it goes on");
            process.check();
            assert_eq!(process.rollover.waiting(), 0);
            drop(process);
            world.disk.crash_losing_all();
            let mut process = Process::start(&world).unwrap();
            assert!(process.run());
            process.check();
            let left = process.lanes.segments().filter(|(_, usage)| usage.live == 0).count();
            assert_eq!(left, 0, "what is not wanted is gone");
        }
    }
    assert!(crashes > 60, "{crashes} crashes");
}
