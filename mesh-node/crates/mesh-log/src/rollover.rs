//! When a file of the log is full and the log is to go on: what becomes of the file, in which order.
//!
//! ```text
//!   sealed ─► all of it applied ─► mostly live ─► keep (write an index) ─┐
//!                               └► mostly dead ─► move its live pieces ──┤
//!            released ◄── every group in it has a checkpoint behind it ◄─┘
//! ```
//! Each arrow is taken when what stands before it is durable, so a crash between any two loses nothing: what was moved in
//! vain is found again as a segment of which nothing is wanted. Segments go when nothing in them is wanted any more, and
//! what is left of mostly dead ones is moved.
//!
//! Pure. Inputs: [`Rollover::handle_sealed`], [`Rollover::handle_progress`], [`Rollover::handle_done`]. Commands:
//! [`Rollover::forget`], [`Rollover::retry`], [`Rollover::set_urgent`]. Output: [`Rollover::poll`], until it is `None`,
//! after every input and whenever lanes were trimmed.

mod options;
mod plan;
#[cfg(test)]
mod tests;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};

pub use self::options::Options;
use self::{
    plan::Plan,
    waiting::{Phase, Waiting},
};
use crate::{
    id::{FileId, GroupId},
    job::{Done, Job},
    lanes::Lanes,
    location::Piece,
    log::Sealed,
};

/// What a job of a roll-over is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Work(u64);

/// How far a replica is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// The last entry that is applied: its records are in the lanes.
    pub applied: u64,
    /// The last entry of its log.
    pub last: u64,
    /// The last entry that a durable checkpoint has, and of which the log says so durably (`Record::Cut`).
    pub checkpointed: u64,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Have it done; then [`Rollover::handle_done`].
    Job {
        /// What it is known by.
        work: Work,
        /// It.
        job: Job,
    },
    /// Write a checkpoint of this group, and a `Record::Cut` when it is durable; then [`Rollover::handle_progress`].
    Checkpoint {
        /// The group.
        group: GroupId,
        /// The least index that it has to have.
        index: u64,
    },
    /// No group needs the file any more.
    Release {
        /// The file.
        file: FileId,
        /// Whether it stays as a segment.
        kept: bool,
    },
}

/// What was found by [`Rollover::handle_done`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Pieces that can't be read: to be fetched from a peer.
    pub damaged: Vec<(GroupId, Piece)>,
    /// Whether the disk was full, or a job failed: to be tried again by [`Rollover::retry`].
    pub failed: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Keep(FileId),
    Move(FileId, GroupId),
    Compact(FileId),
    Drop(FileId),
}

/// Decides about full files of the log and about segments.
#[derive(Debug)]
pub struct Rollover {
    options: Options,
    groups: BTreeMap<GroupId, Progress>,
    gone: BTreeSet<GroupId>,
    files: BTreeMap<FileId, Waiting>,
    works: BTreeMap<Work, What>,
    next: u64,
    urgent: bool,
    asked: BTreeMap<GroupId, u64>,
    stuck: BTreeSet<FileId>,
    damaged: BTreeMap<FileId, usize>,
    busy: BTreeSet<FileId>,
    /// Of which state of the lanes it is known that nothing is to be done about segments.
    idle_at: Option<u64>,
}

