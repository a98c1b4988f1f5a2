//! Writing batches.

use bytes::Bytes;

use super::entry::{Entry, HAS_KEY, HAS_VALUE};
use super::{
    Attributes, BatchError, BatchHeader, Compression, ENTRY_BYTES, Encoding, HEADER_BYTES, NO_PRODUCER,
    TimestampType,
};
use crate::header::HeadersRef;
use crate::limits;
use crate::subject::Subject;

/// Who makes a batch, and where in its sequence the batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Producer {
    /// The producer's id, or [`NO_PRODUCER`].
    pub id: u64,
    /// Which life of the producer.
    pub epoch: u32,
    /// The number of the first record.
    pub base_sequence: u64,
}

impl Default for Producer {
    /// No producer.
    fn default() -> Self {
        Self { id: NO_PRODUCER, epoch: 0, base_sequence: 0 }
    }
}

/// A record to be written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record<'a> {
    /// Where the message was published to, if anywhere.
    pub subject: Option<&'a str>,
    /// The message's key.
    pub key: Option<&'a [u8]>,
    /// Milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// The message's headers.
    pub headers: HeadersRef<'a>,
    /// Those of the headers that the stream declared for filtering.
    pub filters: HeadersRef<'a>,
    /// Message id, priority, delay, time to live.
    pub attributes: Attributes<'a>,
    /// The message's body; none makes a tombstone.
    pub value: Option<&'a [u8]>,
}

/// Collects records into a batch, and refuses what a reader would refuse.
///
/// A refused record leaves the builder as it was. When [`BatchError::is_full`] holds, build what there is and push
/// the record into the next batch.
#[derive(Debug, Clone)]
pub struct BatchBuilder {
    producer: Producer,
    timestamp_type: TimestampType,
    base_timestamp_ms: i64,
    next_offset: u64,
    last_offset_delta: u32,
    entries: Vec<u8>,
    subjects: Vec<u8>,
    /// Where the last subject starts; it goes to the end, and the next record has the same one as a rule.
    last_subject_at: usize,
    meta: Vec<u8>,
    payload: Vec<u8>,
}

impl BatchBuilder {
    /// An empty builder; allocates with the first record.
    pub fn new(producer: Producer) -> Self {
        Self {
            producer,
            timestamp_type: TimestampType::Create,
            base_timestamp_ms: 0,
            next_offset: 0,
            last_offset_delta: 0,
            entries: Vec::new(),
            subjects: Vec::new(),
            last_subject_at: 0,
            meta: Vec::new(),
            payload: Vec::new(),
        }
    }

    /// Says whose clock gives the timestamps; the producer's if nothing is said.
    #[must_use]
    pub fn timestamp_type(mut self, timestamp_type: TimestampType) -> Self {
        self.timestamp_type = timestamp_type;
        self
    }

    /// How many records there are so far.
    pub fn len(&self) -> usize {
        self.entries.len() / ENTRY_BYTES
    }

    /// Whether there is none so far.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of the batch if it were built now.
    pub fn encoded_len(&self) -> usize {
        HEADER_BYTES + self.entries.len() + self.subjects.len() + self.meta.len() + self.payload.len()
    }

    /// Adds a record behind the others.
    ///
    /// # Errors
    /// When the record breaks a limit of its own, or does not fit into this batch any more.
    pub fn push(&mut self, record: &Record<'_>) -> Result<(), BatchError> {
        let next = u32::try_from(self.next_offset).map_err(|_| BatchError::OutOfRange { field: "offset" })?;
        self.push_at(next, record)
    }

    /// Adds a record at an offset of its own behind the others: for compaction, which keeps offsets.
    ///
    /// # Errors
    /// As [`push`](Self::push); [`BatchError::OutOfRange`] for an offset that does not rise.
    pub fn push_at(&mut self, offset_delta: u32, record: &Record<'_>) -> Result<(), BatchError> {
        let subject = record.subject.unwrap_or_default();
        let repeated = self.subjects.get(self.last_subject_at..) == Some(subject.as_bytes());
        let entry = self.check(offset_delta, record, repeated)?;
        if self.is_empty() {
            self.base_timestamp_ms = record.timestamp_ms;
        }
        if !repeated && !subject.is_empty() {
            self.last_subject_at = self.subjects.len();
            self.subjects.extend_from_slice(subject.as_bytes());
        }
        self.meta.extend_from_slice(record.key.unwrap_or_default());
        self.meta.extend_from_slice(record.filters.as_bytes());
        record.attributes.encode(&mut self.meta);
        let payload_at = self.payload.len();
        self.payload.extend_from_slice(record.headers.as_bytes());
        self.payload.extend_from_slice(record.value.unwrap_or_default());
        let crc = crc32c::crc32c(&self.payload[payload_at..]);
        Entry { crc, ..entry }.encode(&mut self.entries);
        self.next_offset = u64::from(offset_delta) + 1;
        self.last_offset_delta = self.last_offset_delta.max(offset_delta);
        Ok(())
    }

