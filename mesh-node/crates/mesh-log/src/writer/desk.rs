//! The log and what is on its way into it, in the hands of one thread at a time.

use std::time::Instant;

use super::{
    WriteBatch,
    files::Files,
    queue::{Queue, bytes_of},
};
use crate::{
    location::Location,
    log::{Log, WriteError},
    record::Record,
};

/// See the module.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) log: Log,
    pub(super) files: Files,
    pub(super) pending: Pending,
}

/// What was taken and is not durable yet: the records of several batches, to be written as one.
#[derive(Debug, Default)]
pub(super) struct Pending {
    records: Vec<Record>,
    /// Each batch, and how many entries are in it.
    batches: Vec<(u64, usize)>,
    bytes: usize,
}

impl Pending {
    pub(super) fn push(&mut self, batch: WriteBatch) {
        let is_entry = |record: &&Record| matches!(record, Record::Entry { .. });
        self.bytes += bytes_of(&batch);
        self.batches.push((batch.id, batch.records.iter().filter(is_entry).count()));
        if self.records.is_empty() {
            self.records = batch.records;
        } else {
            self.records.extend(batch.records);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }
}

impl Desk {
    pub(super) fn new(log: Log, files: Files) -> Self {
        Self { log, files, pending: Pending::default() }
    }

    pub(super) fn work_on_files(&mut self) {
        while let Some(worked) = self.files.poll() {
            self.log.handle_worked(worked);
        }
        if let Some(work) = self.log.work() {
            self.files.begin(work);
        }
    }

    /// Writes what is pending and syncs: each batch, and where the payloads of its entries stand.
    pub(super) fn write(&mut self, queue: &Queue) -> Result<Vec<(u64, Vec<Location>)>, WriteError> {
        let begun = Instant::now();
        while self.log.waits_for_file(&self.pending.records) {
            let Some(worked) = self.files.wait() else { break };
            self.log.handle_worked(worked);
        }
        let mut locations = self.log.append(&self.pending.records)?.into_iter();
        self.log.sync()?;
        let Pending { batches, bytes, .. } = std::mem::take(&mut self.pending);
        queue.done(batches.len(), bytes, begun.elapsed());
        let written = batches.into_iter().map(|(id, entries)| {
            let here: Vec<Location> = locations.by_ref().take(entries).collect();
            (id, here)
        });
        Ok(written.collect())
    }
}
