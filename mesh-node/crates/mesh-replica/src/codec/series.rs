//! Bodies that come in parts.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use mesh_wire::frame::Kind;

use super::{CodecError, body_bytes_max};

/// What `id` says in the frames of a body in parts: its length and its checksum, by which it is told from others.
pub(super) fn id_of(body: &[u8]) -> u64 {
    body.len() as u64 | u64::from(crc32c::crc32c(body)) << 32
}

/// A part, as its frame says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) kind: Kind,
    /// Where it begins in the body.
    pub(super) offset: u32,
    /// See [`id_of`].
    pub(super) id: u64,
    /// Whether others follow.
    pub(super) goes_on: bool,
    pub(super) bytes: &'a [u8],
}

impl Part<'_> {
    fn total(&self) -> u64 {
        self.id & u64::from(u32::MAX)
    }

    /// Whether there can be such a part.
    fn check(&self) -> Result<(), CodecError> {
        let max = body_bytes_max(self.kind).ok_or(CodecError::Kind(self.kind))?;
        if self.total() > max as u64 {
            return Err(CodecError::TooLarge { what: "body", size: self.total(), max });
        }
        let end = u64::from(self.offset) + self.bytes.len() as u64;
        let fits = if self.goes_on { end < self.total() } else { end == self.total() && self.offset > 0 };
        if self.bytes.is_empty() || !fits {
            return Err(CodecError::Part {
                kind: self.kind,
                offset: self.offset.into(),
                len: self.bytes.len() as u64,
                total: self.total(),
            });
        }
        Ok(())
    }
}

/// Bodies of which some is there: one of each kind at most, since their parts follow each other on their lane.
#[derive(Debug, Default)]
pub(super) struct Series(BTreeMap<u8, (u64, BytesMut)>);

impl Series {
    /// Takes a part; the whole body when it is the last one. A sender without room may have dropped others: a part that
    /// does not follow goes the same way, with what is there of its body.
    pub(super) fn take(&mut self, part: Part<'_>) -> Result<Option<Bytes>, CodecError> {
        part.check()?;
        let key = part.kind as u8;
        if part.offset == 0 {
            // Makes room for what came, not for what was announced.
            self.0.insert(key, (part.id, BytesMut::from(part.bytes)));
            return Ok(None);
        }
        let follows = |(id, held): &(u64, BytesMut)| *id == part.id && held.len() == part.offset as usize;
        if !self.0.get(&key).is_some_and(follows) {
            self.0.remove(&key);
            return Ok(None);
        }
        if let Some((_, held)) = self.0.get_mut(&key) {
            held.extend_from_slice(part.bytes);
        }
        if part.goes_on {
            return Ok(None);
        }
        let whole = self.0.remove(&key).map(|(_, held)| held.freeze());
        match whole {
            Some(whole) if id_of(&whole) != part.id => {
                Err(CodecError::Checksum { what: "body", number: part.kind as u64 })
            }
            whole => Ok(whole),
        }
    }

    /// A whole body came: no more comes of one in parts.
    pub(super) fn give_up(&mut self, kind: Kind) {
        self.0.remove(&(kind as u8));
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.0.values().map(|(_, held)| held.len()).sum()
    }
}
