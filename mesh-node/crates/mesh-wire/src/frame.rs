//! Frames: the unit that travels on a link.
//!
//! ```text
//!  0         4      5       6             8             10        12        16         24
//!  +---------+------+-------+-------------+-------------+---------+---------+----------+-----+---------+---------+------+
//!  | len u32 | kind | flags | subject u16 | headers u16 | ext u16 | aux u32 | id u64   | ext | subject | headers | body |
//!  +---------+------+-------+-------------+-------------+---------+---------+----------+-----+---------+---------+------+
//! ```
//! All integers are little endian; `len` counts the whole frame, header included. What `aux` and `id` mean depends on
//! the kind (see `docs/reference/protocol.md`). Decoding borrows from the read buffer and allocates nothing; every
//! length is checked before anything trusts it.

use bytes::{BufMut, BytesMut};

use crate::{code::Code, limits};

mod kind;

pub use kind::{Flags, Kind};

/// The first bytes that a client sends on a link, before any frame.
///
/// They hold a carriage return, a line feed and a control character, so that a link that rewrites text is found out
/// at once, and so that no HTTP or TLS client can be taken for one of ours.
pub const PREFACE: [u8; 8] = *b"MESH\r\n\x1a\n";

/// Size of the fixed frame header, in bytes.
pub const HEADER_BYTES: usize = 24;

/// Why bytes are not a frame. Each of these ends the link that sent them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The length field is below the header's own size.
    #[error("frame length {0} is below the header's {HEADER_BYTES} bytes")]
    Undersize(u32),
    /// The length field is over [`limits::FRAME_BYTES`].
    #[error("frame length {0} is over the limit of {max} bytes", max = limits::FRAME_BYTES)]
    Oversize(u32),
    /// No such frame kind in this version.
    #[error("unknown frame kind {0:#04x}")]
    UnknownKind(u8),
    /// The parts announced in the header do not fit into the frame.
    #[error("ext, subject and headers need {parts} bytes, the frame has {room}")]
    PartsOverflow {
        /// Bytes that the header announces.
        parts: usize,
        /// Bytes that the frame has behind its header.
        room: usize,
    },
    /// The subject is over [`limits::SUBJECT_BYTES`].
    #[error("subject of {0} bytes is over the limit of {max}", max = limits::SUBJECT_BYTES)]
    SubjectTooLong(u16),
    /// The headers are over [`limits::HEADERS_BYTES`].
    #[error("headers of {0} bytes are over the limit of {max}", max = limits::HEADERS_BYTES)]
    HeadersTooLarge(u16),
    /// The extension area is over [`limits::EXT_BYTES`].
    #[error("extension area of {0} bytes is over the limit of {max}", max = limits::EXT_BYTES)]
    ExtTooLarge(u16),
}

impl FrameError {
    /// The stable code of this error.
    pub fn code(&self) -> Code {
        match self {
            Self::Undersize(_) => Code::FrameUndersize,
            Self::Oversize(_) => Code::FrameOversize,
            Self::UnknownKind(_) => Code::UnknownKind,
            Self::PartsOverflow { .. } => Code::FrameMalformed,
            Self::SubjectTooLong(_) => Code::SubjectTooLong,
            Self::HeadersTooLarge(_) => Code::HeadersTooLarge,
            Self::ExtTooLarge(_) => Code::ExtMalformed,
        }
    }
}

/// The fixed header of a frame, decoded and checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Whole frame, header included, in bytes.
    pub len: u32,
    /// What the frame is.
    pub kind: Kind,
    /// Marks on the frame.
    pub flags: Flags,
    /// Bytes of the subject.
    pub subject_len: u16,
    /// Bytes of the encoded headers.
    pub headers_len: u16,
    /// Bytes of the extension area.
    pub ext_len: u16,
    /// Meaning by kind: a code, a timeout, a count.
    pub aux: u32,
    /// Meaning by kind: a subscription, request, call or series.
    pub id: u64,
}

