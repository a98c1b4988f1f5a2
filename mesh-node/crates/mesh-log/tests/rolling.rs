//! The log, what becomes of its full files, and the store together, on real files.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::{collections::BTreeMap, path::Path, sync::Arc};

use bytes::Bytes;
use mesh_log::{
    files::{LOG_DIR, data_path},
    id::{FileId, GroupId, LaneId},
    job::{Done, Job},
    keeper::{self, Keeper},
    lanes::Lanes,
    location::{Location, Piece},
    log::{self, Log, Recovered},
    payload::Payload,
    record::{Entry, EntryKind, Record},
    rollover::{self, Action, Progress, Rollover},
    vfs::{Vfs, real::Real},
};

const GROUPS: u32 = 2;
/// Its records are wanted for long.
const KEPT: LaneId = LaneId(1);
/// Of these the last ten are.
const PASSING: LaneId = LaneId(2);

/// A process with replicas that apply at once what is written.
struct Node {
    log: Log,
    keeper: Keeper,
    lanes: Lanes,
    rollover: Rollover,
    applied: BTreeMap<GroupId, u64>,
    cuts: BTreeMap<GroupId, u64>,
}

fn body(group: GroupId, index: u64) -> Bytes {
    let lane = lane_of(index);
    let len = if lane == KEPT { 3000 } else { 5000 };
    (0..len).map(|at| (at + index * 7 + u64::from(group.0)) as u8).collect()
}

/// For a while most of it is kept, for a while little.
fn lane_of(index: u64) -> LaneId {
    let rarely = (index / 60).is_multiple_of(2);
    if index.is_multiple_of(if rarely { 8 } else { 1 }) { KEPT } else { PASSING }
}

impl Node {
    fn start(dir: &Path) -> Self {
        let vfs: Arc<dyn Vfs> = Arc::new(Real);
        let options = keeper::Options { segment_bytes: 100_000, ..keeper::Options::default() };
        let (keeper, restored) = Keeper::open(vfs.clone(), dir, options).unwrap();
        assert_eq!(restored.damage, []);
        let options = log::Options {
            file_bytes: log::Options::FILE_BYTES_MIN,
            kept: restored.kept,
            ..log::Options::new(7)
        };
        let (log, recovered) = Log::open(vfs, &dir.join(LOG_DIR), options).unwrap();
        let rollover = Rollover::new(rollover::Options { sealed_files: 1, ..rollover::Options::default() });
        let (applied, cuts) = (BTreeMap::new(), BTreeMap::new());
        let mut node = Self { log, keeper, lanes: restored.lanes, rollover, applied, cuts };
        node.recover(&restored.checkpoints, recovered);
        node
    }

    fn recover(&mut self, checkpoints: &BTreeMap<GroupId, Bytes>, recovered: Recovered) {
        assert_eq!(recovered.damage, []);
        for group in (0..GROUPS).map(GroupId) {
            if let Some(checkpoint) = checkpoints.get(&group) {
                let (index, pieces) = checkpoint.split_first_chunk().unwrap();
                self.applied.insert(group, u64::from_le_bytes(*index));
                let (ranges, pieces) = pieces.split_at(32);
                let number = |at: usize| u64::from_le_bytes(ranges[at..at + 8].try_into().unwrap());
                self.lanes
                    .restrict(group, &[(KEPT, number(0), number(8)), (PASSING, number(16), number(24))]);
                for piece in pieces.chunks_exact(Piece::ENCODED) {
                    self.lanes.put(group, Piece::decode(piece.first_chunk().unwrap()).unwrap());
                }
            }
            let Some(found) = recovered.groups.get(&group) else { continue };
            for (entry, location) in &found.entries {
                if entry.index > self.applied.get(&group).copied().unwrap_or(0) {
                    assert_eq!(entry.payload.bytes(), &body(group, entry.index));
                    self.apply(group, entry.index, *location);
                }
            }
            self.cuts.insert(group, found.cut.0);
            self.progress(group);
        }
        recovered.sealed.iter().for_each(|sealed| self.rollover.handle_sealed(sealed));
    }

