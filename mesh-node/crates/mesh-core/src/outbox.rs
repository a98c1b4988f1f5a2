//! What a link still has to write, in the order in which it will.
//!
//! ```text
//!   small frames ──► tail ─┐
//!   batches ───────────────┴─► wire ─► vectored writes
//!   large messages ──► bulk ──(a chunk at a time, when the wire is short)──► wire
//! ```
//! Bytes on the wire queue are first in, first out. A large message waits beside it and adds one chunk whenever less
//! than [`BULK_BELOW_BYTES`] wait, so that it never stands before others for long. There is no timer: whoever fills
//! the outbox flushes it when its own input has run dry.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};
use mesh_wire::frame::{FrameError, Parts};

use crate::large::{Chunker, Large};

mod lanes;

pub use lanes::Lanes;

/// A chunk of a large message is added while fewer bytes than this wait on the wire queue.
pub const BULK_BELOW_BYTES: usize = 64 * 1024;

/// Frames below this are copied together: fewer slices to write, and no read buffer kept alive by a few bytes.
pub const COPY_BELOW_BYTES: usize = 8 * 1024;

/// The queue of one link. The owner bounds it by [`Outbox::queued_bytes`].
#[derive(Debug)]
pub struct Outbox<K> {
    wire: VecDeque<Bytes>,
    tail: BytesMut,
    wire_bytes: usize,
    bulk: VecDeque<(K, usize, Chunker)>,
    bulk_bytes: usize,
    sent: VecDeque<K>,
    series: u32,
}

impl<K> Default for Outbox<K> {
    fn default() -> Self {
        Self {
            wire: VecDeque::new(),
            tail: BytesMut::new(),
            wire_bytes: 0,
            bulk: VecDeque::new(),
            bulk_bytes: 0,
            sent: VecDeque::new(),
            series: 0,
        }
    }
}

impl<K> Outbox<K> {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds whole frames, by reference when that is worth it.
    pub fn push_frames(&mut self, frames: Bytes) {
        if frames.len() < COPY_BELOW_BYTES {
            self.wire_bytes += frames.len();
            self.tail.extend_from_slice(&frames);
            return;
        }
        self.seal_tail();
        self.wire_bytes += frames.len();
        self.wire.push_back(frames);
    }

    /// Adds one small frame, by copy.
    ///
    /// # Errors
    /// A frame over a limit, which is not added.
    pub fn push_frame(&mut self, parts: &Parts<'_>) -> Result<(), FrameError> {
        let before = self.tail.len();
        parts.encode(&mut self.tail)?;
        self.wire_bytes += self.tail.len() - before;
        Ok(())
    }

    /// Adds a large message that others may overtake; [`Self::poll_sent`] gives `key` when its last chunk is queued.
    pub fn push_large(&mut self, key: K, large: Large) {
        self.series = self.series.wrapping_add(1);
        self.bulk_bytes += large.len();
        self.bulk.push_back((key, large.len(), Chunker::new(large, self.series)));
    }

    /// Adds a large message that nothing may overtake.
    ///
    /// # Errors
    /// A frame over a limit; nothing is added.
    pub fn push_large_in_order(&mut self, large: Large) -> Result<(), FrameError> {
        self.series = self.series.wrapping_add(1);
        let mut chunker = Chunker::new(large, self.series);
        while self.push_chunk_of(&mut chunker)? {}
        Ok(())
    }

    /// Output: what to write next, in this order; empty when nothing waits.
    pub fn poll_write(&mut self) -> &[Bytes] {
        while self.wire_bytes < BULK_BELOW_BYTES && self.next_chunk() {}
        self.seal_tail();
        self.wire.make_contiguous()
    }

    /// Input: `written` bytes went out.
    pub fn handle_written(&mut self, mut written: usize) {
        self.wire_bytes -= written.min(self.wire_bytes);
        while written > 0 {
            let Some(front) = self.wire.front_mut() else { return };
            if written < front.len() {
                front.advance(written);
                return;
            }
            written -= front.len();
            self.wire.pop_front();
        }
    }

    /// Output: the key of a large message whose last chunk is on the wire queue.
    pub fn poll_sent(&mut self) -> Option<K> {
        self.sent.pop_front()
    }

    /// Everything that waits, in bytes.
    pub fn queued_bytes(&self) -> usize {
        self.wire_bytes + self.bulk_bytes
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.wire_bytes == 0 && self.bulk.is_empty()
    }

