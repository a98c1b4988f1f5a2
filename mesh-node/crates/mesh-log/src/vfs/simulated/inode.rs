//! A file: what is read of it, and what of that is durable.

use std::ops::Range;

use super::SECTOR;

/// Something done to a file that is not durable yet.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// Bytes within one sector.
    Write { offset: usize, bytes: Vec<u8> },
    /// Another length.
    Size(usize),
}

/// What is in a file.
#[derive(Debug, Default)]
pub(super) struct Inode {
    /// As it is read.
    pub(super) now: Vec<u8>,
    /// As it is after a crash that loses everything it may.
    pub(super) durable: Vec<u8>,
    /// What lies between the two, in its order.
    pub(super) pending: Vec<Change>,
    /// Bytes of the disk that it takes up.
    pub(super) space: u64,
}

impl Inode {
    /// Writes within what is there, or behind it.
    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        put(&mut self.now, offset, bytes);
        let mut at = 0;
        while at < bytes.len() {
            let room = SECTOR - (offset + at) % SECTOR;
            let end = bytes.len().min(at + room);
            self.pending.push(Change::Write { offset: offset + at, bytes: bytes[at..end].to_vec() });
            at = end;
        }
    }

    /// Gives it another length.
    pub(super) fn set_size(&mut self, size: usize) {
        self.now.resize(size, 0);
        self.pending.push(Change::Size(size));
    }

    /// All that was done is durable.
    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            apply(&mut self.durable, change);
        }
    }

    /// What was done since the last sync stays readable, and never becomes durable.
    pub(super) fn forget_pending(&mut self) {
        self.pending.clear();
    }

    /// What will be left is all there is.
    pub(super) fn fall_back(&mut self) {
        self.pending.clear();
        self.now.clone_from(&self.durable);
        self.space = self.now.len() as u64;
    }

    /// Space that writing a range takes beyond what it has.
    pub(super) fn growth(&self, range: &Range<u64>) -> u64 {
        range.end.saturating_sub(self.space)
    }
}

/// Does to bytes what was done to a file.
pub(super) fn apply(bytes: &mut Vec<u8>, change: Change) {
    match change {
        Change::Write { offset, bytes: part } => put(bytes, offset, &part),
        Change::Size(size) => bytes.resize(size, 0),
    }
}

fn put(into: &mut Vec<u8>, offset: usize, part: &[u8]) {
    let end = offset + part.len();
    if into.len() < end {
        into.resize(end, 0);
    }
    into[offset..end].copy_from_slice(part);
}
