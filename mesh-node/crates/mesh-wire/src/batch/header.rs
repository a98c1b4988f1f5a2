//! The fixed header of a batch.

use super::BatchError;
use crate::limits;

/// Bytes of the header.
pub const HEADER_BYTES: usize = 72;
/// The producer id of a batch whose producer has none.
pub const NO_PRODUCER: u64 = u64::MAX;

const MAGIC: [u8; 3] = *b"MRB";
const VERSION: u8 = 1;
const CRC_AT: usize = 12;
/// First byte that the index CRC covers; what stands before it checks itself or is written by the leader.
const COVERED_AT: usize = 16;

/// How the payload is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Encoding(u8);

impl Encoding {
    /// Records as this module describes them.
    pub const MESH: Self = Self(0);
    /// A record batch of Kafka's message format 2, kept as it came.
    pub const KAFKA_V2: Self = Self(128);

    /// The encoding of this number; 1 to 127 are reserved.
    pub fn new(number: u8) -> Option<Self> {
        matches!(number, 0 | 128..).then_some(Self(number))
    }

    /// The number on the wire.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether the payload belongs to another system and is kept whole.
    pub fn is_foreign(self) -> bool {
        self != Self::MESH
    }
}

/// How the payload is compressed. Only [`Compression::NONE`] is written so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Compression(u8);

impl Compression {
    /// Not compressed; the only one for a foreign payload, whose compression is its own matter.
    pub const NONE: Self = Self(0);
    /// Reserved for LZ4 frames.
    pub const LZ4: Self = Self(1);
    /// Reserved for Zstandard frames.
    pub const ZSTD: Self = Self(2);

    /// The compression of this number; any number can be carried.
    pub fn new(number: u8) -> Self {
        Self(number)
    }

    /// The number on the wire.
    pub fn number(self) -> u8 {
        self.0
    }
}

/// Whose clock gave the timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TimestampType {
    /// The producer's, when it made the record.
    #[default]
    Create,
    /// The node's, when the batch was appended.
    Append,
}

impl TimestampType {
    fn number(self) -> u8 {
        match self {
            Self::Create => 0,
            Self::Append => 1,
        }
    }

    fn from_number(number: u8) -> Result<Self, BatchError> {
        match number {
            0 => Ok(Self::Create),
            1 => Ok(Self::Append),
            _ => Err(BatchError::ReservedValue { field: "timestamp type" }),
        }
    }
}

/// What stands in front of the index.
///
/// ```text
///  0       3         4         8              12          16         17            18               19
///  | "MRB" | version | len u32 | leader_epoch | index crc | encoding | compression | timestamp type | flags |
///  20             24                  28             32         36            40               44
///  | record_count | last_offset_delta | subjects_len | meta_len | payload_crc | producer_epoch | payload_len |
///  48            56              64                  72
///  | producer_id | base_sequence | base_timestamp_ms |
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// Term of the leader that appended it; 0 before. Not under the CRC, see [`set_leader_epoch`].
    pub leader_epoch: u32,
    /// How the payload is encoded.
    pub encoding: Encoding,
    /// How the payload is compressed.
    pub compression: Compression,
    /// Whose clock gave the timestamps.
    pub timestamp_type: TimestampType,
    /// How many records there are.
    pub record_count: u32,
    /// Offset of the last record from the first, as it was appended: compaction may have removed both.
    pub last_offset_delta: u32,
    /// Who made the batch, or [`NO_PRODUCER`].
    pub producer_id: u64,
    /// Which life of the producer made it.
    pub producer_epoch: u32,
    /// The producer's number for the record at offset 0.
    pub base_sequence: u64,
    /// What the records' timestamps are relative to, in milliseconds since the epoch.
    pub base_timestamp_ms: i64,
    pub(super) subjects_len: u32,
    pub(super) meta_len: u32,
    /// CRC32C of the stored payload where records can't be checked one by one, else 0.
    pub(super) payload_crc: u32,
    /// Bytes of the payload when it is not compressed.
    pub(super) payload_len: u32,
}

impl BatchHeader {
    /// Whether the records can be taken from the payload here.
    pub fn is_readable(&self) -> bool {
        self.encoding == Encoding::MESH && self.compression == Compression::NONE
    }

    /// Reads the header alone, of `bytes` that have to be one whole batch: for those who were not the first to look at
    /// it. Neither the index nor its checksum is looked at.
    ///
    /// # Errors
    /// When the header contradicts itself or the length.
    pub fn read(bytes: &[u8]) -> Result<Self, BatchError> {
        Self::decode(bytes)
    }

    /// How many entries the index has: none for a payload that is kept whole.
    pub(super) fn entry_count(&self) -> usize {
        if self.encoding.is_foreign() { 0 } else { self.record_count as usize }
    }

    pub(super) fn index_len(&self) -> usize {
        self.entry_count() * super::ENTRY_BYTES + self.subjects_len as usize + self.meta_len as usize
    }