impl FrameHeader {
    /// Decodes and checks the header at the front of `bytes`; `None` when there are not yet [`HEADER_BYTES`].
    ///
    /// The length and the kind are judged as soon as they are there, so that garbage never makes a reader wait
    /// for (or make room for) a frame that could not be valid.
    ///
    /// # Errors
    /// Whatever [`FrameError`] says; nothing behind the header is looked at.
    #[inline]
    pub fn decode(bytes: &[u8]) -> Result<Option<Self>, FrameError> {
        let Some(h) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Self::judge_prefix(bytes).map(|()| None);
        };
        let len = u32::from_le_bytes([h[0], h[1], h[2], h[3]]);
        if (len as usize) < HEADER_BYTES {
            return Err(FrameError::Undersize(len));
        }
        if len as usize > limits::FRAME_BYTES {
            return Err(FrameError::Oversize(len));
        }
        let kind = Kind::from_byte(h[4]).ok_or(FrameError::UnknownKind(h[4]))?;
        let subject_len = u16::from_le_bytes([h[6], h[7]]);
        let headers_len = u16::from_le_bytes([h[8], h[9]]);
        let ext_len = u16::from_le_bytes([h[10], h[11]]);
        if subject_len as usize > limits::SUBJECT_BYTES {
            return Err(FrameError::SubjectTooLong(subject_len));
        }
        if headers_len as usize > limits::HEADERS_BYTES {
            return Err(FrameError::HeadersTooLarge(headers_len));
        }
        if ext_len as usize > limits::EXT_BYTES {
            return Err(FrameError::ExtTooLarge(ext_len));
        }
        let parts = subject_len as usize + headers_len as usize + ext_len as usize;
        let room = len as usize - HEADER_BYTES;
        if parts > room {
            return Err(FrameError::PartsOverflow { parts, room });
        }
        Ok(Some(Self {
            len,
            kind,
            flags: Flags::from_bits(h[5]),
            subject_len,
            headers_len,
            ext_len,
            aux: u32::from_le_bytes([h[12], h[13], h[14], h[15]]),
            id: u64::from_le_bytes([h[16], h[17], h[18], h[19], h[20], h[21], h[22], h[23]]),
        }))
    }

    fn judge_prefix(bytes: &[u8]) -> Result<(), FrameError> {
        if let Some(&[a, b, c, d]) = bytes.first_chunk::<4>() {
            let len = u32::from_le_bytes([a, b, c, d]);
            if (len as usize) < HEADER_BYTES {
                return Err(FrameError::Undersize(len));
            }
            if len as usize > limits::FRAME_BYTES {
                return Err(FrameError::Oversize(len));
            }
        }
        match bytes.get(4) {
            Some(&kind) if Kind::from_byte(kind).is_none() => Err(FrameError::UnknownKind(kind)),
            _ => Ok(()),
        }
    }

    /// Writes the header's 24 bytes.
    #[inline]
    pub fn write(&self, out: &mut BytesMut) {
        let mut h = [0u8; HEADER_BYTES];
        h[0..4].copy_from_slice(&self.len.to_le_bytes());
        h[4] = self.kind as u8;
        h[5] = self.flags.bits();
        h[6..8].copy_from_slice(&self.subject_len.to_le_bytes());
        h[8..10].copy_from_slice(&self.headers_len.to_le_bytes());
        h[10..12].copy_from_slice(&self.ext_len.to_le_bytes());
        h[12..16].copy_from_slice(&self.aux.to_le_bytes());
        h[16..24].copy_from_slice(&self.id.to_le_bytes());
        out.put_slice(&h);
    }
}

/// One whole frame in a read buffer: a borrowed view, made without allocation.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    header: FrameHeader,
    /// Everything behind the fixed header.
    rest: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Decodes the frame at the front of `bytes`; `None` when it is not whole yet.
    ///
    /// # Errors
    /// Whatever [`FrameError`] says; the link's byte stream can't be trusted any further.
    #[inline]
    pub fn decode(bytes: &'a [u8]) -> Result<Option<Self>, FrameError> {
        let Some(header) = FrameHeader::decode(bytes)? else { return Ok(None) };
        Ok(bytes.get(HEADER_BYTES..header.len as usize).map(|rest| Self { header, rest }))
    }

    /// The decoded fixed header.
    #[inline]
    pub fn header(&self) -> &FrameHeader {
        &self.header
    }

    /// What the frame is.
    #[inline]
    pub fn kind(&self) -> Kind {
        self.header.kind
    }

    /// Marks on the frame.
    #[inline]
    pub fn flags(&self) -> Flags {
        self.header.flags
    }

    /// Meaning by kind.
    #[inline]
    pub fn aux(&self) -> u32 {
        self.header.aux
    }

    /// Meaning by kind.
    #[inline]
    pub fn id(&self) -> u64 {
        self.header.id
    }

    /// Size of the whole frame, header included, in bytes.
    #[expect(clippy::len_without_is_empty, reason = "a frame is never empty: it has its header")]
    #[inline]
    pub fn len(&self) -> usize {
        self.header.len as usize
    }

    /// The extension area, not yet checked (see [`crate::ext::Ext::parse`]).
    #[inline]
    pub fn ext(&self) -> &'a [u8] {
        &self.rest[..self.header.ext_len as usize]
    }

    /// The subject or pattern, not yet checked (see [`crate::subject`]).
    #[inline]
    pub fn subject(&self) -> &'a [u8] {
        let start = self.header.ext_len as usize;
        &self.rest[start..start + self.header.subject_len as usize]
    }

    /// The encoded headers, not yet checked (see [`crate::header`]).
    #[inline]
    pub fn headers(&self) -> &'a [u8] {
        let start = self.header.ext_len as usize + self.header.subject_len as usize;
        &self.rest[start..start + self.header.headers_len as usize]
    }

    /// The body.
    #[inline]
    pub fn body(&self) -> &'a [u8] {
        &self.rest[self.body_offset() - HEADER_BYTES..]
    }

    /// Where the body starts, counted from the frame's first byte.
    #[inline]
    pub fn body_offset(&self) -> usize {
        HEADER_BYTES
            + self.header.ext_len as usize
            + self.header.subject_len as usize
            + self.header.headers_len as usize
    }

    /// Appends this frame's parts under another head: the way a node forwards without taking a message apart.
    #[inline]
    pub fn append_as(&self, out: &mut BytesMut, kind: Kind, flags: Flags, aux: u32, id: u64) {
        out.reserve(self.len());
        FrameHeader { kind, flags, aux, id, ..self.header }.write(out);
        out.put_slice(self.rest);
    }

    /// The same parts as an owned description, to be encoded again with something changed.
    pub fn parts(&self) -> Parts<'a> {
        Parts {
            kind: self.kind(),
            flags: self.flags(),
            aux: self.aux(),
            id: self.id(),
            ext: self.ext(),
            subject: self.subject(),
            headers: self.headers(),
            body: self.body(),
        }
    }
}

