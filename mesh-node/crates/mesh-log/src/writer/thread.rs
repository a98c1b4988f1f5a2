//! The loop of the thread that writes.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    Event, Options, WriteBatch,
    files::Files,
    queue::{Queue, bytes_of},
};
use crate::{
    location::Location,
    log::{Log, WriteError},
    record::Record,
};

/// How long it sleeps when everything is said. It is woken when there is more.
const MARKED: Duration = Duration::from_secs(3600);

struct Loop<F> {
    log: Log,
    options: Options,
    queue: Arc<Queue>,
    files: Files,
    on_event: F,
    pending: Pending,
}

/// What was taken and is not durable yet: the records of several batches, to be written as one.
#[derive(Default)]
struct Pending {
    records: Vec<Record>,
    /// Each batch, and how many entries are in it.
    batches: Vec<(u64, usize)>,
    bytes: usize,
}

impl Pending {
    fn push(&mut self, batch: WriteBatch) {
        let is_entry = |record: &&Record| matches!(record, Record::Entry { .. });
        self.bytes += bytes_of(&batch);
        self.batches.push((batch.id, batch.records.iter().filter(is_entry).count()));
        if self.records.is_empty() {
            self.records = batch.records;
        } else {
            self.records.extend(batch.records);
        }
    }
}

pub(super) fn start(
    mut log: Log,
    options: Options,
    queue: Arc<Queue>,
    on_event: impl Fn(Event) + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    log.work_apart();
    let files = Files::start()?;
    thread::Builder::new().name("mesh-log".to_owned()).spawn(move || {
        let pending = Pending::default();
        let mut this = Loop { log, options, queue, files, on_event, pending };
        if let Err(error) = this.run() {
            this.queue.close();
            (this.on_event)(Event::Fatal(error.to_string()));
        }
    })
}

impl<F: Fn(Event)> Loop<F> {
    fn run(&mut self) -> Result<(), WriteError> {
        let mut marked = false;
        let mut spin = Duration::ZERO;
        loop {
            self.work_on_files();
            let timeout = if marked { MARKED } else { self.options.mark_after };
            self.queue.wait(spin, timeout);
            let taken = self.queue.take(self.options.write_bytes);
            taken.released.into_iter().for_each(|(file, kept)| self.log.release(file, kept));
            taken.batches.into_iter().for_each(|batch| self.pending.push(batch));
            if !self.pending.batches.is_empty() {
                (marked, spin) = (false, self.options.spin);
                if !self.write_when_there_is_room()? {
                    return Ok(());
                }
            } else if taken.closed {
                return self.mark().map(|_| ());
            } else {
                spin = Duration::ZERO;
                marked = marked || self.mark()?;
            }
        }
    }

    fn work_on_files(&mut self) {
        while let Some(worked) = self.files.poll() {
            self.log.handle_worked(worked);
        }
        if let Some(work) = self.log.work() {
            self.files.begin(work);
        }
    }

    /// Nothing waits: time to say that all is durable. Whether it was said.
    fn mark(&mut self) -> Result<bool, WriteError> {
        match self.log.mark() {
            Ok(_) => self.tell_sealed(),
            Err(WriteError::Full) => {}
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Writes what is pending, and waits for room where there is none. Whether there will be more.
    fn write_when_there_is_room(&mut self) -> Result<bool, WriteError> {
        let mut full = false;
        loop {
            match self.write() {
                Err(WriteError::Full) if !full => {
                    full = true;
                    (self.on_event)(Event::Full);
                }
                Err(WriteError::Full) => {}
                Ok(()) => {
                    if full {
                        (self.on_event)(Event::Room);
                    }
                    return Ok(true);
                }
                Err(error) => return Err(error),
            }
            thread::sleep(self.options.retry);
            let taken = self.queue.take_released();
            taken.released.into_iter().for_each(|(file, kept)| self.log.release(file, kept));
            if taken.closed {
                return Ok(false);
            }
            self.work_on_files();
        }
    }

    fn write(&mut self) -> Result<(), WriteError> {
        let begun = Instant::now();
        while self.log.waits_for_file(&self.pending.records) {
            let Some(worked) = self.files.wait() else { break };
            self.log.handle_worked(worked);
        }
        let mut locations = self.log.append(&self.pending.records)?.into_iter();
        self.log.sync()?;
        let Pending { batches, bytes, .. } = std::mem::take(&mut self.pending);
        self.queue.done(batches.len(), bytes, begun.elapsed());
        let written = batches.into_iter().map(|(id, entries)| {
            let here: Vec<Location> = locations.by_ref().take(entries).collect();
            (id, here)
        });
        (self.on_event)(Event::Written(written.collect()));
        self.tell_sealed();
        Ok(())
    }

    fn tell_sealed(&mut self) {
        let sealed = self.log.sealed();
        if !sealed.is_empty() {
            (self.on_event)(Event::Sealed(sealed));
        }
    }
}