impl Rollover {
    /// Nothing is sealed.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            groups: BTreeMap::new(),
            gone: BTreeSet::new(),
            files: BTreeMap::new(),
            works: BTreeMap::new(),
            next: 0,
            urgent: false,
            asked: BTreeMap::new(),
            stuck: BTreeSet::new(),
            damaged: BTreeMap::new(),
            busy: BTreeSet::new(),
            idle_at: None,
        }
    }

    /// A file of the log is full; also one that nobody had released when the log was opened. Until a group of it makes
    /// [progress](Self::handle_progress) known, or is [forgotten](Self::forget), the file stays.
    pub fn handle_sealed(&mut self, sealed: &Sealed) {
        self.files.entry(sealed.file).or_insert_with(|| Waiting::new(sealed));
    }

    /// A replica has come further.
    pub fn handle_progress(&mut self, group: GroupId, progress: Progress) {
        self.gone.remove(&group);
        self.groups.insert(group, progress);
        if self.asked.get(&group).is_some_and(|index| progress.checkpointed >= *index) {
            self.asked.remove(&group);
        }
    }

    /// A job has ended. Changes the lanes as it says.
    pub fn handle_done(&mut self, work: Work, done: &Done, lanes: &mut Lanes) -> Found {
        let Some(what) = self.works.remove(&work) else { return Found::default() };
        self.idle_at = None;
        match (what, done) {
            (What::Keep(file), Done::Kept) => {
                lanes.kept(file);
                self.set_phase(file, Phase::Settled { kept: true });
            }
            (What::Move(file, group), Done::Moved(pieces)) => {
                lanes.moved(group, pieces);
                self.moved(file);
            }
            (What::Compact(file), Done::Compacted(pieces)) => {
                lanes.compacted(file, pieces);
                self.busy.remove(&file);
            }
            (What::Drop(file), Done::Dropped) => {
                lanes.dropped(file);
                self.busy.remove(&file);
            }
            (What::Move(file, group), Done::Damaged(pieces)) => {
                // Keeping needs no reading: what can be read stays readable.
                if let Some(waiting) = self.files.get_mut(&file) {
                    waiting.only_keep = true;
                }
                self.moved(file);
                let damaged = pieces.iter().map(|piece| (group, *piece)).collect();
                return Found { damaged, failed: None };
            }
            (What::Compact(file), Done::Damaged(pieces)) => {
                // In vain until some of it was repaired, or is not wanted any more.
                self.damaged.insert(file, lanes.wanted(file).len());
                self.busy.remove(&file);
                let damaged = lanes_of(lanes, pieces);
                return Found { damaged, failed: None };
            }
            (_, done) => {
                self.failed(what);
                let failed = match done {
                    Done::Failed(why) => why.clone(),
                    Done::Full => "no room".to_owned(),
                    other => format!("{other:?}"),
                };
                return Found { damaged: Vec::new(), failed: Some(failed) };
            }
        }
        Found::default()
    }

    /// The group has no replica here any more: it holds no file back.
    pub fn forget(&mut self, group: GroupId) {
        self.groups.remove(&group);
        self.asked.remove(&group);
        self.gone.insert(group);
    }

    /// What failed, or was asked for in vain, is tried again. To be called now and then (once a second).
    pub fn retry(&mut self) {
        self.idle_at = None;
        self.stuck.clear();
        self.asked.clear();
        for waiting in self.files.values_mut() {
            if waiting.phase == Phase::Failed {
                waiting.phase = Phase::Full;
            }
        }
    }

    /// The disk is full, or is not any more: full files don't wait until there are too many.
    pub fn set_urgent(&mut self, urgent: bool) {
        self.urgent = urgent;
    }

    /// What is to be done.
    pub fn poll(&mut self, lanes: &Lanes) -> Option<Action> {
        let action = self.poll_files(lanes);
        if action.is_some() || self.idle_at == Some(lanes.changes()) {
            return action;
        }
        let action = self.poll_segments(lanes);
        self.idle_at = action.is_none().then(|| lanes.changes());
        action
    }

    /// Sealed files that nobody released yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.files.len()
    }
}

/// The groups of pieces that a job named without them.
fn lanes_of(lanes: &Lanes, pieces: &[Piece]) -> Vec<(GroupId, Piece)> {
    let found = pieces.iter().flat_map(|piece| {
        lanes.groups().filter(|group| lanes.stands(*group, piece)).map(|group| (group, *piece))
    });
    found.collect()
}

impl Rollover {
    fn poll_files(&mut self, lanes: &Lanes) -> Option<Action> {
        let spare = if self.urgent { 0 } else { self.options.sealed_files };
        let excess = self.files.len().saturating_sub(spare);
        let files: Vec<FileId> = self.files.keys().take(excess).copied().collect();
        files.into_iter().find_map(|file| self.poll_file(file, lanes))
    }

    fn poll_file(&mut self, file: FileId, lanes: &Lanes) -> Option<Action> {
        let waiting = self.files.get(&file)?;
        match waiting.phase {
            Phase::Full => {
                if !self.is_applied(waiting) {
                    return None;
                }
                self.begin(file, lanes)
            }
            Phase::Moving { .. } => self.next_move(file, lanes),
            Phase::Settled { kept } => self.poll_settled(file, kept),
            Phase::Keeping | Phase::Failed => None,
        }
    }