/// A frame about to be encoded.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// What the frame is.
    pub kind: Kind,
    /// Marks on the frame.
    pub flags: Flags,
    /// Meaning by kind.
    pub aux: u32,
    /// Meaning by kind.
    pub id: u64,
    /// Encoded extension area, at most [`limits::EXT_BYTES`].
    pub ext: &'a [u8],
    /// Subject or pattern, at most [`limits::SUBJECT_BYTES`].
    pub subject: &'a [u8],
    /// Encoded headers, at most [`limits::HEADERS_BYTES`].
    pub headers: &'a [u8],
    /// The body; bodies over [`limits::CHUNK_BYTES`] are to be chunked.
    pub body: &'a [u8],
}

impl<'a> Parts<'a> {
    /// A frame of `kind` with an id and nothing else.
    pub fn bare(kind: Kind, id: u64) -> Self {
        Self { kind, flags: Flags::NONE, aux: 0, id, ext: &[], subject: &[], headers: &[], body: &[] }
    }

    /// The same with `aux` set.
    #[must_use]
    pub fn aux(self, aux: u32) -> Self {
        Self { aux, ..self }
    }

    /// The same with a body.
    #[must_use]
    pub fn body(self, body: &'a [u8]) -> Self {
        Self { body, ..self }
    }

    /// The size of the encoded frame, in bytes.
    pub fn encoded_len(&self) -> usize {
        HEADER_BYTES + self.ext.len() + self.subject.len() + self.headers.len() + self.body.len()
    }

    /// Appends the encoded frame to `out`.
    ///
    /// # Errors
    /// A part over its limit, and then `out` is untouched.
    pub fn encode(&self, out: &mut BytesMut) -> Result<(), FrameError> {
        self.encode_head(self.body.len(), out)?;
        out.put_slice(self.body);
        Ok(())
    }

    /// Appends everything but the body, for a body of `body_len` bytes that is sent by reference behind it.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_head(&self, body_len: usize, out: &mut BytesMut) -> Result<(), FrameError> {
        let over = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        if self.subject.len() > limits::SUBJECT_BYTES {
            return Err(FrameError::SubjectTooLong(over(self.subject.len())));
        }
        if self.headers.len() > limits::HEADERS_BYTES {
            return Err(FrameError::HeadersTooLarge(over(self.headers.len())));
        }
        if self.ext.len() > limits::EXT_BYTES {
            return Err(FrameError::ExtTooLarge(over(self.ext.len())));
        }
        let len = HEADER_BYTES + self.ext.len() + self.subject.len() + self.headers.len() + body_len;
        if len > limits::FRAME_BYTES {
            return Err(FrameError::Oversize(u32::try_from(len).unwrap_or(u32::MAX)));
        }
        out.reserve(len);
        FrameHeader {
            len: len as u32,
            kind: self.kind,
            flags: self.flags,
            subject_len: self.subject.len() as u16,
            headers_len: self.headers.len() as u16,
            ext_len: self.ext.len() as u16,
            aux: self.aux,
            id: self.id,
        }
        .write(out);
        out.put_slice(self.ext);
        out.put_slice(self.subject);
        out.put_slice(self.headers);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
