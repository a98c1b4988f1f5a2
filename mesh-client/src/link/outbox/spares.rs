//! Buffers that were written, to be filled again.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Buffers that are kept while the carrier still holds what was written from them.
const HELD_MAX: usize = 4;
/// A new buffer is made as large as the last full one from this size on: smaller ones grow cheaply.
const SIZED_FROM_BYTES: usize = 4 * 1024;

/// Written buffers of one link. A carrier that takes bytes by reference holds them until the other side has them; they
/// come into use again after that.
#[derive(Debug, Default)]
pub(crate) struct Spares {
    held: VecDeque<Bytes>,
}

impl Spares {
    /// Command: all of `bytes` was written.
    pub(crate) fn give(&mut self, bytes: Bytes) {
        if self.held.len() < HELD_MAX {
            self.held.push_back(bytes);
        }
    }

    /// An empty buffer, to stand in for a full one of `len` bytes.
    pub(crate) fn take(&mut self, len: usize) -> BytesMut {
        // The oldest comes back first.
        match self.held.pop_front().map(Bytes::try_into_mut) {
            Some(Ok(mut free)) => {
                free.clear();
                free
            }
            held => {
                if let Some(Err(held)) = held {
                    self.held.push_front(held);
                }
                if len < SIZED_FROM_BYTES { BytesMut::new() } else { BytesMut::with_capacity(len) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(len: usize) -> Bytes {
        BytesMut::from(&vec![7; len][..]).freeze()
    }

    #[test]
    fn a_buffer_comes_back_when_nobody_holds_it() {
        let mut spares = Spares::default();
        let first = full(SIZED_FROM_BYTES);
        let at = first.as_ptr();
        let carrier = first.slice(10..);
        spares.give(first);
        let other = spares.take(SIZED_FROM_BYTES);
        assert!(other.is_empty() && other.capacity() >= SIZED_FROM_BYTES);
        assert_ne!(other.as_ptr(), at, "the carrier still reads the first");
        drop(carrier);
        let again = spares.take(1);
        assert!(again.is_empty());
        assert_eq!((again.as_ptr(), again.capacity() >= SIZED_FROM_BYTES), (at, true));
    }

    #[test]
    fn the_number_kept_is_bounded() {
        let mut spares = Spares::default();
        for _ in 0..=HELD_MAX {
            spares.give(full(1));
        }
        assert_eq!(spares.held.len(), HELD_MAX);
    }
}
