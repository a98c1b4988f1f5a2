//! Reading batches in place.

use super::entry::{Entry, HAS_KEY, HAS_VALUE, KNOWN_FLAGS};
use super::{
    Attributes, BatchError, BatchHeader, Compression, ENTRY_BYTES, Encoding, HEADER_BYTES, RecordRef,
};
use crate::header;
use crate::limits;
use crate::subject::Subject;

/// A validated batch, borrowed. Copying it copies slices.
#[derive(Clone, Copy)]
pub struct BatchRef<'a> {
    bytes: &'a [u8],
    header: BatchHeader,
    entries: &'a [[u8; ENTRY_BYTES]],
    subjects: &'a [u8],
    meta: &'a [u8],
    payload: &'a [u8],
}

impl<'a> BatchRef<'a> {
    /// Validates the header, the index CRC and every entry of the index, without allocating. `bytes` have to be
    /// exactly one batch. Payloads are checked when they are read, or by [`BatchRef::verify`].
    ///
    /// # Errors
    /// The first thing that is wrong: sizes, then the CRC, then the entries in their order.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BatchError> {
        if bytes.len() > limits::BATCH_BYTES {
            return Err(BatchError::TooLarge { bytes: bytes.len() });
        }
        let header = BatchHeader::decode(bytes)?;
        if !header.index_matches(bytes) {
            return Err(BatchError::IndexDamaged);
        }
        let batch = Self::split(bytes, header).ok_or(BatchError::WrongParts)?;
        batch.check_entries()?;
        Ok(batch)
    }

    fn split(bytes: &'a [u8], header: BatchHeader) -> Option<Self> {
        let rest = bytes.get(HEADER_BYTES..)?;
        let (entries, rest) = rest.split_at_checked(header.entry_count() * ENTRY_BYTES)?;
        let (subjects, rest) = rest.split_at_checked(header.subjects_len as usize)?;
        let (meta, payload) = rest.split_at_checked(header.meta_len as usize)?;
        Some(Self { bytes, header, entries: entries.as_chunks().0, subjects, meta, payload })
    }

    /// For bytes that were validated before.
    pub(super) fn validated(bytes: &'a [u8], header: BatchHeader) -> Option<Self> {
        Self::split(bytes, header)
    }

    /// What stands in front of the index.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The encoded form, whole.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The stored payload as a whole: what a foreign encoding or a compression left there.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// How many records can be looked at: those of the header, or none where the payload is foreign.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no record can be looked at.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The record at `position`, found without looking at the others.
    pub fn record(&self, position: usize) -> Option<RecordRef<'a>> {
        self.locate(Entry::decode(self.entries.get(position)?))
    }

    /// All records, in their order.
    pub fn records(&self) -> Records<'a> {
        Records { batch: *self, next: 0 }
    }

    /// Checks what [`BatchRef::parse`] leaves for later: the CRC of the payload as a whole where it is kept whole,
    /// else the CRC and the headers of every record. For batches from those who are not trusted.
    ///
    /// # Errors
    /// The first record that is damaged or has malformed headers.
    pub fn verify(&self) -> Result<(), BatchError> {
        if !self.header.is_readable() {
            let intact = crc32c::crc32c(self.payload) == self.header.payload_crc;
            return if intact { Ok(()) } else { Err(BatchError::PayloadDamaged) };
        }
        self.records().try_for_each(|record| record.payload().map(|_| ()))
    }

    fn locate(&self, entry: Entry) -> Option<RecordRef<'a>> {
        let payload = if self.header.compression == Compression::NONE {
            Some(part(self.payload, entry.payload_at, entry.payload_len())?)
        } else {
            None
        };
        Some(RecordRef {
            header: self.header,
            entry,
            subject: part(self.subjects, entry.subject_at, entry.subject_len.into())?,
            meta: part(self.meta, entry.meta_at, entry.meta_len())?,
            payload,
        })
    }

    /// Metadata and payloads have to follow one another without gaps or overlaps, so that a batch expands to no more
    /// than its own size; only subjects may be shared.
    fn check_entries(&self) -> Result<(), BatchError> {
        let (mut meta_end, mut payload_end, mut next_offset) = (0, 0, 0_u64);
        let mut checked_subject = (0, 0);
        for (record, bytes) in self.entries.iter().enumerate() {
            let entry = Entry::decode(bytes);
            let wrong = BatchError::WrongEntry { record };
            let found = self.locate(entry).ok_or(wrong)?;
            let offset = u64::from(entry.offset_delta);
            let in_place = entry.meta_at as usize == meta_end
                && entry.payload_at as usize == payload_end
                && offset >= next_offset
                && entry.offset_delta <= self.header.last_offset_delta;
            let flags_agree = entry.flags & !KNOWN_FLAGS == 0
                && (entry.has(HAS_KEY) || entry.key_len == 0)
                && (entry.has(HAS_VALUE) || entry.value_len == 0)
                && (entry.subject_len > 0 || entry.subject_at == 0);
            if !in_place || !flags_agree {
                return Err(wrong);
            }
            let subject = (entry.subject_at, entry.subject_len);
            if subject != checked_subject && entry.subject_len > 0 {
                Subject::check(found.subject)?;
                checked_subject = subject;
            }
            self.check_record(&found, entry)?;
            meta_end += entry.meta_len();
            payload_end += entry.payload_len();
            next_offset = offset + 1;
        }
        let filled = meta_end == self.meta.len()
            && (self.header.encoding != Encoding::MESH || payload_end == self.header.payload_len as usize);
        if filled { Ok(()) } else { Err(BatchError::WrongParts) }
    }

    fn check_record(&self, record: &RecordRef<'_>, entry: Entry) -> Result<(), BatchError> {
        let key = usize::from(entry.key_len);
        let filters = key + usize::from(entry.filters_len);
        if key > limits::KEY_BYTES {
            return Err(BatchError::KeyTooLong { bytes: key });
        }
        header::validate(record.meta.get(key..filters).unwrap_or_default())?;
        Attributes::decode(record.meta.get(filters..).unwrap_or_default())?;
        if usize::from(entry.headers_len) > limits::HEADERS_BYTES {
            return Err(header::HeaderError::TooLarge { bytes: entry.headers_len.into() }.into());
        }
        if self.header.base_timestamp_ms.checked_add(entry.timestamp_delta_ms).is_none() {
            return Err(BatchError::OutOfRange { field: "timestamp" });
        }
        Ok(())
    }
}

fn part(bytes: &[u8], at: u32, len: usize) -> Option<&[u8]> {
    bytes.get(at as usize..)?.get(..len)
}

impl std::fmt::Debug for BatchRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchRef").field("header", &self.header).field("bytes", &self.bytes.len()).finish()
    }
}

impl<'a> IntoIterator for BatchRef<'a> {
    type Item = RecordRef<'a>;
    type IntoIter = Records<'a>;

    fn into_iter(self) -> Records<'a> {
        self.records()
    }
}

/// The records of a batch, in their order.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    batch: BatchRef<'a>,
    next: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = RecordRef<'a>;

    fn next(&mut self) -> Option<RecordRef<'a>> {
        let record = self.batch.record(self.next)?;
        self.next += 1;
        Some(record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.batch.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Records<'_> {}

impl std::iter::FusedIterator for Records<'_> {}
