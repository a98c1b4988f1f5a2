//! Numbers and parts of a body, from its front.

use bytes::Bytes;
use mesh_log::payload::Payload;
use mesh_wire::frame::Kind;

use super::{CodecError, PAYLOAD_BYTES_MAX, SLICE_BYTES};

/// What is left of a body.
#[derive(Debug)]
pub(super) struct Reader {
    kind: Kind,
    rest: Bytes,
}

impl Reader {
    pub(super) fn new(kind: Kind, body: Bytes) -> Self {
        Self { kind, rest: body }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn short(&self) -> CodecError {
        CodecError::Length { kind: self.kind }
    }

    pub(super) fn unknown(&self, what: &'static str, value: u64) -> CodecError {
        CodecError::Unknown { kind: self.kind, what, value }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let array = *self.rest.first_chunk::<N>().ok_or_else(|| self.short())?;
        self.rest = self.rest.split_off(N);
        Ok(array)
    }

    pub(super) fn byte(&mut self) -> Result<u8, CodecError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn half(&mut self) -> Result<u16, CodecError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn word(&mut self) -> Result<u32, CodecError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn wide(&mut self) -> Result<u64, CodecError> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bytes that have no meaning yet: they have to be 0, so that they can get one.
    pub(super) fn zeros<const N: usize>(&mut self) -> Result<(), CodecError> {
        match self.array::<N>()?.iter().find(|byte| **byte != 0) {
            None => Ok(()),
            Some(byte) => Err(self.unknown("reserved byte", u64::from(*byte))),
        }
    }

    /// A byte with bits below `end` only.
    pub(super) fn flags(&mut self, end: u8) -> Result<u8, CodecError> {
        let flags = self.byte()?;
        if flags < end { Ok(flags) } else { Err(self.unknown("flags", u64::from(flags))) }
    }

    /// The next `len` bytes: a slice, no copy.
    pub(super) fn take(&mut self, len: usize) -> Result<Bytes, CodecError> {
        if len > self.rest.len() {
            return Err(self.short());
        }
        Ok(self.rest.split_to(len))
    }

    /// All that is left.
    pub(super) fn take_all(&mut self) -> Bytes {
        std::mem::take(&mut self.rest)
    }

    /// A payload with its checksum.
    pub(super) fn payload(
        &mut self,
        len: u32,
        crc: u32,
        what: &'static str,
        number: u64,
    ) -> Result<Payload, CodecError> {
        let size = len as usize;
        if size > PAYLOAD_BYTES_MAX {
            return Err(CodecError::TooLarge { what, size: u64::from(len), max: PAYLOAD_BYTES_MAX });
        }
        let bytes = self.take(size)?;
        let bytes = if size < SLICE_BYTES { Bytes::copy_from_slice(&bytes) } else { bytes };
        Payload::checked(bytes, crc).ok_or(CodecError::Checksum { what, number })
    }
}
