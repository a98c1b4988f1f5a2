//! What waits to be written.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use super::{Busy, Counts, WriteBatch};
use crate::{id::FileId, record::Record};

/// What a record takes beside its payload, roughly.
const RECORD_BYTES: usize = 64;

/// Bytes that a batch counts for.
pub(super) fn bytes_of(batch: &WriteBatch) -> usize {
    let payload = |record: &Record| match record {
        Record::Entry { entry, .. } => entry.payload.len(),
        _ => 0,
    };
    batch.records.iter().map(|record| RECORD_BYTES + payload(record)).sum()
}

#[derive(Debug, Default)]
struct Waiting {
    batches: VecDeque<WriteBatch>,
    bytes: usize,
    released: Vec<(FileId, bool)>,
    closed: bool,
    sleeps: bool,
    /// It sleeps because everything is said, and wants to know when somebody writes by himself.
    rests: bool,
    /// Somebody wrote by himself.
    direct: bool,
}

/// What waits to be written. One thread takes.
#[derive(Debug)]
pub(super) struct Queue {
    bytes_max: usize,
    waiting: Mutex<Waiting>,
    /// Whether there is anything to take, so that who spins need not lock.
    any: AtomicBool,
    wake: Condvar,
    batches: AtomicU64,
    bytes: AtomicU64,
    syncs: AtomicU64,
    busy_us: AtomicU64,
}

/// What was taken.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) batches: VecDeque<WriteBatch>,
    pub(super) released: Vec<(FileId, bool)>,
    /// Whether nothing will come any more.
    pub(super) closed: bool,
    /// Whether somebody wrote by himself since this was last asked.
    pub(super) direct: bool,
}

