//! The thread that writes the log: takes all that waits, one write, one sync, one event.
//!
//! ```text
//!   submit ─► queue (bounded in bytes) ─► writer: append all, sync, tell ─► on_event
//!                                            └► files made ready, by a thread of their own
//! ```
//! While a sync lasts, the next batches gather; so the slower the disk is, the more go into one sync.

mod files;
mod queue;
mod thread;

use std::{io, sync::Arc, thread::JoinHandle, time::Duration};

use self::queue::Queue;
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
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. `on_event` is called on it and must not block.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn spawn(log: Log, options: Options, on_event: impl Fn(Event) + Send + 'static) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(options.queue_bytes));
        let thread = thread::start(log, options, Arc::clone(&queue), on_event)?;
        Ok(Self { queue, thread: Some(thread) })
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
