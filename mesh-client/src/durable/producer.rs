//! Who puts.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use mesh_wire::batch::{BatchBuilder, BatchError, NO_PRODUCER};
use mesh_wire::code::Code;
use mesh_wire::durable::PutOk;
use mesh_wire::limits;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};

use super::line::{Answer, Errands, Line, Waiter};
use crate::client::Client;
use crate::error::Error;

/// How long a batch is tried to be brought over, if nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Batches under way, if nothing else is said.
const BATCHES: usize = limits::PRODUCER_WINDOW;
/// Bytes under way, if nothing else is said.
const BYTES: usize = 16 * 1024 * 1024;
/// Most bytes that may be under way.
const BYTES_MAX: usize = 256 * 1024 * 1024;

/// Sets up a [`Producer`].
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is opened"]
pub struct ProducerBuilder {
    client: Client,
    lane: u64,
    timeout: Duration,
    batches: usize,
    bytes: usize,
}

impl ProducerBuilder {
    pub(crate) fn new(client: Client, lane: u64) -> Self {
        Self { client, lane, timeout: TIMEOUT, batches: BATCHES, bytes: BYTES }
    }

    /// How long a batch is tried to be brought over, across refusals, lost links and changes of leader: 1 ms to 1 hour. 30
    /// seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Batches that may be under way, 1 to 4,096, which is the default. Whoever puts more waits.
    pub fn batches(mut self, batches: usize) -> Self {
        self.batches = batches;
        self
    }

    /// Bytes that may be under way, 1 MiB to 256 MiB. 16 MiB by default. Whoever puts more waits.
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// The producer. Nothing is sent yet.
    ///
    /// # Errors
    /// A value out of its range.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn open(self) -> Result<Producer, Error> {
        let longest = Duration::from_millis(limits::REQUEST_TIMEOUT_MS_MAX.into());
        if self.timeout < Duration::from_millis(1) || self.timeout > longest {
            return Err(Error::of(Code::TimeoutOutOfRange).with_cause(format!("it is {:?}", self.timeout)));
        }
        let range = |what, value, from, to| {
            let cause = format!("{value} {what} under way, {from} to {to} are allowed");
            match (from..=to).contains(&value) {
                true => Ok(()),
                false => Err(Error::of(Code::FieldOutOfRange).with_cause(cause)),
            }
        };
        range("batches", self.batches, 1, limits::PRODUCER_WINDOW)?;
        range("bytes", self.bytes, limits::BATCH_BYTES, BYTES_MAX)?;
        let shared = Arc::clone(self.client.shared());
        let line = shared.lines.lock().add(|number| Line::new(number, self.lane, random_id()));
        tokio::spawn(Errands::new(Arc::clone(&line), shared));
        Ok(Producer {
            inner: Arc::new(Inner {
                client: self.client,
                line,
                timeout: self.timeout,
                room: Arc::new(Semaphore::new(self.bytes)),
                bytes: self.bytes,
                least: self.bytes.div_ceil(self.batches),
                encoding: Mutex::new(()),
            }),
        })
    }
}

/// An id that no other producer has.
fn random_id() -> u64 {
    RandomState::new().hash_one(std::process::id()) % NO_PRODUCER
}

/// Puts batches of records into one lane, in the order in which they are sent, each exactly once. Cheap to clone; clones
/// share one sequence.
///
/// A batch that could not be brought over in time fails, and so does everything behind it that was not acknowledged. The
/// error says of each whether it may be there all the same ([`Code::leaves_outcome_unknown`]). What is sent later is not
/// held up by it, and never comes in front of it.
///
/// When the last clone is gone, what was sent is still brought over.
#[derive(Debug, Clone)]
pub struct Producer {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    line: Arc<Line>,
    timeout: Duration,
    /// In bytes.
    room: Arc<Semaphore>,
    bytes: usize,
    /// What the smallest batch counts, so that there are never too many.
    least: usize,
    /// Held while a batch is encoded and taken: their numbers follow each other.
    encoding: Mutex<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.line.retire();
    }
}

