//! The thread that writes the log: takes all that waits, one write, one sync, one event.
//!
//! ```text
//!   submit ─► queue (bounded in bytes) ─► writer: append all, sync, tell ─► on_event
//!                                            └► files made ready, by a thread of their own
//! ```
//! While a sync lasts, the next batches gather; so the slower the disk is, the more go into one sync.
//!
//! Whoever has a single small batch and nothing else to do may write it where he is, without the two wakes of a thread that it
//! costs to have it written: [`Writer::write_now`] (ADR 0103).

mod desk;
mod files;
mod queue;
mod thread;

use std::{io, sync::Arc, thread::JoinHandle, time::Duration};

use parking_lot::Mutex;

use self::{desk::Desk, files::Files, queue::Queue};
use crate::{
    id::FileId,
    location::Location,
    log::{Log, Sealed},
    record::Record,
};

/// How a writer works.
#[derive(Debug, Clone)]
pub struct Options {
    /// The most bytes of records that may wait. One batch always may.
    pub queue_bytes: usize,
    /// The most bytes that are written at once, but for a single batch.
    pub write_bytes: usize,
    /// How long it looks for more, after a write, before it sleeps. Nothing by default: it was measured to save nothing
    /// beside a node that shares the processors (ADR 0101).
    pub spin: Duration,
    /// After how long without work it writes down that all is durable, so that the last block is told from a torn one.
    pub mark_after: Duration,
    /// How often it looks for room when there is none.
    pub retry: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue_bytes: 64 << 20,
            write_bytes: 4 << 20,
            spin: Duration::ZERO,
            mark_after: Duration::from_millis(50),
            retry: Duration::from_millis(250),
        }
    }
}

/// Records to be written together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteBatch {
    /// What whoever submits it knows it by.
    pub id: u64,
    /// Them.
    pub records: Vec<Record>,
}

impl WriteBatch {
    /// Bytes that it counts for.
    #[must_use]
    pub fn bytes(&self) -> usize {
        queue::bytes_of(self)
    }
}

/// What a writer tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// These batches are durable, in the order in which they were submitted; and where the payloads of their entries
    /// stand.
    Written(Vec<(u64, Vec<Location>)>),
    /// These files are full.
    Sealed(Vec<Sealed>),
    /// There is no room on the disk: what is submitted waits.
    Full,
    /// There is room again.
    Room,
    /// Writing failed. The process has to end: nothing that is not acknowledged yet may be.
    Fatal(String),
}

/// More waits to be written than may. The batch is given back.
#[derive(Debug)]
pub struct Busy(pub WriteBatch);

/// What a writer has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Batches that are durable.
    pub batches: u64,
    /// Bytes of records in them, without their tables.
    pub bytes: u64,
    /// Syncs.
    pub syncs: u64,
    /// Microseconds that writing and syncing took in all.
    pub busy_us: u64,
    /// Bytes that wait now.
    pub waiting: u64,
}

/// The thread that writes the log. When this is dropped, it writes what was submitted and ends.
#[derive(Debug)]
pub struct Writer {
    queue: Arc<Queue>,
    desk: Arc<Mutex<Desk>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. `on_event` is called on it and must not block.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn spawn(log: Log, options: Options, on_event: impl Fn(Event) + Send + 'static) -> io::Result<Self> {
        let mut log = log;
        log.work_apart();
        let queue = Arc::new(Queue::new(options.queue_bytes));
        let desk = Arc::new(Mutex::new(Desk::new(log, Files::start()?)));
        let thread = thread::start(Arc::clone(&desk), options, Arc::clone(&queue), on_event)?;
        Ok(Self { queue, desk, thread: Some(thread) })
    }

    /// Writes records here and now, and says what the thread would tell: that they are durable, or that writing failed. For
    /// whoever has heard of everything that was submitted before: else what is told comes out of order.
    ///
    /// # Errors
    /// The batch, untouched, when something waits or is written, or a file is full: it is to be submitted then.
    pub fn write_now(&self, batch: WriteBatch) -> Result<Event, WriteBatch> {
        let Some(mut desk) = self.desk.try_lock() else { return Err(batch) };
        if !self.queue.is_idle() || !desk.pending.is_empty() || !desk.log.has_room(&batch.records) {
            return Err(batch);
        }
        desk.pending.push(batch);
        match desk.write(&self.queue) {
            Ok(written) => {
                self.queue.wrote_directly();
                Ok(Event::Written(written))
            }
            Err(error) => {
                self.queue.close();
                Ok(Event::Fatal(error.to_string()))
            }
        }
    }

    /// Hands over records to be written.
    ///
    /// # Errors
    /// [`Busy`] when too much waits, or the writer has failed.
    pub fn submit(&self, batch: WriteBatch) -> Result<(), Busy> {
        self.queue.push(batch)
    }

    /// As [`Log::release`].
    pub fn release(&self, file: FileId, kept: bool) {
        self.queue.release(file, kept);
    }

    /// What it has done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.queue.counts()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            // When it panicked the process is ending already.
            thread.join().ok();
        }
    }
}
