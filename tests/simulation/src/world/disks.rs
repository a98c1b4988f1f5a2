//! The threads that write the log and do jobs, without being threads.

use std::{fmt::Write as _, time::Duration};

use mesh_log::{
    bug::Bug,
    job::{Done, Job},
    location::Location,
    log::WriteError,
    record::Record,
};
use mesh_replica::id::JobId;

use super::{Event, World};
use crate::{
    invariant::Invariant,
    node::{Process, Write},
};

/// How soon a disk that was full is tried again.
const RETRY: Duration = Duration::from_millis(100);

impl World {
    /// Writes all that waits, unless something is being written.
    pub(super) fn begin_write(&mut self, number: u64) {
        let now = self.now;
        let node = &mut self.nodes[number as usize - 1];
        let life = node.life;
        let Some(process) = &mut node.process else { return };
        if !process.writing.is_empty() || process.waiting.is_empty() || process.full {
            return;
        }
        let writes: Vec<Write> = process.waiting.drain(..).collect();
        let records: Vec<Record> = writes.iter().flat_map(|write| write.records.iter().cloned()).collect();
        _ = node.disk.take_spent();
        let locations = match process.log.append(&records) {
            Ok(locations) => locations,
            Err(WriteError::Full) => {
                process.waiting.extend(writes);
                process.full = true;
                self.counts.full += 1;
                self.queue.push(now + RETRY, Event::Retry { node: number, life });
                self.trace.event(now, number, "disk full", &[]);
                return self.tell(number, |host, now| host.handle_full(now, true));
            }
            Err(error) => return self.broken(number, &error.to_string()),
        };
        let took = node.disk.take_spent() + node.disk.faults().sync_delay;
        process.writing = place(writes, locations);
        self.queue.push(now + took, Event::Sync { node: number, life });
        if node.bugs.has(Bug::AckBeforeFsync) {
            self.written(number);
        }
        self.look_at_power(number);
    }

    pub(super) fn sync(&mut self, number: u64, life: u64) {
        if self.node(number).life != life {
            return;
        }
        let node = &mut self.nodes[number as usize - 1];
        let Some(process) = &mut node.process else { return };
        let before = node.disk.syncs();
        let result = process.log.sync();
        // A log that does not sync says that it did all the same, and what it wrote is not durable.
        let synced = node.disk.syncs() > before;
        if node.disk.is_out() {
            return self.look_at_power(number);
        }
        if let Err(error) = result {
            return self.broken(number, &error.to_string());
        }
        let writes = std::mem::take(&mut process.writing);
        for (write, locations) in writes.iter().filter(|_| synced) {
            self.checks.durable(number, &mut node.durable, &write.records);
            self.trace.note(self.now, || format!("n{number} durable: {}", in_short(write, locations)));
            for location in locations {
                let path = Self::data_path(location.file);
                if !node.disk.is_durable_at(&path, location.offset, location.len) && !node.damaged {
                    let what = Err(format!("node {number}: {location:?} is not durable after a sync"));
                    self.checks.judge(Invariant::DurableIsRecovered, what);
                }
            }
        }
        let early = node.bugs.has(Bug::AckBeforeFsync);
        process.writing = writes;
        if !early {
            self.written(number);
        }
        if let Some(process) = &mut self.node(number).process {
            process.writing.clear();
        }
        self.tell_sealed(number);
        // What came in the meantime is written now.
        self.drain(number);
    }

    /// Tells the host that what is being written is written.
    fn written(&mut self, number: u64) {
        let now = self.now.now(self.node(number).wrong_by_ms);
        let Some(process) = &mut self.node(number).process else { return };
        let Process { host, writing, .. } = process;
        for (write, locations) in writing {
            host.handle_written(now, write.id, locations.clone());
        }
    }

    fn tell_sealed(&mut self, number: u64) {
        let now = self.now.now(self.node(number).wrong_by_ms);
        let Some(process) = &mut self.node(number).process else { return };
        let all = process.log.sealed();
        process.host.handle_sealed(now, &all);
        for sealed in all {
            self.trace.event(self.now, number, "log file full", &[("file", sealed.file.0)]);
            self.trace.note(self.now, || format!("n{number} {sealed:?}"));
        }
    }

    pub(super) fn retry(&mut self, number: u64, life: u64) {
        let node = self.node(number);
        if node.life != life {
            return;
        }
        let Some(process) = &mut node.process else { return };
        process.full = false;
        self.begin_write(number);
        if self.node(number).process.as_ref().is_some_and(|process| !process.full) {
            self.tell(number, |host, now| host.handle_full(now, false));
        }
    }

    /// A job waits for its turn.
    pub(super) fn plan_job(&mut self, number: u64, id: JobId, job: Job) {
        let took = self.random.duration(Duration::from_micros(50), Duration::from_millis(3));
        let Some(process) = &mut self.node(number).process else { return };
        process.jobs.push_back((id, job, took));
        if process.jobs.len() == 1 {
            self.begin_job(number);
        }
    }

