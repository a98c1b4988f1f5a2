//! Batches of other systems, kept as they came.

use bytes::Bytes;

use super::{BatchError, BatchHeader, Compression, Encoding, HEADER_BYTES, Producer, TimestampType};
use crate::limits;

/// What a gateway knows about a batch of another system.
#[derive(Debug, Clone, Copy)]
pub struct Foreign {
    /// What the bytes are: [`Encoding::KAFKA_V2`] or another number from 128 on.
    pub encoding: Encoding,
    /// Records in it.
    pub record_count: u32,
    /// Offset of its last record from its first.
    pub last_offset_delta: u32,
    /// Whose clock gave its timestamps.
    pub timestamp_type: TimestampType,
    /// Its base timestamp, in milliseconds since the epoch.
    pub base_timestamp_ms: i64,
    /// Who made it.
    pub producer: Producer,
}

/// Wraps `payload` whole: it gets a header, no index, and a CRC over all of it.
///
/// # Errors
/// When it is too large, holds too many records, or says that it is ours.
pub fn encode_foreign(foreign: &Foreign, payload: &[u8]) -> Result<Bytes, BatchError> {
    if !foreign.encoding.is_foreign() {
        return Err(BatchError::ReservedValue { field: "encoding" });
    }
    let bytes = HEADER_BYTES + payload.len();
    if bytes > limits::BATCH_BYTES {
        return Err(BatchError::TooLarge { bytes });
    }
    if foreign.record_count as usize > limits::BATCH_RECORDS {
        return Err(BatchError::TooManyRecords);
    }
    let header = BatchHeader {
        leader_epoch: 0,
        encoding: foreign.encoding,
        compression: Compression::NONE,
        timestamp_type: foreign.timestamp_type,
        record_count: foreign.record_count,
        last_offset_delta: foreign.last_offset_delta,
        producer_id: foreign.producer.id,
        producer_epoch: foreign.producer.epoch,
        base_sequence: foreign.producer.base_sequence,
        base_timestamp_ms: foreign.base_timestamp_ms,
        subjects_len: 0,
        meta_len: 0,
        payload_crc: crc32c::crc32c(payload),
        payload_len: u32::try_from(payload.len()).map_err(|_| BatchError::TooLarge { bytes })?,
    };
    header.check_sequence()?;
    let mut out = vec![0; HEADER_BYTES];
    out.reserve_exact(payload.len());
    out.extend_from_slice(payload);
    header.encode(&mut out)?;
    Ok(out.into())
}