impl Queue {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            waiting: Mutex::default(),
            any: AtomicBool::new(false),
            wake: Condvar::new(),
            batches: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
            busy_us: AtomicU64::new(0),
        }
    }

    pub(super) fn push(&self, batch: WriteBatch) -> Result<(), Busy> {
        let bytes = bytes_of(&batch);
        let mut waiting = self.waiting.lock();
        if waiting.closed || (waiting.bytes > 0 && waiting.bytes + bytes > self.bytes_max) {
            return Err(Busy(batch));
        }
        waiting.bytes += bytes;
        waiting.batches.push_back(batch);
        self.tell(waiting);
        Ok(())
    }

    pub(super) fn release(&self, file: FileId, kept: bool) {
        let mut waiting = self.waiting.lock();
        waiting.released.push((file, kept));
        self.tell(waiting);
    }

    /// Nothing comes any more.
    pub(super) fn close(&self) {
        let mut waiting = self.waiting.lock();
        waiting.closed = true;
        self.tell(waiting);
    }

    /// Whether nothing waits, and something may.
    pub(super) fn is_idle(&self) -> bool {
        let waiting = self.waiting.lock();
        waiting.batches.is_empty() && !waiting.closed
    }

    /// Somebody wrote by himself.
    pub(super) fn wrote_directly(&self) {
        let mut waiting = self.waiting.lock();
        waiting.direct = true;
        let rests = waiting.rests;
        drop(waiting);
        if rests {
            self.wake.notify_one();
        }
    }

    fn tell(&self, waiting: parking_lot::MutexGuard<'_, Waiting>) {
        self.any.store(true, Ordering::Release);
        let sleeps = waiting.sleeps;
        drop(waiting);
        if sleeps {
            self.wake.notify_one();
        }
    }

    /// Waits until there is anything, at most so long; at first without sleeping. Who `rests` is told too when somebody writes
    /// by himself.
    pub(super) fn wait(&self, spin: Duration, timeout: Duration, rests: bool) {
        if !spin.is_zero() {
            let begun = Instant::now();
            while begun.elapsed() < spin {
                if self.any.load(Ordering::Acquire) {
                    return;
                }
                std::hint::spin_loop();
            }
        }
        let mut waiting = self.waiting.lock();
        let is_empty = waiting.batches.is_empty() && waiting.released.is_empty() && !waiting.closed;
        if is_empty && !(rests && waiting.direct) {
            (waiting.sleeps, waiting.rests) = (true, rests);
            self.wake.wait_for(&mut waiting, timeout);
            (waiting.sleeps, waiting.rests) = (false, false);
        }
    }

    /// Takes batches of at most so many bytes, or one.
    pub(super) fn take(&self, bytes_max: usize) -> Taken {
        let mut waiting = self.waiting.lock();
        let mut taken = Taken { released: std::mem::take(&mut waiting.released), ..Taken::default() };
        taken.direct = std::mem::take(&mut waiting.direct);
        let mut bytes = 0;
        while let Some(batch) = waiting.batches.front() {
            let more = bytes_of(batch);
            if bytes > 0 && bytes + more > bytes_max {
                break;
            }
            bytes += more;
            taken.batches.extend(waiting.batches.pop_front());
        }
        // They count as waiting until they are durable: what is in memory is what is bounded.
        taken.closed = waiting.closed && waiting.batches.is_empty();
        if waiting.batches.is_empty() && !waiting.closed {
            self.any.store(false, Ordering::Release);
        }
        taken
    }

    /// Takes what was released, and whether nothing more can be pushed.
    pub(super) fn take_released(&self) -> Taken {
        let mut waiting = self.waiting.lock();
        let released = std::mem::take(&mut waiting.released);
        Taken { released, closed: waiting.closed, ..Taken::default() }
    }

    /// Batches of so many bytes are durable.
    pub(super) fn done(&self, batches: usize, bytes: usize, took: Duration) {
        let mut waiting = self.waiting.lock();
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
        drop(waiting);
        self.batches.fetch_add(batches as u64, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.busy_us.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            batches: self.batches.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            syncs: self.syncs.load(Ordering::Relaxed),
            busy_us: self.busy_us.load(Ordering::Relaxed),
            waiting: self.waiting.lock().bytes as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::GroupId;

    fn batch(id: u64, records: usize) -> WriteBatch {
        WriteBatch { id, records: vec![Record::Removed { group: GroupId(1) }; records] }
    }

    #[test]
    fn it_is_bounded_in_bytes_and_takes_one_batch_always() {
        let queue = Queue::new(10 * RECORD_BYTES);
        assert!(queue.push(batch(1, 9)).is_ok());
        assert_eq!(queue.push(batch(2, 2)).unwrap_err().0.id, 2);
        assert!(queue.push(batch(3, 1)).is_ok());
        assert!(queue.push(batch(4, 1)).is_err());
        queue.done(2, 10 * RECORD_BYTES, Duration::ZERO);
        assert!(queue.push(batch(5, 100)).is_ok());
        assert_eq!(queue.counts().batches, 2);
    }

    #[test]
    fn as_much_is_taken_as_is_asked_for_but_never_nothing() {
        let queue = Queue::new(1 << 20);
        for id in 1..=4 {
            queue.push(batch(id, 4)).unwrap();
        }
        let ids = |taken: Taken| taken.batches.iter().map(|batch| batch.id).collect::<Vec<_>>();
        assert_eq!(ids(queue.take(8 * RECORD_BYTES)), [1, 2]);
        assert_eq!(ids(queue.take(1)), [3]);
        assert_eq!(ids(queue.take(4 * RECORD_BYTES + 1)), [4]);
        assert_eq!(ids(queue.take(1)), [0; 0]);
    }

    #[test]
    fn it_ends_when_it_is_empty() {
        let queue = Queue::new(1 << 20);
        queue.push(batch(1, 1)).unwrap();
        queue.push(batch(2, 1)).unwrap();
        queue.close();
        assert!(queue.push(batch(3, 1)).is_err());
        assert!(!queue.take(1).closed);
        assert!(queue.take(1).closed);
        // Returns at once.
        queue.wait(Duration::ZERO, Duration::MAX, false);
    }
}
