//! Large bodies in parts.
//!
//! A message whose body is over [`limits::CHUNK_BYTES`] opens with its ordinary frame, marked by the extension
//! [`Tag::CHUNK`](crate::ext::Tag::CHUNK) (series, total length) and carrying the first part; `CHUNK` frames with the
//! series as their id carry the rest, in order, `MORE` on all but the last. Other frames may travel between them.

use bytes::{Bytes, BytesMut};

use crate::{code::Code, limits};

/// The byte ranges into which a body of `total` bytes is cut; a body of 0 bytes is one empty part.
pub fn parts(total: usize) -> impl ExactSizeIterator<Item = std::ops::Range<usize>> {
    let count = total.div_ceil(limits::CHUNK_BYTES).max(1);
    (0..count).map(move |i| i * limits::CHUNK_BYTES..((i + 1) * limits::CHUNK_BYTES).min(total))
}

/// Whether a body has to be cut.
pub const fn needs_chunks(body_len: usize) -> bool {
    body_len > limits::CHUNK_BYTES
}

/// Why parts do not make a message. Each of these ends the link that sent them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// The announced body is over what the link allows.
    #[error("body of {total} bytes is over the limit of {max}")]
    BodyTooLarge {
        /// Announced length, in bytes.
        total: u64,
        /// Limit, in bytes.
        max: u64,
    },
    /// More than [`limits::CHUNK_SERIES`] messages under way.
    #[error("more than {} chunked messages under way", limits::CHUNK_SERIES)]
    TooManySeries,
    /// A series was opened twice.
    #[error("chunk series {0} is already open")]
    SeriesInUse(u64),
    /// A part of a series that is not open.
    #[error("chunk series {0} is not open")]
    UnknownSeries(u64),
    /// The parts are longer or shorter than announced.
    #[error("chunk series {series} has {got} bytes where {total} were announced")]
    LengthMismatch {
        /// The series.
        series: u64,
        /// Bytes that came.
        got: u64,
        /// Bytes that were announced.
        total: u64,
    },
}

impl ChunkError {
    /// The stable code of this error.
    pub fn code(&self) -> Code {
        match self {
            Self::BodyTooLarge { .. } => Code::BodyTooLarge,
            Self::TooManySeries => Code::TooManyChunkSeries,
            Self::SeriesInUse(_) => Code::ChunkSeriesInUse,
            Self::UnknownSeries(_) => Code::ChunkUnknownSeries,
            Self::LengthMismatch { .. } => Code::ChunkLengthMismatch,
        }
    }
}

/// Puts chunked messages of one direction of one link together again.
///
/// Memory grows with what has come, never with what was announced, and is bounded by
/// [`limits::CHUNK_SERIES`] × the largest body. `M` is what the reader keeps of the opening frame.
#[derive(Debug)]
pub struct Reassembler<M> {
    max_body: u64,
    open: Vec<Series<M>>,
}

#[derive(Debug)]
struct Series<M> {
    id: u64,
    total: u64,
    opening: M,
    body: BytesMut,
}

impl<M> Reassembler<M> {
    /// For bodies of at most `max_body` bytes.
    pub fn new(max_body: u64) -> Self {
        Self { max_body, open: Vec::new() }
    }

    /// Input: the opening frame of a series, with its first part.
    ///
    /// # Errors
    /// See [`ChunkError`]; the link is to be closed.
    pub fn handle_opening(
        &mut self,
        series: u32,
        total: u64,
        opening: M,
        part: &[u8],
    ) -> Result<(), ChunkError> {
        let id = u64::from(series);
        if total > self.max_body {
            return Err(ChunkError::BodyTooLarge { total, max: self.max_body });
        }
        if self.open.iter().any(|s| s.id == id) {
            return Err(ChunkError::SeriesInUse(id));
        }
        if self.open.len() >= limits::CHUNK_SERIES {
            return Err(ChunkError::TooManySeries);
        }
        // A series that is complete with its opening would never be closed by a CHUNK frame.
        if part.len() as u64 >= total {
            return Err(ChunkError::LengthMismatch { series: id, got: part.len() as u64, total });
        }
        self.open.push(Series { id, total, opening, body: BytesMut::from(part) });
        Ok(())
    }

