//! One set of the cache: the few entries among which a subject's hash leaves the choice.

use std::rc::Rc;

use crate::routing::{Routes, Stamp};

/// Entries of a set.
pub(super) const WAYS: usize = 8;

pub(super) struct Entry {
    pub(super) subject: Box<str>,
    pub(super) routes: Rc<Routes>,
    pub(super) stamp: Stamp,
}

#[derive(Default)]
pub(super) struct Set {
    tags: [u32; WAYS],
    /// One bit per way: used since the hand came by.
    used: u8,
    /// The way that is asked first for its place.
    hand: u8,
    pub(super) entries: [Option<Entry>; WAYS],
}

impl Set {
    #[inline]
    pub(super) fn position(&self, tag: u32, subject: &[u8]) -> Option<usize> {
        // All tags at once: a loop that ends at the right way would be mispredicted with each new subject.
        let mut same = 0u8;
        for (way, other) in self.tags.iter().enumerate() {
            same |= u8::from(*other == tag) << way;
        }
        while same != 0 {
            let way = same.trailing_zeros() as usize;
            if self.entries[way].as_ref().is_some_and(|entry| entry.subject.as_bytes() == subject) {
                return Some(way);
            }
            same &= same - 1;
        }
        None
    }

    #[inline]
    pub(super) fn touch(&mut self, way: usize) {
        self.used |= 1 << way;
    }

    pub(super) fn len(&self) -> usize {
        self.entries.iter().flatten().count()
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.iter().all(Option::is_some)
    }

    /// Puts an entry into a free way, or else in the place of one that was not used since the hand last came by.
    /// Gives the way and what had to leave.
    pub(super) fn insert(&mut self, tag: u32, entry: Entry) -> (usize, Option<Entry>) {
        let free = self.entries.iter().position(Option::is_none);
        let way = free.unwrap_or_else(|| self.second_chance());
        self.tags[way] = tag;
        (way, self.entries[way].replace(entry))
    }

    /// Takes out all entries but the one at `spared`.
    pub(super) fn drain_except(&mut self, spared: Option<usize>) -> impl Iterator<Item = Entry> {
        let ways = self.entries.iter_mut().enumerate();
        ways.filter_map(move |(way, entry)| if Some(way) == spared { None } else { entry.take() })
    }

    pub(super) fn into_entries(self) -> impl Iterator<Item = Entry> {
        self.entries.into_iter().flatten()
    }

    fn second_chance(&mut self) -> usize {
        loop {
            let way = usize::from(self.hand);
            self.hand = (self.hand + 1) % WAYS as u8;
            let bit = 1 << way;
            if self.used & bit == 0 {
                return way;
            }
            self.used &= !bit;
        }
    }
}
