//! Blocks that count, and of which no later one says that they are durable.

use std::collections::VecDeque;

use crate::{
    id::FileId,
    wal::{ALIGN, block::Header},
};

/// Those at the end of what was read: at most what is appended between two syncs, and the mark behind it.
#[derive(Debug, Default)]
pub(crate) struct Unproven {
    /// Sequence, file and place of each, in order.
    blocks: VecDeque<(u64, FileId, u64)>,
    mark: u64,
}

impl Unproven {
    /// A block counts. What it says was durable when it was written, whatever becomes of itself.
    pub(super) fn handle_block(&mut self, file: FileId, at: u64, header: &Header) {
        self.mark = self.mark.max(header.mark);
        self.blocks.push_back((header.sequence, file, at));
        while self.blocks.front().is_some_and(|(sequence, ..)| *sequence <= self.mark) {
            self.blocks.pop_front();
        }
    }

    /// From where on a file may not be durable. A file is closed in one sync with the first block of the next one: where
    /// that is in doubt, so is the end of the file before.
    pub(crate) fn from(&self, file: FileId, next: Option<FileId>) -> Option<Doubt> {
        let first_of = |file| self.blocks.iter().find(|(_, of, _)| *of == file).map(|(.., at)| *at);
        match (first_of(file), next.and_then(first_of)) {
            (Some(at), _) => Some(Doubt::Block(at)),
            (None, Some(ALIGN)) => Some(Doubt::Footer),
            (None, _) => None,
        }
    }
}

/// Where what may not be durable begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// With a block, at this place.
    Block(u64),
    /// With the footer.
    Footer,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence: u64, mark: u64) -> Header {
        Header { salt: 0, sequence, before: sequence - 1, mark, len: 100, count: 0, ordinal: 0, start: false }
    }

    #[test]
    fn what_the_highest_mark_covers_is_durable() {
        let (one, two, three) = (FileId(1), FileId(2), FileId(3));
        let mut unproven = Unproven::default();
        for (file, at, sequence, mark) in
            [(one, ALIGN, 1, 0), (one, 2 * ALIGN, 2, 1), (two, ALIGN, 3, 1), (two, 2 * ALIGN, 4, 1)]
        {
            unproven.handle_block(file, at, &header(sequence, mark));
        }
        assert_eq!(unproven.from(one, Some(two)), Some(Doubt::Block(2 * ALIGN)));
        assert_eq!(unproven.from(two, None), Some(Doubt::Block(ALIGN)));
        unproven.handle_block(two, 3 * ALIGN, &header(5, 2));
        assert_eq!(unproven.from(one, Some(two)), Some(Doubt::Footer), "closed with what is in doubt");
        unproven.handle_block(two, 4 * ALIGN, &header(6, 3));
        assert_eq!(unproven.from(one, Some(two)), None);
        assert_eq!(unproven.from(two, None), Some(Doubt::Block(2 * ALIGN)));
        unproven.handle_block(three, ALIGN, &header(7, 6));
        assert_eq!(unproven.from(two, Some(three)), Some(Doubt::Footer));
        assert_eq!(unproven.from(three, None), Some(Doubt::Block(ALIGN)), "the last one is never proven");
    }
}