    fn next_chunk(&mut self) -> bool {
        let Some((key, len, mut chunker)) = self.bulk.pop_front() else { return false };
        // A message whose head does not fit was refused at ingress; here it would only be given up.
        if self.push_chunk_of(&mut chunker).unwrap_or(false) {
            self.bulk.push_front((key, len, chunker));
        } else {
            self.bulk_bytes -= len;
            self.sent.push_back(key);
        }
        true
    }

    fn push_chunk_of(&mut self, chunker: &mut Chunker) -> Result<bool, FrameError> {
        let before = self.tail.len();
        let Some(part) = chunker.poll_frame(&mut self.tail)? else { return Ok(false) };
        self.wire_bytes += self.tail.len() - before;
        self.push_frames(part);
        Ok(true)
    }

    fn seal_tail(&mut self) {
        if !self.tail.is_empty() {
            self.wire.push_back(self.tail.split().freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use mesh_wire::{
        frame::{Frame, Kind},
        limits,
    };

    use super::*;

    fn drain(outbox: &mut Outbox<u32>, step: usize) -> Vec<u8> {
        let mut out = Vec::new();
        loop {
            let all = outbox.poll_write().concat();
            if all.is_empty() {
                return out;
            }
            let take = all.len().min(step);
            out.extend_from_slice(&all[..take]);
            outbox.handle_written(take);
        }
    }

    fn frames(bytes: &[u8]) -> Vec<(Kind, u64, usize)> {
        let mut rest = bytes;
        let mut found = Vec::new();
        while let Some(frame) = Frame::decode(rest).unwrap() {
            found.push((frame.kind(), frame.id(), frame.body().len()));
            rest = &rest[frame.len()..];
        }
        assert!(rest.is_empty());
        found
    }

    fn large(len: usize) -> Large {
        Large::new(&Parts::bare(Kind::Deliver, 7), vec![1; len].into()).unwrap()
    }

    #[test]
    fn order_is_kept_whatever_the_write_size() {
        for step in [1, 7, 23, 24, 25, 1000] {
            let mut outbox = Outbox::<u32>::new();
            outbox.push_frame(&Parts::bare(Kind::Ok, 1)).unwrap();
            outbox.push_frame(&Parts::bare(Kind::Ok, 2)).unwrap();
            let mut batch = BytesMut::new();
            Parts::bare(Kind::Deliver, 3).body(b"xyz").encode(&mut batch).unwrap();
            outbox.push_frames(batch.freeze());
            outbox.push_frame(&Parts::bare(Kind::Pong, 4)).unwrap();
            assert_eq!(outbox.queued_bytes(), 4 * 24 + 3);
            let bytes = drain(&mut outbox, step);
            let ids: Vec<u64> = frames(&bytes).iter().map(|f| f.1).collect();
            assert_eq!(ids, [1, 2, 3, 4], "step {step}");
            assert!(outbox.is_empty());
            assert_eq!(outbox.queued_bytes(), 0);
        }
    }

    #[test]
    fn small_frames_overtake_a_large_message_between_its_chunks() {
        let mut outbox = Outbox::new();
        outbox.push_large(42, large(2 * limits::CHUNK_BYTES + 5));
        let mut out = Vec::new();
        for id in 100..103 {
            let all = outbox.poll_write().concat();
            outbox.handle_written(all.len());
            out.extend_from_slice(&all);
            outbox.push_frame(&Parts::bare(Kind::Ok, id)).unwrap();
        }
        out.extend(drain(&mut outbox, usize::MAX));
        let kinds: Vec<Kind> = frames(&out).iter().map(|f| f.0).collect();
        assert_eq!(kinds, [Kind::Deliver, Kind::Ok, Kind::Chunk, Kind::Ok, Kind::Chunk, Kind::Ok]);
        assert_eq!(outbox.poll_sent(), Some(42));
        assert_eq!(outbox.poll_sent(), None);
        assert_eq!(outbox.queued_bytes(), 0);
    }

    #[test]
    fn an_ordered_large_message_stays_where_it_was_put() {
        let mut outbox = Outbox::<u32>::new();
        outbox.push_frame(&Parts::bare(Kind::Ok, 1)).unwrap();
        outbox.push_large_in_order(large(limits::CHUNK_BYTES + 1)).unwrap();
        outbox.push_frame(&Parts::bare(Kind::Ok, 2)).unwrap();
        let kinds: Vec<Kind> = frames(&drain(&mut outbox, 999)).iter().map(|f| f.0).collect();
        assert_eq!(kinds, [Kind::Ok, Kind::Deliver, Kind::Chunk, Kind::Ok]);
    }
}