    /// Whether all records of a file are known: its entries are applied, or are not in their group's log any more.
    fn is_applied(&self, waiting: &Waiting) -> bool {
        waiting.groups.iter().all(|(group, last)| match self.groups.get(group) {
            Some(progress) => progress.applied >= (*last).min(progress.last),
            None => self.gone.contains(group),
        })
    }

    fn begin(&mut self, file: FileId, lanes: &Lanes) -> Option<Action> {
        let waiting = self.files.get_mut(&file)?;
        match Plan::of(&self.options, waiting, file, lanes) {
            Plan::Keep(pieces) => {
                waiting.phase = Phase::Keeping;
                Some(self.job(What::Keep(file), Job::Keep { file, pieces }))
            }
            Plan::Move(moves) => {
                waiting.phase = Phase::Moving { left: moves, under_way: false };
                self.next_move(file, lanes)
            }
            Plan::Nothing => {
                waiting.phase = Phase::Settled { kept: false };
                self.poll_settled(file, false)
            }
        }
    }

    /// One at a time: each copies a good deal.
    fn next_move(&mut self, file: FileId, lanes: &Lanes) -> Option<Action> {
        let waiting = self.files.get_mut(&file)?;
        let Phase::Moving { left, under_way } = &mut waiting.phase else { return None };
        if *under_way {
            return None;
        }
        while let Some((group, mut pieces)) = left.pop() {
            // Some may have been trimmed since.
            pieces.retain(|piece| lanes.stands(group, piece));
            if !pieces.is_empty() {
                *under_way = true;
                return Some(self.job(What::Move(file, group), Job::Move { group, pieces }));
            }
        }
        waiting.phase = Phase::Full;
        self.begin(file, lanes)
    }

    fn moved(&mut self, file: FileId) {
        let Some(waiting) = self.files.get_mut(&file) else { return };
        if let Phase::Moving { under_way, .. } = &mut waiting.phase {
            *under_way = false;
            if waiting.only_keep {
                waiting.phase = Phase::Full;
            }
        }
    }

    fn poll_settled(&mut self, file: FileId, kept: bool) -> Option<Action> {
        let waiting = self.files.get(&file)?;
        let mut ready = true;
        for (group, last) in &waiting.groups {
            let Some(progress) = self.groups.get(group) else { continue };
            let index = (*last).min(progress.last);
            if progress.checkpointed >= index {
                continue;
            }
            ready = false;
            if self.asked.get(group).is_none_or(|asked| *asked < index) {
                self.asked.insert(*group, index);
                return Some(Action::Checkpoint { group: *group, index });
            }
        }
        if !ready {
            return None;
        }
        self.files.remove(&file);
        self.idle_at = None;
        Some(Action::Release { file, kept })
    }

    fn poll_segments(&mut self, lanes: &Lanes) -> Option<Action> {
        // A file of the log that was kept and is not released yet is still the log's.
        let free = |file: &FileId| {
            !self.files.contains_key(file) && !self.busy.contains(file) && !self.stuck.contains(file)
        };
        if let Some(file) = lanes.unwanted().into_iter().find(|file| free(file)) {
            self.busy.insert(file);
            return Some(self.job(What::Drop(file), Job::Drop { file, pieces: lanes.came_into(file) }));
        }
        let compacting = self.works.values().any(|what| matches!(what, What::Compact(_)));
        if compacting {
            return None;
        }
        let (file, _) = lanes.segments().find(|(file, usage)| {
            free(file)
                && self.options.is_mostly_dead(usage)
                && self.damaged.get(file).is_none_or(|ranges| lanes.wanted(*file).len() != *ranges)
        })?;
        self.damaged.remove(&file);
        self.busy.insert(file);
        let wanted = lanes.wanted(file);
        Some(self.job(What::Compact(file), Job::Compact { file, pieces: lanes.came_into(file), wanted }))
    }

    fn failed(&mut self, what: What) {
        match what {
            What::Keep(file) | What::Move(file, _) => self.set_phase(file, Phase::Failed),
            What::Compact(file) | What::Drop(file) => {
                self.stuck.insert(file);
                self.busy.remove(&file);
            }
        }
    }

    fn set_phase(&mut self, file: FileId, phase: Phase) {
        if let Some(waiting) = self.files.get_mut(&file) {
            waiting.phase = phase;
        }
    }

    fn job(&mut self, what: What, job: Job) -> Action {
        let work = Work(self.next);
        self.next += 1;
        self.works.insert(work, what);
        Action::Job { work, job }
    }
}
