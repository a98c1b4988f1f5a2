//! The bytes of an entry, with their checksum.

use bytes::Bytes;

/// Bytes that were checked once and are carried with their CRC32C from then on: on links, in the log, in segments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Payload {
    bytes: Bytes,
    crc: u32,
}

impl Payload {
    /// Computes the checksum.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        let crc = crc32c::crc32c(&bytes);
        Self { bytes, crc }
    }

    /// Bytes that came with a checksum; `None` when it is not theirs.
    #[must_use]
    pub fn checked(bytes: Bytes, crc: u32) -> Option<Self> {
        (crc32c::crc32c(&bytes) == crc).then_some(Self { bytes, crc })
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Their CRC32C.
    #[must_use]
    pub fn crc(&self) -> u32 {
        self.crc
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}
