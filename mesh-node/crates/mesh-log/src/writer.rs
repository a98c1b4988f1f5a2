//! The thread that writes the log: takes all that waits, one write, one sync, one event.

use crate::{
    id::FileId,
    location::Location,
    log::{Log, Sealed},
    record::Record,
};

/// How a writer works.
#[derive(Debug, Clone)]
pub struct Options {
    /// The most bytes of records that may wait.
    pub queue_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { queue_bytes: 64 << 20 }
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

/// The thread that writes the log. It ends, when what was submitted is written, with this.
#[derive(Debug)]
pub struct Writer {
    log: Log,
}

impl Writer {
    /// Starts the thread. `on_event` is called on it and must not block.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn spawn(
        log: Log,
        options: Options,
        on_event: impl Fn(Event) + Send + 'static,
    ) -> std::io::Result<Self> {
        _ = (options, on_event);
        Ok(Self { log })
    }

    /// Hands over records to be written.
    ///
    /// # Errors
    /// [`Busy`] when too much waits.
    pub fn submit(&self, batch: WriteBatch) -> Result<(), Busy> {
        _ = &self.log;
        Err(Busy(batch))
    }

    /// As [`Log::release`].
    pub fn release(&self, file: FileId, kept: bool) {
        _ = (file, kept);
    }
}
