//! The entry of one record in the index.

use super::header::u32_at;

/// Bytes of an entry.
pub const ENTRY_BYTES: usize = 44;

pub(super) const HAS_KEY: u16 = 0x01;
pub(super) const HAS_VALUE: u16 = 0x02;
/// Flags that have a meaning; the others have to be 0.
pub(super) const KNOWN_FLAGS: u16 = HAS_KEY | HAS_VALUE;

/// Where the parts of one record are. Of a fixed size, so that any record is found without the others.
///
/// ```text
///  0         4            8           12           16                   24
///  | meta_at | payload_at | value_len | record crc | timestamp_delta i64 | offset_delta |
///  28           32            34            36            38        40          42      44
///  | subject_at | subject_len | headers_len | filters_len | key_len | attrs_len | flags |
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Entry {
    /// From the start of the metadata: key, then filters, then attributes.
    pub(super) meta_at: u32,
    /// From the start of the payload: headers, then value.
    pub(super) payload_at: u32,
    pub(super) value_len: u32,
    /// CRC32C of headers and value.
    pub(super) crc: u32,
    pub(super) timestamp_delta_ms: i64,
    pub(super) offset_delta: u32,
    /// From the start of the subjects; records may share one.
    pub(super) subject_at: u32,
    /// 0 for a record without a subject.
    pub(super) subject_len: u16,
    pub(super) headers_len: u16,
    pub(super) filters_len: u16,
    pub(super) key_len: u16,
    pub(super) attributes_len: u16,
    pub(super) flags: u16,
}

impl Entry {
    pub(super) fn decode(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let halves = |at| (u32_at(bytes, at) as u16, (u32_at(bytes, at) >> 16) as u16);
        let (subject_len, headers_len) = halves(32);
        let (filters_len, key_len) = halves(36);
        let (attributes_len, flags) = halves(40);
        let delta = u64::from(u32_at(bytes, 16)) | u64::from(u32_at(bytes, 20)) << 32;
        Self {
            meta_at: u32_at(bytes, 0),
            payload_at: u32_at(bytes, 4),
            value_len: u32_at(bytes, 8),
            crc: u32_at(bytes, 12),
            timestamp_delta_ms: delta.cast_signed(),
            offset_delta: u32_at(bytes, 24),
            subject_at: u32_at(bytes, 28),
            subject_len,
            headers_len,
            filters_len,
            key_len,
            attributes_len,
            flags,
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        for word in [self.meta_at, self.payload_at, self.value_len, self.crc] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.timestamp_delta_ms.to_le_bytes());
        for word in [self.offset_delta, self.subject_at] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        for half in [
            self.subject_len,
            self.headers_len,
            self.filters_len,
            self.key_len,
            self.attributes_len,
            self.flags,
        ] {
            out.extend_from_slice(&half.to_le_bytes());
        }
    }

    pub(super) fn meta_len(&self) -> usize {
        usize::from(self.key_len) + usize::from(self.filters_len) + usize::from(self.attributes_len)
    }

    pub(super) fn payload_len(&self) -> usize {
        usize::from(self.headers_len) + self.value_len as usize
    }

    pub(super) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}
