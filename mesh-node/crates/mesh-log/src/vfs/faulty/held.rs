//! What was written to a file and is not on the disk.

use std::collections::BTreeMap;

/// Writes that don't overlap, by their place.
#[derive(Debug, Default)]
pub(super) struct Held {
    writes: BTreeMap<u64, Vec<u8>>,
}

impl Held {
    /// Takes a write; of what was written there before, its part goes.
    pub(super) fn write(&mut self, offset: u64, bytes: Vec<u8>) {
        let end = offset + bytes.len() as u64;
        let overlapping: Vec<u64> = self
            .writes
            .range(..end)
            .filter(|(at, old)| *at + old.len() as u64 > offset)
            .map(|(at, _)| *at)
            .collect();
        for at in overlapping {
            let old = self.writes.remove(&at).unwrap_or_default();
            let old_end = at + old.len() as u64;
            if at < offset {
                self.writes.insert(at, old[..(offset - at) as usize].to_vec());
            }
            if old_end > end {
                self.writes.insert(end, old[(end - at) as usize..].to_vec());
            }
        }
        self.writes.insert(offset, bytes);
    }

    /// Puts what is held over what was read at a place. Returns how much there is now.
    pub(super) fn read_over(&self, into: &mut [u8], read: usize, offset: u64) -> usize {
        let end = offset + into.len() as u64;
        let mut there = read;
        for (at, bytes) in self.writes.range(..end) {
            let (from, to) = ((*at).max(offset), (at + bytes.len() as u64).min(end));
            if from >= to {
                continue;
            }
            let (place, place_end) = ((from - offset) as usize, (to - offset) as usize);
            if place > there {
                // A hole between what is on the disk and what is held.
                into[there..place].fill(0);
            }
            into[place..place_end].copy_from_slice(&bytes[(from - at) as usize..(to - at) as usize]);
            there = there.max(place_end);
        }
        there
    }

    /// All of it, in order; nothing is held any more.
    pub(super) fn take(&mut self) -> BTreeMap<u64, Vec<u8>> {
        std::mem::take(&mut self.writes)
    }

    /// Where the last write ends.
    pub(super) fn end(&self) -> u64 {
        self.writes.iter().next_back().map_or(0, |(at, bytes)| at + bytes.len() as u64)
    }

    /// What is behind `size` goes.
    pub(super) fn cut(&mut self, size: u64) {
        self.writes.retain(|at, bytes| {
            bytes.truncate(size.saturating_sub(*at).try_into().unwrap_or(usize::MAX));
            *at < size
        });
    }
}