    /// Input: a `CHUNK` frame. The last one gives the opening and the whole body.
    ///
    /// # Errors
    /// See [`ChunkError`]; the link is to be closed.
    pub fn handle_part(
        &mut self,
        series: u64,
        part: &[u8],
        more: bool,
    ) -> Result<Option<(M, Bytes)>, ChunkError> {
        let Some(at) = self.open.iter().position(|s| s.id == series) else {
            return Err(ChunkError::UnknownSeries(series));
        };
        let s = &mut self.open[at];
        let got = s.body.len() as u64 + part.len() as u64;
        if got > s.total || (!more && got < s.total) || (more && part.is_empty()) {
            return Err(ChunkError::LengthMismatch { series, got, total: s.total });
        }
        s.body.extend_from_slice(part);
        if more {
            return Ok(None);
        }
        let done = self.open.swap_remove(at);
        Ok(Some((done.opening, done.body.freeze())))
    }

    /// Bytes held for messages that are not whole yet.
    pub fn held_bytes(&self) -> usize {
        self.open.iter().map(|s| s.body.len()).sum()
    }

    /// Messages that are not whole yet.
    pub fn open_series(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_cover_the_body_once() {
        for total in [0, 1, limits::CHUNK_BYTES - 1, limits::CHUNK_BYTES, limits::CHUNK_BYTES + 1, 3_000_000]
        {
            let ranges: Vec<_> = parts(total).collect();
            assert_eq!(ranges.first().map(|r| r.start), Some(0));
            assert_eq!(ranges.last().map(|r| r.end), Some(total));
            assert!(ranges.windows(2).all(|w| w[0].end == w[1].start));
            assert_eq!(ranges.len() > 1, needs_chunks(total));
        }
    }

    #[test]
    fn limits_hold_at_one_more_and_one_less() {
        let mut r = Reassembler::new(100);
        assert_eq!(
            r.handle_opening(0, 101, (), b"x"),
            Err(ChunkError::BodyTooLarge { total: 101, max: 100 })
        );
        for series in 0..limits::CHUNK_SERIES as u32 {
            r.handle_opening(series, 100, (), b"x").unwrap();
        }
        assert_eq!(r.handle_opening(99, 100, (), b"x"), Err(ChunkError::TooManySeries));
        assert_eq!(r.handle_opening(0, 100, (), b"x"), Err(ChunkError::SeriesInUse(0)));
        assert_eq!(r.handle_part(98, b"x", true), Err(ChunkError::UnknownSeries(98)));
        assert!(r.handle_part(0, &[0; 98], true).unwrap().is_none());
        assert_eq!(
            r.handle_part(0, b"xy", false),
            Err(ChunkError::LengthMismatch { series: 0, got: 101, total: 100 })
        );
        assert_eq!(
            r.handle_part(0, b"", false),
            Err(ChunkError::LengthMismatch { series: 0, got: 99, total: 100 })
        );
        assert_eq!(
            r.handle_part(0, b"", true),
            Err(ChunkError::LengthMismatch { series: 0, got: 99, total: 100 })
        );
        assert_eq!(r.handle_part(0, b"y", false).unwrap().map(|(_, b)| b.len()), Some(100));
        assert_eq!(r.open_series(), limits::CHUNK_SERIES - 1);
    }

    #[test]
    fn an_announcement_reserves_nothing() {
        let mut r = Reassembler::new(u64::MAX);
        r.handle_opening(1, 1 << 40, (), b"x").unwrap();
        assert_eq!(r.held_bytes(), 1);
        assert!(r.handle_opening(2, 1, (), b"x").is_err(), "a series must be longer than its opening");
    }

    proptest! {
        #[test]
        fn interleaved_series_come_back_whole(
            a in proptest::collection::vec(any::<u8>(), 2..400),
            b in proptest::collection::vec(any::<u8>(), 2..400),
            cut in 1usize..64,
        ) {
            let mut r = Reassembler::new(1000);
            let first = cut.min(a.len() - 1).min(b.len() - 1);
            r.handle_opening(1, a.len() as u64, 'a', &a[..first]).unwrap();
            r.handle_opening(2, b.len() as u64, 'b', &b[..first]).unwrap();
            let mut done = Vec::new();
            let (mut ra, mut rb) = (a[first..].chunks(cut).peekable(), b[first..].chunks(cut).peekable());
            while ra.peek().is_some() || rb.peek().is_some() {
                if let Some(part) = ra.next() {
                    done.extend(r.handle_part(1, part, ra.peek().is_some()).unwrap());
                }
                if let Some(part) = rb.next() {
                    done.extend(r.handle_part(2, part, rb.peek().is_some()).unwrap());
                }
            }
            done.sort_by_key(|(name, _)| *name);
            prop_assert_eq!(done.len(), 2);
            prop_assert_eq!(&done[0].1[..], &a[..]);
            prop_assert_eq!(&done[1].1[..], &b[..]);
            prop_assert_eq!(r.held_bytes(), 0);
        }
    }
}