    fn apply(&mut self, group: GroupId, index: u64, location: Location) {
        self.applied.insert(group, index);
        self.lanes.put(group, Piece { lane: lane_of(index), first: index, count: 1, location });
        self.lanes.trim(group, PASSING, index.saturating_sub(10));
    }

    fn progress(&mut self, group: GroupId) {
        let applied = self.applied.get(&group).copied().unwrap_or(0);
        let checkpointed = self.cuts.get(&group).copied().unwrap_or(0);
        self.rollover.handle_progress(group, Progress { applied, last: applied, checkpointed });
    }

    fn write(&mut self, index: u64) {
        for group in (0..GROUPS).map(GroupId) {
            let payload = Payload::new(body(group, index));
            let entry = Entry { term: 1, index, kind: EntryKind::Commands, payload };
            let locations = self.log.append(&[Record::Entry { group, entry }]).unwrap();
            self.log.sync().unwrap();
            self.apply(group, index, locations[0]);
            self.progress(group);
        }
        for sealed in self.log.sealed() {
            self.rollover.handle_sealed(&sealed);
        }
        self.roll();
    }

    fn roll(&mut self) {
        while let Some(action) = self.rollover.poll(&self.lanes) {
            match action {
                Action::Job { work, job } => {
                    let done = self.keeper.run(job);
                    let found = self.rollover.handle_done(work, &done, &mut self.lanes);
                    assert_eq!(found, rollover::Found::default());
                }
                Action::Checkpoint { group, .. } => self.checkpoint(group),
                Action::Release { file, kept } => self.log.release(file, kept),
            }
        }
    }

    fn checkpoint(&mut self, group: GroupId) {
        let index = self.applied[&group];
        let mut bytes = index.to_le_bytes().to_vec();
        for lane in [KEPT, PASSING] {
            // Numbers of these lanes have gaps; between the first and the last run nothing else was ever wanted.
            let runs: Vec<_> = self.lanes.runs(group).into_iter().filter(|run| run.lane == lane).collect();
            let ends = [runs.first().map_or(1, |run| run.first), runs.last().map_or(0, |run| run.last)];
            ends.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        }
        self.lanes.in_log(group).iter().for_each(|piece| bytes.extend_from_slice(&piece.encode()));
        let bytes = Bytes::from(bytes);
        assert_eq!(self.keeper.run(Job::Checkpoint { group, bytes }), Done::Checkpointed);
        self.log.append(&[Record::Cut { group, index, term: 1 }]).unwrap();
        self.log.sync().unwrap();
        self.cuts.insert(group, index);
        self.progress(group);
    }

    fn check(&self) {
        for group in (0..GROUPS).map(GroupId) {
            for index in 1..=self.applied[&group] {
                let lane = lane_of(index);
                if lane == PASSING && index < self.applied[&group].saturating_sub(10) {
                    continue;
                }
                let sources = self.lanes.find(group, lane, index, index);
                let read = Job::Read { group, lane, first: index, last: index, max_bytes: 1, sources };
                let Done::Read(found) = self.keeper.run(read) else { panic!("not read") };
                assert_eq!(found.len(), 1, "record {index} of group {group}");
                assert_eq!(found[0].1, Some(body(group, index)), "record {index} of group {group}");
            }
        }
    }
}

#[test]
fn what_is_wanted_is_there_whatever_became_of_the_files_and_the_log_stays_small() {
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for round in 1..=5 {
        let mut node = Node::start(dir.path());
        assert_eq!(node.applied.get(&GroupId(1)).copied().unwrap_or(0), last, "nothing was forgotten");
        for index in last + 1..=last + 60 {
            node.write(index);
        }
        node.check();
        last += 60;
        assert!(node.rollover.waiting() <= 1, "round {round}");
    }
    let node = Node::start(dir.path());
    node.check();
    let segments: Vec<FileId> = node.keeper.segments();
    let is_kept = |file: &&FileId| data_path(dir.path(), **file).starts_with(dir.path().join(LOG_DIR));
    let kept = segments.iter().filter(is_kept).count();
    assert!(kept > 0 && kept < segments.len(), "some were kept, some moved: {segments:?}");
}