impl Producer {
    /// Sends a batch, and gives a future for the acknowledgement; waits while as much as may be under way is. Who made
    /// the batch is set here, whatever the builder says.
    ///
    /// # Errors
    /// A batch without records or larger than the node takes, or a client that is closed. What becomes of the batch is told by the acknowledgement.
    ///
    /// # Cancel safety
    /// Safe: a dropped future has sent the batch or it has not; it is not known which.
    pub async fn send(&self, batch: &BatchBuilder) -> Result<Acknowledgement, Error> {
        if batch.is_empty() {
            return Err(Error::new(Code::RecordInvalid, "a batch without records can't be sent"));
        }
        let inner = &*self.inner;
        let most = inner.client.shared().body_bytes_max();
        if batch.encoded_len() as u64 > most {
            let cause = format!("it has {} bytes, the node takes {most}", batch.encoded_len());
            return Err(Error::of(Code::BodyTooLarge).with_cause(cause));
        }
        let wanted = batch.encoded_len().max(inner.least).min(inner.bytes);
        let permits = u32::try_from(wanted).unwrap_or(u32::MAX);
        let room = match Arc::clone(&inner.room).try_acquire_many_owned(permits) {
            Ok(room) => room,
            Err(_) => Arc::clone(&inner.room)
                .acquire_many_owned(permits)
                .await
                .map_err(|_| Error::of(Code::ClientClosed))?,
        };
        let (answer, acknowledged) = oneshot::channel();
        // A batch has so few that they fit.
        let mut waiter = Waiter::new(answer, room, batch.len() as u32);
        let encoding = inner.encoding.lock();
        loop {
            let producer = inner.line.producer();
            let bytes: Bytes = batch.build_as(producer).map_err(refused)?;
            match inner.line.push(inner.client.shared(), (producer, bytes), inner.timeout, waiter) {
                Ok(()) => break,
                // A batch before it failed meanwhile, and the numbers began anew.
                Err(back) => waiter = back,
            }
        }
        drop(encoding);
        Ok(Acknowledgement { acknowledged })
    }

    /// Sends a batch and waits for the acknowledgement.
    ///
    /// # Errors
    /// As [`Producer::send`] and [`Acknowledgement`].
    ///
    /// # Cancel safety
    /// As [`Producer::send`].
    pub async fn append(&self, batch: &BatchBuilder) -> Result<Appended, Error> {
        self.send(batch).await?.await
    }

    /// Waits until everything that was sent is acknowledged or has failed.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn flush(&self) {
        let all = u32::try_from(self.inner.bytes).unwrap_or(u32::MAX);
        // Who has all of the room has waited for everybody.
        drop(self.inner.room.acquire_many(all).await);
    }

    /// How many batches are under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.inner.line.in_flight()
    }
}

/// Why a batch can't be sent.
pub(crate) fn refused(error: BatchError) -> Error {
    Error::of(error.code()).with_cause(error.to_string()).with_source(error)
}

/// Where records are kept now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The number of the first one, from 1; those of the others follow. 0 for a duplicate that was kept so long ago that
    /// it is not known where.
    pub first: u64,
    /// How many.
    pub count: u32,
    /// They were there before: an earlier sending had come through although nothing was heard of it.
    pub duplicate: bool,
}

impl From<PutOk> for Appended {
    fn from(kept: PutOk) -> Self {
        Self { first: kept.first, count: kept.count, duplicate: kept.duplicate }
    }
}

/// Ready when the batch is on the disks of a quorum.
///
/// # Errors
/// Why it is not, as far as is known: after a code with [`Code::leaves_outcome_unknown`] it may be.
///
/// # Cancel safety
/// Dropping it has no effect on the batch.
#[derive(Debug)]
#[must_use = "the batch is not known to be kept until this is ready"]
pub struct Acknowledgement {
    acknowledged: oneshot::Receiver<Answer>,
}

impl Future for Acknowledgement {
    type Output = Result<Appended, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.acknowledged).poll(cx).map(|answer| match answer {
            Ok(answer) => answer.map(Appended::from),
            // The line's task ends with the client only.
            Err(_) => Err(Error::of(Code::ClientClosed)),
        })
    }
}