    /// Says that the batch, as it was appended, ended at this offset: for compaction, which may remove the last
    /// records. A smaller one than that of the last record has no effect.
    #[must_use]
    pub fn last_offset_delta(mut self, last_offset_delta: u32) -> Self {
        self.last_offset_delta = self.last_offset_delta.max(last_offset_delta);
        self
    }

    /// The encoded batch.
    ///
    /// # Errors
    /// [`BatchError::Empty`] without a record; [`BatchError::OutOfRange`] when the sequence ends within the batch.
    pub fn build(self) -> Result<Bytes, BatchError> {
        self.build_as(self.producer)
    }

    /// The encoded batch, made by this producer whatever was said before.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_as(&self, producer: Producer) -> Result<Bytes, BatchError> {
        if self.is_empty() {
            return Err(BatchError::Empty);
        }
        let header = BatchHeader {
            leader_epoch: 0,
            encoding: Encoding::MESH,
            compression: Compression::NONE,
            timestamp_type: self.timestamp_type,
            record_count: narrow(self.len())?,
            last_offset_delta: self.last_offset_delta,
            producer_id: producer.id,
            producer_epoch: producer.epoch,
            base_sequence: producer.base_sequence,
            base_timestamp_ms: self.base_timestamp_ms,
            subjects_len: narrow(self.subjects.len())?,
            meta_len: narrow(self.meta.len())?,
            payload_crc: 0,
            payload_len: narrow(self.payload.len())?,
        };
        header.check_sequence()?;
        let mut out = Vec::with_capacity(self.encoded_len());
        out.resize(HEADER_BYTES, 0);
        for part in [&self.entries, &self.subjects, &self.meta, &self.payload] {
            out.extend_from_slice(part);
        }
        header.encode(&mut out)?;
        Ok(out.into())
    }

    /// The record's entry, but for its CRC, which needs a pass over the bytes.
    fn check(&self, offset_delta: u32, record: &Record<'_>, repeated: bool) -> Result<Entry, BatchError> {
        let key = record.key.unwrap_or_default();
        let value = record.value.unwrap_or_default();
        let subject = record.subject.unwrap_or_default();
        if record.subject.is_some() {
            Subject::check(subject.as_bytes())?;
        }
        if key.len() > limits::KEY_BYTES {
            return Err(BatchError::KeyTooLong { bytes: key.len() });
        }
        record.attributes.check()?;
        if u64::from(offset_delta) < self.next_offset {
            return Err(BatchError::OutOfRange { field: "offset" });
        }
        let base = if self.is_empty() { record.timestamp_ms } else { self.base_timestamp_ms };
        let timestamp_delta_ms =
            record.timestamp_ms.checked_sub(base).ok_or(BatchError::OutOfRange { field: "timestamp" })?;
        if self.len() == limits::BATCH_RECORDS {
            return Err(BatchError::TooManyRecords);
        }
        let attributes_len = record.attributes.encoded_len();
        let meta_len = key.len() + record.filters.as_bytes().len() + attributes_len;
        let size = ENTRY_BYTES + subject.len() + meta_len + record.headers.as_bytes().len() + value.len();
        if HEADER_BYTES + size > limits::BATCH_BYTES {
            return Err(BatchError::RecordTooLarge { bytes: HEADER_BYTES + size });
        }
        let bytes = self.encoded_len() + size - if repeated { subject.len() } else { 0 };
        if bytes > limits::BATCH_BYTES {
            return Err(BatchError::TooLarge { bytes });
        }
        let subject_at = if repeated { self.last_subject_at } else { self.subjects.len() };
        Ok(Entry {
            meta_at: narrow(self.meta.len())?,
            payload_at: narrow(self.payload.len())?,
            value_len: narrow(value.len())?,
            crc: 0,
            timestamp_delta_ms,
            offset_delta,
            subject_at: if subject.is_empty() { 0 } else { narrow(subject_at)? },
            subject_len: narrow(subject.len())?,
            headers_len: narrow(record.headers.as_bytes().len())?,
            filters_len: narrow(record.filters.as_bytes().len())?,
            key_len: narrow(key.len())?,
            attributes_len: narrow(attributes_len)?,
            flags: u16::from(record.key.is_some()) * HAS_KEY + u16::from(record.value.is_some()) * HAS_VALUE,
        })
    }
}

/// Lengths within a batch always fit, since the batch is checked first.
fn narrow<T: TryFrom<usize>>(len: usize) -> Result<T, BatchError> {
    T::try_from(len).map_err(|_| BatchError::TooLarge { bytes: len })
}
