//! A batch that owns its bytes.

use bytes::Bytes;

use super::{BatchError, BatchHeader, BatchRef};

/// A validated batch, shared: clones, and the values taken from it, count references to the same bytes.
#[derive(Clone)]
pub struct Batch {
    bytes: Bytes,
    header: BatchHeader,
}

impl Batch {
    /// Validates `bytes` without copying them.
    ///
    /// # Errors
    /// As [`BatchRef::parse`].
    pub fn parse(bytes: Bytes) -> Result<Self, BatchError> {
        let header = *BatchRef::parse(&bytes)?.header();
        Ok(Self { bytes, header })
    }

    /// What stands in front of the index.
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The encoded form, whole.
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The borrowed view, without validating again.
    pub fn as_view(&self) -> BatchRef<'_> {
        // The header fitted the bytes when they were parsed, and both are never changed.
        BatchRef::validated(&self.bytes, self.header).expect("a validated batch splits into its parts")
    }

    /// The value of the record at `position`, verified, without a copy; none for a tombstone.
    ///
    /// # Errors
    /// As [`RecordRef::payload`](super::RecordRef::payload); [`BatchError::OutOfRange`] beyond the last record.
    pub fn value(&self, position: usize) -> Result<Option<Bytes>, BatchError> {
        let record = self.as_view().record(position).ok_or(BatchError::OutOfRange { field: "position" })?;
        Ok(record.payload()?.value.map(|value| self.bytes.slice_ref(value)))
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_view().fmt(f)
    }
}
