//! The disk's threads: what the host wants written and done goes to them, and what came of it comes back as messages.

use std::collections::VecDeque;

use mesh_log::{
    id::FileId,
    job::Job,
    keeper,
    record::Record,
    writer::{self, WriteBatch, Writer},
};
use mesh_replica::id::{JobId, WriteId};

use super::view::Scrubbed;

/// Bytes of records that are worth being written where one is.
const SMALL_BYTES: usize = 16 << 10;

/// See the module. What their queues have no room for waits here: the host bounds how much there can be.
pub(super) struct Disk {
    writer: Writer,
    keeper: keeper::Shell,
    writes: VecDeque<WriteBatch>,
    jobs: VecDeque<(u64, Job)>,
    /// A small write that nothing is before: it may be made here, see [`Disk::write_held`].
    held: Option<WriteBatch>,
    /// Writes of which nothing was heard yet, and both they and jobs.
    writing: usize,
    under_way: usize,
    /// There was no room the last time.
    is_full: bool,
    /// How often all segments were gone through, and when that was last, in milliseconds since 1970.
    passed: (u64, u64),
}

impl Disk {
    pub(super) fn new(writer: Writer, keeper: keeper::Shell) -> Self {
        Self {
            writer,
            keeper,
            writes: VecDeque::new(),
            jobs: VecDeque::new(),
            held: None,
            writing: 0,
            under_way: 0,
            is_full: false,
            passed: (0, 0),
        }
    }

    /// Notes what the log's thread says of the disk, whether anybody else is there to hear it yet or not.
    pub(super) fn handle(&mut self, event: &writer::Event) {
        match event {
            writer::Event::Full => self.is_full = true,
            writer::Event::Room => self.is_full = false,
            _ => {}
        }
    }

    /// Whether the log has no room.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// How far the search for damage is.
    pub(super) fn scrubbed(&mut self, now_ms: u64) -> Scrubbed {
        let progress = self.keeper.scrub_progress();
        if progress.rounds != self.passed.0 {
            self.passed = (progress.rounds, now_ms);
        }
        Scrubbed { bytes: progress.bytes, last_pass: self.passed.1 / 1_000 }
    }

    /// Has records written.
    pub(super) fn write(&mut self, id: WriteId, records: Vec<Record>) {
        self.under_way += 1;
        self.writing += 1;
        let batch = WriteBatch { id: id.0, records };
        if self.writing == 1 && batch.bytes() <= SMALL_BYTES {
            self.held = Some(batch);
            return;
        }
        self.writes.extend(self.held.take());
        self.writes.push_back(batch);
        self.submit();
    }

    /// Whether a write is held: one of [`Disk::write_held`] and [`Disk::submit_held`] has to follow.
    pub(super) fn holds(&self) -> bool {
        self.held.is_some()
    }

    /// Makes the write that is held here and now. What the log's thread would have told, unless it is that which makes it.
    pub(super) fn write_held(&mut self) -> Option<writer::Event> {
        match self.writer.write_now(self.held.take()?) {
            Ok(event) => Some(event),
            Err(batch) => {
                self.writes.push_back(batch);
                self.submit();
                None
            }
        }
    }

    /// Leaves the write that is held to the log's thread.
    pub(super) fn submit_held(&mut self) {
        self.writes.extend(self.held.take());
        self.submit();
    }

    /// Has a job done.
    pub(super) fn job(&mut self, id: JobId, job: Job) {
        self.under_way += 1;
        self.jobs.push_back((id.0, job));
        self.submit();
    }

    /// So many writes are done.
    pub(super) fn written(&mut self, count: usize) {
        self.writing = self.writing.saturating_sub(count);
        self.done(count);
    }

    /// So many writes and jobs are done.
    pub(super) fn done(&mut self, count: usize) {
        self.under_way = self.under_way.saturating_sub(count);
        self.submit();
    }

    /// A file of the log is not needed any more.
    pub(super) fn release(&self, file: FileId, kept: bool) {
        self.writer.release(file, kept);
    }

    /// Hands over what there is room for.
    fn submit(&mut self) {
        while let Some(batch) = self.writes.pop_front() {
            if let Err(writer::Busy(batch)) = self.writer.submit(batch) {
                self.writes.push_front(batch);
                break;
            }
        }
        while let Some((id, job)) = self.jobs.pop_front() {
            if let Err(keeper::Busy(job)) = self.keeper.submit(id, job) {
                self.jobs.push_front((id, job));
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mesh_log::{
        keeper::Keeper,
        log::{self, Log},
        vfs::{Vfs, real::Real},
    };

    use super::*;

    #[test]
    fn whether_there_is_room_is_known_to_whoever_asks_later() {
        let dir = tempfile::tempdir().unwrap();
        let vfs: Arc<dyn Vfs> = Arc::new(Real);
        let options = log::Options { file_bytes: log::Options::FILE_BYTES_MIN, ..log::Options::new(7) };
        let (log, _) = Log::open(Arc::clone(&vfs), &dir.path().join("log"), options).unwrap();
        let writer = Writer::spawn(log, writer::Options::default(), |_| {}).unwrap();
        let (keeper, _) = Keeper::open(vfs, dir.path(), keeper::Options::default()).unwrap();
        let keeper = keeper::spawn(Arc::new(keeper), keeper::ShellOptions::default(), |_| {}).unwrap();
        let mut disk = Disk::new(writer, keeper);
        assert!(!disk.is_full());
        for (event, is_full) in [
            (writer::Event::Full, true),
            (writer::Event::Sealed(Vec::new()), true),
            (writer::Event::Room, false),
            (writer::Event::Written(Vec::new()), false),
        ] {
            disk.handle(&event);
            assert_eq!(disk.is_full(), is_full, "{event:?}");
        }
    }
}
