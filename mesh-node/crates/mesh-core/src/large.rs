//! A message whose body is too large for one frame, on its way to one receiver.

use bytes::{BufMut, Bytes, BytesMut};
use mesh_wire::{
    chunk,
    ext::{Ext, ExtBuilder, ExtError, Tag},
    frame::{Flags, FrameError, Kind, Parts},
    limits,
};

/// A whole large message. Clones share everything, so that a fan-out holds its body once.
#[derive(Debug, Clone)]
pub struct Large {
    /// What the opening frame is.
    pub kind: Kind,
    /// Its marks.
    pub flags: Flags,
    /// Meaning by kind.
    pub aux: u32,
    /// Meaning by kind.
    pub id: u64,
    /// Extension area without its chunk entry.
    pub ext: Bytes,
    /// Subject.
    pub subject: Bytes,
    /// Encoded headers.
    pub headers: Bytes,
    /// The body.
    pub body: Bytes,
}

impl Large {
    /// From the opening frame and the reassembled body.
    ///
    /// # Errors
    /// An extension area that can't be read.
    pub fn new(opening: &Parts<'_>, body: Bytes) -> Result<Self, ExtError> {
        let mut ext = ExtBuilder::new();
        for (tag, value) in Ext::parse(opening.ext)?.iter().filter(|(tag, _)| *tag != Tag::CHUNK) {
            ext.push(tag, value)?;
        }
        Ok(Self {
            kind: opening.kind,
            flags: opening.flags,
            aux: opening.aux,
            id: opening.id,
            ext: Bytes::copy_from_slice(ext.as_bytes()),
            subject: Bytes::copy_from_slice(opening.subject),
            headers: Bytes::copy_from_slice(opening.headers),
            body,
        })
    }

    /// Bytes that the message takes on a link, nearly: its parts, without the frames' own headers.
    pub fn len(&self) -> usize {
        self.ext.len() + self.subject.len() + self.headers.len() + self.body.len()
    }

    /// Whether there is nothing in it at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Cuts one large message into frames, a frame at a time. The body travels by reference.
#[derive(Debug)]
pub struct Chunker {
    large: Large,
    series: u32,
    sent: usize,
}

impl Chunker {
    /// Under a series number that is not open on the link.
    pub fn new(large: Large, series: u32) -> Self {
        Self { large, series, sent: 0 }
    }

    /// Output: the head of the next frame, appended to `out`, and the part of the body that goes behind it.
    /// `None` when the message is complete.
    ///
    /// # Errors
    /// A head that does not fit into a frame; the message can't be sent.
    pub fn poll_frame(&mut self, out: &mut BytesMut) -> Result<Option<Bytes>, FrameError> {
        let total = self.large.body.len();
        if self.sent > 0 && self.sent >= total {
            return Ok(None);
        }
        let end = (self.sent + limits::CHUNK_BYTES).min(total);
        let part = self.large.body.slice(self.sent..end);
        if self.sent == 0 {
            self.opening(out, part.len())?;
        } else {
            let flags = if end < total { Flags::MORE } else { Flags::NONE };
            let head = Parts { flags, ..Parts::bare(Kind::Chunk, u64::from(self.series)) };
            head.encode_head(part.len(), out)?;
        }
        self.sent = end.max(1);
        Ok(Some(part))
    }

    fn opening(&self, out: &mut BytesMut, part_len: usize) -> Result<(), FrameError> {
        let l = &self.large;
        let mut ext = BytesMut::with_capacity(l.ext.len() + 14);
        ext.put_slice(&l.ext);
        if chunk::needs_chunks(l.body.len()) {
            let mut entry = ExtBuilder::new();
            // Twelve bytes always fit an empty area.
            if entry.push_chunk(self.series, l.body.len() as u64).is_ok() {
                ext.put_slice(entry.as_bytes());
            }
        }
        Parts {
            kind: l.kind,
            flags: l.flags,
            aux: l.aux,
            id: l.id,
            ext: &ext,
            subject: &l.subject,
            headers: &l.headers,
            body: &[],
        }
        .encode_head(part_len, out)
    }
}

#[cfg(test)]
mod tests {
    use mesh_wire::{chunk::Reassembler, frame::Frame};

    use super::*;

    fn large(len: usize) -> Large {
        let body: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        let opening = Parts { subject: b"a.b", ext: &[6, 1, b'k'], ..Parts::bare(Kind::Publish, 9) };
        Large::new(&opening, body.into()).unwrap()
    }

    #[test]
    fn what_is_cut_comes_together_again() {
        for len in [0, 1, limits::CHUNK_BYTES, limits::CHUNK_BYTES + 1, 3 * limits::CHUNK_BYTES, 1_000_000] {
            let message = large(len);
            let mut chunker = Chunker::new(message.clone(), 3);
            let mut reassembler = Reassembler::new(u64::MAX);
            let mut whole = None;
            loop {
                let mut out = BytesMut::new();
                let Some(part) = chunker.poll_frame(&mut out).unwrap() else { break };
                out.put_slice(&part);
                let frame = Frame::decode(&out).unwrap().unwrap();
                assert_eq!(frame.len(), out.len());
                if frame.kind() == Kind::Chunk {
                    let more = frame.flags().contains(Flags::MORE);
                    whole = reassembler.handle_part(frame.id(), frame.body(), more).unwrap();
                } else {
                    let ext = Ext::parse(frame.ext()).unwrap();
                    assert_eq!((frame.subject(), ext.get(Tag::KEY)), (&b"a.b"[..], Some(&b"k"[..])));
                    match ext.chunk() {
                        Some((series, total)) => {
                            reassembler.handle_opening(series, total, (), frame.body()).unwrap();
                        }
                        None => whole = Some(((), Bytes::copy_from_slice(frame.body()))),
                    }
                }
            }
            assert_eq!(whole.expect("complete").1, message.body, "{len} bytes");
        }
    }

    #[test]
    fn a_chunk_entry_of_the_sender_is_not_carried_on() {
        let mut ext = ExtBuilder::new();
        ext.push_chunk(1, 300_000).unwrap().push(Tag::KEY, b"k").unwrap();
        let opening = Parts { ext: ext.as_bytes(), ..Parts::bare(Kind::Publish, 0) };
        let large = Large::new(&opening, Bytes::new()).unwrap();
        assert_eq!(&large.ext[..], [Tag::KEY.0, 1, b'k']);
        assert!(Large::new(&Parts { ext: &[6], ..opening }, Bytes::new()).is_err());
    }
}
