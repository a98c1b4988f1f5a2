//! One record of a batch, in place.

use super::entry::{Entry, HAS_KEY, HAS_VALUE};
use super::{Attributes, BatchError, BatchHeader};
use crate::header::HeadersRef;

/// A record in a validated batch. Everything but [`RecordRef::payload`] is read from the index.
#[derive(Clone, Copy)]
pub struct RecordRef<'a> {
    pub(super) header: BatchHeader,
    pub(super) entry: Entry,
    pub(super) subject: &'a [u8],
    pub(super) meta: &'a [u8],
    /// None where the payload is compressed.
    pub(super) payload: Option<&'a [u8]>,
}

/// The payload of a record: what needs no looking at to store and route it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a> {
    /// The message's headers.
    pub headers: HeadersRef<'a>,
    /// The message's body; none is a tombstone in a compacted stream.
    pub value: Option<&'a [u8]>,
}

impl<'a> RecordRef<'a> {
    /// The key, if the record has one; an empty key is a key.
    pub fn key(&self) -> Option<&'a [u8]> {
        self.entry.has(HAS_KEY).then(|| self.meta_parts().0)
    }

    /// The subject that the message was published to, if any.
    pub fn subject(&self) -> Option<&'a str> {
        // The batch was checked as a whole, so a subject that is there is text.
        std::str::from_utf8(self.subject).ok().filter(|subject| !subject.is_empty())
    }

    /// Offset from the first record of the batch as it was appended; rises, with gaps after compaction.
    pub fn offset_delta(&self) -> u32 {
        self.entry.offset_delta
    }

    /// The producer's number for this record.
    pub fn sequence(&self) -> u64 {
        self.header.base_sequence.saturating_add(self.entry.offset_delta.into())
    }

    /// Milliseconds since the epoch, by the clock that the batch's timestamp type names.
    pub fn timestamp_ms(&self) -> i64 {
        self.header.base_timestamp_ms.saturating_add(self.entry.timestamp_delta_ms)
    }

    /// The headers that the stream declared for filtering, repeated in the clear.
    pub fn filters(&self) -> HeadersRef<'a> {
        HeadersRef::parse(self.meta_parts().1).unwrap_or_default()
    }

    /// Message id, priority, delay, time to live.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::decode(self.meta_parts().2).unwrap_or_default()
    }

    /// Whether there is a value; a record without one is a tombstone in a compacted stream.
    pub fn has_value(&self) -> bool {
        self.entry.has(HAS_VALUE)
    }

    /// Bytes of the value, 0 without one.
    pub fn value_len(&self) -> usize {
        self.entry.value_len as usize
    }

    /// Headers and value, after their CRC was verified and the headers were checked.
    ///
    /// # Errors
    /// When the record is damaged, its headers are malformed, or the payload is compressed.
    pub fn payload(&self) -> Result<Payload<'a>, BatchError> {
        let bytes = self.payload.ok_or(BatchError::Opaque {
            encoding: self.header.encoding.number(),
            compression: self.header.compression.number(),
        })?;
        let offset_delta = self.entry.offset_delta;
        if crc32c::crc32c(bytes) != self.entry.crc {
            return Err(BatchError::RecordDamaged { offset_delta });
        }
        let (headers, value) = bytes
            .split_at_checked(self.entry.headers_len.into())
            .ok_or(BatchError::RecordDamaged { offset_delta })?;
        Ok(Payload { headers: HeadersRef::parse(headers)?, value: self.has_value().then_some(value) })
    }

    /// Key, filters, attributes.
    fn meta_parts(&self) -> (&'a [u8], &'a [u8], &'a [u8]) {
        let (key, rest) = self.meta.split_at_checked(self.entry.key_len.into()).unwrap_or_default();
        let (filters, attributes) = rest.split_at_checked(self.entry.filters_len.into()).unwrap_or_default();
        (key, filters, attributes)
    }
}

impl std::fmt::Debug for RecordRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordRef")
            .field("offset_delta", &self.offset_delta())
            .field("subject", &self.subject())
            .field("key", &self.key())
            .field("timestamp_ms", &self.timestamp_ms())
            .field("filters", &self.filters())
            .field("attributes", &self.attributes())
            .field("value_len", &self.value_len())
            .finish_non_exhaustive()
    }
}
