//! What a record may say about itself beyond key and subject: optional, tagged, in the clear.

use super::BatchError;
use crate::limits;

/// Most bytes of attributes on one record.
pub const ATTRIBUTES_BYTES: usize = 1024;

const MESSAGE_ID: u8 = 1;
const PRIORITY: u8 = 2;
const DELAY_MS: u8 = 3;
const TTL_MS: u8 = 4;

/// The attributes of a record that this version knows; a record has any of them.
///
/// Encoded as entries `tag u8 | length u8 | value`. Unknown tags are carried and skipped; a known one appears once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes<'a> {
    /// Names the message, so that a second copy is recognised. Tag 1, 1 to 128 bytes.
    pub message_id: Option<&'a [u8]>,
    /// Tag 2, one byte, 0 to 9; 9 comes first.
    pub priority: Option<u8>,
    /// Not to be delivered before this time has passed. Tag 3, eight bytes, up to 365 days.
    pub delay_ms: Option<u64>,
    /// Not to be delivered after this time has passed. Tag 4, eight bytes, up to 365 days.
    pub ttl_ms: Option<u64>,
}

impl<'a> Attributes<'a> {
    pub(super) fn decode(mut bytes: &'a [u8]) -> Result<Self, BatchError> {
        if bytes.len() > ATTRIBUTES_BYTES {
            return Err(BatchError::Attributes);
        }
        let mut attributes = Self::default();
        while !bytes.is_empty() {
            let (&[tag, len], rest) = bytes.split_first_chunk::<2>().ok_or(BatchError::Attributes)?;
            let (value, rest) = rest.split_at_checked(len.into()).ok_or(BatchError::Attributes)?;
            match tag {
                MESSAGE_ID => once(&mut attributes.message_id, value)?,
                PRIORITY => once(&mut attributes.priority, u8::from_le_bytes(array(value)?))?,
                DELAY_MS => once(&mut attributes.delay_ms, u64::from_le_bytes(array(value)?))?,
                TTL_MS => once(&mut attributes.ttl_ms, u64::from_le_bytes(array(value)?))?,
                _ => {}
            }
            bytes = rest;
        }
        attributes.check()?;
        Ok(attributes)
    }

    pub(super) fn check(&self) -> Result<(), BatchError> {
        if let Some(id) = self.message_id
            && !(1..=limits::MESSAGE_ID_BYTES).contains(&id.len())
        {
            return Err(BatchError::MessageIdLength { bytes: id.len() });
        }
        if let Some(priority) = self.priority.filter(|priority| *priority > limits::PRIORITY_MAX) {
            return Err(BatchError::Priority { priority });
        }
        if let Some(ms) = self.delay_ms.filter(|ms| *ms > limits::DELAY_MS_MAX) {
            return Err(BatchError::Delay { ms });
        }
        if let Some(ms) = self.ttl_ms.filter(|ms| *ms > limits::DELAY_MS_MAX) {
            return Err(BatchError::TimeToLive { ms });
        }
        Ok(())
    }

    pub(super) fn encoded_len(&self) -> usize {
        self.message_id.map_or(0, |id| 2 + id.len())
            + self.priority.map_or(0, |_| 3)
            + self.delay_ms.map_or(0, |_| 10)
            + self.ttl_ms.map_or(0, |_| 10)
    }

    /// Appends the entries, in the order of their tags. Only for what was checked.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        if let Some(id) = self.message_id {
            // A checked id has at most 128 bytes.
            out.extend_from_slice(&[MESSAGE_ID, id.len() as u8]);
            out.extend_from_slice(id);
        }
        if let Some(priority) = self.priority {
            out.extend_from_slice(&[PRIORITY, 1, priority]);
        }
        for (tag, ms) in [(DELAY_MS, self.delay_ms), (TTL_MS, self.ttl_ms)] {
            if let Some(ms) = ms {
                out.extend_from_slice(&[tag, 8]);
                out.extend_from_slice(&ms.to_le_bytes());
            }
        }
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), BatchError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(BatchError::Attributes),
    }
}

fn array<const N: usize>(value: &[u8]) -> Result<[u8; N], BatchError> {
    value.try_into().map_err(|_| BatchError::Attributes)
}