    /// Reads the header of `bytes`, which have to be one whole batch, and checks it against their length.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BatchError> {
        let len = batch_len(bytes)?.ok_or(BatchError::NotABatch)?;
        let head: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(BatchError::NotABatch)?;
        if len != bytes.len() {
            return Err(BatchError::WrongLength { announced: u32_at(head, 4), actual: bytes.len() });
        }
        if head[19] != 0 {
            return Err(BatchError::ReservedValue { field: "flags" });
        }
        let header = Self {
            leader_epoch: u32_at(head, 8),
            encoding: Encoding::new(head[16])
                .ok_or(BatchError::Opaque { encoding: head[16], compression: head[17] })?,
            compression: Compression::new(head[17]),
            timestamp_type: TimestampType::from_number(head[18])?,
            record_count: u32_at(head, 20),
            last_offset_delta: u32_at(head, 24),
            subjects_len: u32_at(head, 28),
            meta_len: u32_at(head, 32),
            payload_crc: u32_at(head, 36),
            producer_epoch: u32_at(head, 40),
            payload_len: u32_at(head, 44),
            producer_id: u64_at(head, 48),
            base_sequence: u64_at(head, 56),
            base_timestamp_ms: u64_at(head, 64).cast_signed(),
        };
        header.check(bytes.len())?;
        Ok(header)
    }

    fn check(&self, len: usize) -> Result<(), BatchError> {
        if self.record_count as usize > limits::BATCH_RECORDS {
            return Err(BatchError::TooManyRecords);
        }
        // Each length on its own first: then their sum can't overflow either.
        let longest = [self.subjects_len, self.meta_len, self.payload_len].into_iter().max();
        if longest.is_some_and(|len| len as usize > limits::BATCH_BYTES) {
            return Err(BatchError::WrongParts);
        }
        let stored = len.checked_sub(HEADER_BYTES + self.index_len()).ok_or(BatchError::WrongParts)?;
        if self.compression == Compression::NONE && stored != self.payload_len as usize {
            return Err(BatchError::WrongParts);
        }
        if self.encoding.is_foreign() {
            if self.index_len() > 0 {
                return Err(BatchError::WrongParts);
            }
            if self.compression != Compression::NONE {
                return Err(BatchError::ReservedValue { field: "compression" });
            }
        }
        if self.is_readable() && self.payload_crc != 0 {
            return Err(BatchError::ReservedValue { field: "payload CRC" });
        }
        self.check_sequence()
    }

    pub(super) fn check_sequence(&self) -> Result<(), BatchError> {
        match self.base_sequence.checked_add(self.last_offset_delta.into()) {
            Some(_) => Ok(()),
            None => Err(BatchError::OutOfRange { field: "sequence" }),
        }
    }

    /// Writes the header in front of what `out` holds from byte [`HEADER_BYTES`] on, and the CRC over the index.
    pub(super) fn encode(&self, out: &mut [u8]) -> Result<(), BatchError> {
        let bytes = out.len();
        let len = u32::try_from(bytes).map_err(|_| BatchError::TooLarge { bytes })?;
        let head = out.first_chunk_mut::<HEADER_BYTES>().ok_or(BatchError::NotABatch)?;
        head[..3].copy_from_slice(&MAGIC);
        head[3] = VERSION;
        head[4..8].copy_from_slice(&len.to_le_bytes());
        head[8..12].copy_from_slice(&self.leader_epoch.to_le_bytes());
        head[16..20].copy_from_slice(&[
            self.encoding.number(),
            self.compression.number(),
            self.timestamp_type.number(),
            0,
        ]);
        let words = [
            self.record_count,
            self.last_offset_delta,
            self.subjects_len,
            self.meta_len,
            self.payload_crc,
            self.producer_epoch,
            self.payload_len,
        ];
        for (field, word) in head[20..48].as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *field = word.to_le_bytes();
        }
        head[48..56].copy_from_slice(&self.producer_id.to_le_bytes());
        head[56..64].copy_from_slice(&self.base_sequence.to_le_bytes());
        head[64..72].copy_from_slice(&self.base_timestamp_ms.to_le_bytes());
        let crc = self.index_crc(out).ok_or(BatchError::WrongParts)?;
        out[CRC_AT..COVERED_AT].copy_from_slice(&crc.to_le_bytes());
        Ok(())
    }

    /// Whether the index, and the covered part of the header, match their checksum.
    pub(super) fn index_matches(&self, bytes: &[u8]) -> bool {
        self.index_crc(bytes).is_some_and(|crc| crc == u32_at(bytes, CRC_AT))
    }

    fn index_crc(&self, bytes: &[u8]) -> Option<u32> {
        Some(crc32c::crc32c(bytes.get(COVERED_AT..HEADER_BYTES + self.index_len())?))
    }
}

/// The length of the batch that `bytes` start with, so that a reader of a log or a link knows how much to wait for.
///
/// None while there are too few bytes to tell.
///
/// # Errors
/// When this can't be the start of a batch of a known version, or its length is out of range.
pub fn batch_len(bytes: &[u8]) -> Result<Option<usize>, BatchError> {
    if !bytes.iter().zip(MAGIC).all(|(byte, expected)| *byte == expected) {
        return Err(BatchError::NotABatch);
    }
    if let Some(&version) = bytes.get(3)
        && version != VERSION
    {
        return Err(BatchError::UnknownVersion { version });
    }
    let Some(head) = bytes.first_chunk::<8>() else { return Ok(None) };
    match u32_at(head, 4) as usize {
        len if len > limits::BATCH_BYTES => Err(BatchError::TooLarge { bytes: len }),
        len if len < HEADER_BYTES => Err(BatchError::WrongParts),
        len => Ok(Some(len)),
    }
}

/// Sets the leader's term in an encoded batch, without touching anything under a CRC. Shorter bytes stay as they are.
pub fn set_leader_epoch(batch: &mut [u8], epoch: u32) {
    if let Some(field) = batch.get_mut(8..12) {
        field.copy_from_slice(&epoch.to_le_bytes());
    }
}

/// The checksum of a batch's index, which has those of its records in it: short for what the batch says. None for
/// shorter bytes than a header.
pub fn index_crc(batch: &[u8]) -> Option<u32> {
    let head = batch.first_chunk::<HEADER_BYTES>()?;
    Some(u32_at(head, CRC_AT))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
