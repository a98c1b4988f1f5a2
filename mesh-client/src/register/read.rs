//! Reading registers.

use bytes::Bytes;
use mesh_wire::batch::Batch;
use mesh_wire::code::Code;
use mesh_wire::durable::{Fetch, Fetched, Piece};
use mesh_wire::frame::Kind;
use mesh_wire::limits;

use super::Register;
use crate::durable::ask::ask;
use crate::durable::producer::refused;
use crate::error::Error;

/// Records that were read, in order.
#[derive(Debug, Clone)]
pub struct Read {
    records: Vec<Stored>,
    next: u64,
    head: u64,
}

/// A record that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its number, from 1.
    pub sequence: u64,
    /// Its value, sharing the memory of what was read.
    pub value: Bytes,
}

impl Read {
    /// The records.
    #[must_use]
    pub fn records(&self) -> &[Stored] {
        &self.records
    }

    /// The records, without those who read them.
    #[must_use]
    pub fn into_records(self) -> Vec<Stored> {
        self.records
    }

    /// Where to go on reading.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The number that the register's next record will get, as far as was known when it was read.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.head
    }

    /// Whether there was nothing behind it when it was read.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.next >= self.head
    }
}

impl Register {
    /// Reads records from a number on, which is at least 1. Sees all that was acknowledged before it was asked.
    ///
    /// At most about `max_bytes` (1 to 1 MiB) come at once, but always one batch if there is one: go on at
    /// [`Read::next`].
    ///
    /// # Errors
    /// A value out of its range, nobody who could answer in time, or records that are damaged.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn read(&self, from: u64, max_bytes: u32) -> Result<Read, Error> {
        self.fetch(from, max_bytes, true).await
    }

    /// As [`Register::read`], from the node that this client is connected to: it may lack what was acknowledged last.
    ///
    /// # Errors
    /// As [`Register::read`]; [`Code::NoLeader`] when that node has no copy.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn read_local(&self, from: u64, max_bytes: u32) -> Result<Read, Error> {
        self.fetch(from, max_bytes, false).await
    }

    async fn fetch(&self, from: u64, max_bytes: u32, linearizable: bool) -> Result<Read, Error> {
        if from == 0 || max_bytes == 0 || max_bytes > limits::FETCH_BYTES_MAX {
            let cause = format!("{max_bytes} bytes from record {from} on");
            return Err(Error::of(Code::FieldOutOfRange).with_cause(cause));
        }
        let timeout = self.client.shared().request_timeout;
        let fetch = Fetch { lane: self.lane(), from, max_bytes, linearizable };
        let body = ask(&self.client, Kind::Fetch, &fetch.encode(), timeout, self.name()).await?;
        let unreadable =
            |error: mesh_wire::body::BodyError| Error::of(error.code()).with_cause(error.to_string());
        let fetched = Fetched::decode(&body).map_err(unreadable)?;
        let mut records = Vec::new();
        for piece in &fetched.pieces {
            unpack(piece, from, &mut records)?;
        }
        Ok(Read { records, next: fetched.next, head: fetched.head })
    }
}

/// Adds the records of a batch from a number on.
fn unpack(piece: &Piece, from: u64, into: &mut Vec<Stored>) -> Result<(), Error> {
    let batch = Batch::parse(piece.batch.clone()).map_err(refused)?;
    for (sequence, position) in
        (piece.first..piece.end()).zip(0..).skip_while(|(sequence, _)| *sequence < from)
    {
        let value = batch.value(position).map_err(refused)?.unwrap_or_default();
        into.push(Stored { sequence, value });
    }
    Ok(())
}
