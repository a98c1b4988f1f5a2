//! Bodies that came in parts.

use bytes::{Bytes, BytesMut};
use mesh_wire::frame::Kind;

use super::{CodecError, body_bytes_max};

/// A body of which some is there. Parts of one kind follow each other on their lane, so there is one of each kind.
#[derive(Debug)]
pub(super) struct Series {
    total: usize,
    held: BytesMut,
}

impl Series {
    /// The first part. Makes room for what came, not for what was announced.
    pub(super) fn open(kind: Kind, offset: u32, total: u64, part: &[u8]) -> Result<Self, CodecError> {
        let max = body_bytes_max(kind).ok_or(CodecError::Kind(kind))?;
        let wrong = CodecError::Part { kind, offset: offset.into(), total, held: 0, expected: total };
        if offset != 0 || part.is_empty() {
            return Err(wrong);
        }
        let size = usize::try_from(total).ok().filter(|total| *total <= max);
        let size = size.ok_or(CodecError::TooLarge { what: "body", size: total, max })?;
        if part.len() >= size {
            return Err(wrong);
        }
        Ok(Self { total: size, held: BytesMut::from(part) })
    }

    /// A further part; the whole when it is the last one.
    pub(super) fn push(
        &mut self,
        kind: Kind,
        offset: u32,
        total: u64,
        part: &[u8],
        goes_on: bool,
    ) -> Result<Option<Bytes>, CodecError> {
        let (held, expected) = (self.held.len(), self.total);
        let end = held + part.len();
        let fits = if goes_on { end < expected } else { end == expected };
        if offset as usize != held || total != expected as u64 || part.is_empty() || !fits {
            return Err(CodecError::Part {
                kind,
                offset: offset.into(),
                total,
                held: held as u64,
                expected: expected as u64,
            });
        }
        self.held.extend_from_slice(part);
        Ok((!goes_on).then(|| std::mem::take(&mut self.held).freeze()))
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.held.len()
    }
}