    /// The job whose turn it is takes as long as the disk takes now, and not as it took when the job was asked for.
    fn begin_job(&mut self, number: u64) {
        let node = self.node(number);
        let (slow, life) = (node.disk.faults().sync_delay, node.life);
        let Some((_, job, took)) = node.process.as_ref().and_then(|process| process.jobs.front()) else {
            return;
        };
        let wait = if matches!(job, Job::Read { .. }) { *took } else { *took + slow * 2 };
        self.queue.push(self.now + wait, Event::Job { node: number, life });
    }

    pub(super) fn job(&mut self, number: u64, life: u64) {
        let node = self.node(number);
        if node.life != life {
            return;
        }
        let Some((id, job, _)) = node.process.as_mut().and_then(|process| process.jobs.pop_front()) else {
            return;
        };
        self.begin_job(number);
        let (what, read) = (word(&job), matches!(job, Job::Read { .. }));
        self.counts.jobs += u64::from(!read);
        self.counts.checkpoints += u64::from(matches!(job, Job::Checkpoint { .. }));
        let node = self.node(number);
        let Some(process) = &mut node.process else { return };
        let words = in_words(&job);
        let done = process.keeper.run(job);
        if node.disk.is_out() {
            return self.look_at_power(number);
        }
        self.trace.event(self.now, number, what, &[("job", id.0), ("ended", ending(&done))]);
        self.trace.note(self.now, || format!("n{number} {words} {}", in_short_done(&done)));
        if matches!(done, Done::Damaged { .. }) {
            self.counts.damage += 1;
        }
        self.tell(number, |host, now| host.handle_done(now, id, done));
    }

    /// Writing failed: the process ends, and what was being written is never acknowledged.
    fn broken(&mut self, number: u64, why: &str) {
        self.trace.note(self.now, || format!("n{number} {why}"));
        if self.node(number).disk.is_out() {
            return self.look_at_power(number);
        }
        self.counts.io_errors += 1;
        self.counts.ends += 1;
        self.end(number, "disk fails");
    }

    /// Whether the power went in the midst of something.
    pub(super) fn look_at_power(&mut self, number: u64) {
        if self.node(number).disk.is_out() {
            self.power_goes(number);
        }
    }
}

/// Gives each write the places of its entries.
fn place(writes: Vec<Write>, locations: Vec<Location>) -> Vec<(Write, Vec<Location>)> {
    let mut locations = locations.into_iter();
    writes
        .into_iter()
        .map(|write| {
            let entries =
                write.records.iter().filter(|record| matches!(record, Record::Entry { .. })).count();
            let its = locations.by_ref().take(entries).collect();
            (write, its)
        })
        .collect()
}

/// Records and where they stand, for people.
fn in_short(write: &Write, locations: &[Location]) -> String {
    let mut words = String::new();
    let mut locations = locations.iter();
    for record in &write.records {
        let group = record.group();
        _ = match record {
            Record::Entry { entry, .. } => {
                let place = locations.next().map_or((0, 0), |at| (at.file.0, at.offset));
                let (index, term, (file, offset)) = (entry.index, entry.term, place);
                write!(words, " group {group} entry {index} (term {term}) in file {file} at {offset},")
            }
            Record::State { state, .. } => write!(words, " group {group} {state:?},"),
            Record::Cut { index, term, .. } => write!(words, " group {group} cut at {index} (term {term}),"),
            Record::Removed { .. } => write!(words, " group {group} removed,"),
        };
    }
    words
}

/// A job with its files, for people.
fn in_words(job: &Job) -> String {
    match job {
        Job::Read { group, lane, first, last, sources, .. } => {
            format!("read group {group} {lane:?} {first}..={last} from {sources:?}")
        }
        Job::Checkpoint { group, bytes } => format!("checkpoint of group {group}, {} bytes", bytes.len()),
        Job::Move { group, pieces } => {
            format!("move {} pieces of group {group}, first {:?}", pieces.len(), pieces.first())
        }
        Job::Store { group, pieces } => format!("store {} pieces of group {group}", pieces.len()),
        Job::Keep { file, pieces } => format!("keep {file:?} with {} pieces", pieces.len()),
        Job::Compact { file, .. } => format!("compact {file:?}"),
        Job::Drop { file, .. } => format!("drop {file:?}"),
        Job::Forget { group } => format!("forget group {group}"),
    }
}

/// What came of a job, for people.
fn in_short_done(done: &Done) -> String {
    match done {
        Done::Failed(why) => why.clone(),
        Done::Read(read) => {
            let mut words = String::from("gave");
            for (piece, bytes) in read {
                let what = if bytes.is_some() { "" } else { " damaged" };
                _ = write!(
                    words,
                    " {}..={}{what} in file {},",
                    piece.first,
                    piece.last(),
                    piece.location.file.0
                );
            }
            words
        }
        _ => String::new(),
    }
}

fn word(job: &Job) -> &'static str {
    match job {
        Job::Read { .. } => "has read",
        Job::Checkpoint { .. } => "checkpoint",
        Job::Move { .. } => "moves pieces",
        Job::Store { .. } => "stores pieces",
        Job::Keep { .. } => "keeps a file",
        Job::Drop { .. } => "drops a segment",
        Job::Forget { .. } => "forgets a group",
        _ => "job",
    }
}

fn ending(done: &Done) -> u64 {
    match done {
        Done::Full => 1,
        Done::Damaged { .. } => 2,
        Done::Failed(_) => 3,
        _ => 0,
    }
}
