//! A copy of a replica's log that is kept outside of it.

use std::{collections::VecDeque, fmt};

use mesh_log::record::{HardState, Record};

/// Terms and checksums of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShadowLog {
    cut: (u64, u64),
    entries: VecDeque<(u64, u32)>,
    state: HardState,
    removed: bool,
}

impl ShadowLog {
    /// The entry at an index: its term, and its checksum.
    #[must_use]
    pub fn entry(&self, index: u64) -> Option<(u64, u32)> {
        let at = index.checked_sub(self.cut.0 + 1)?;
        self.entries.get(at as usize).copied()
    }

    /// The term at an index, if the log still says so.
    #[must_use]
    pub fn term(&self, index: u64) -> Option<u64> {
        if index == self.cut.0 { Some(self.cut.1) } else { self.entry(index).map(|(term, _)| term) }
    }

    /// What it begins behind: index and term.
    #[must_use]
    pub fn cut(&self) -> (u64, u64) {
        self.cut
    }

    /// The index of the last entry.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.cut.0 + self.entries.len() as u64
    }

    /// Term, vote and commit.
    #[must_use]
    pub fn state(&self) -> HardState {
        self.state
    }

    /// Whether the replica was removed.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.removed
    }

    /// Does what writing a record does.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Entry { entry, .. } => {
                self.removed = false;
                let at = entry.index.saturating_sub(self.cut.0 + 1) as usize;
                self.entries.truncate(at);
                self.entries.push_back((entry.term, entry.payload.crc() ^ entry.kind as u32));
            }
            Record::State { state, .. } => {
                self.removed = false;
                self.state = *state;
            }
            Record::Cut { index, term, .. } => self.cut_at(*index, *term),
            Record::Removed { .. } => {
                self.removed = true;
                self.entries.clear();
                self.cut = (0, 0);
            }
        }
    }

    fn cut_at(&mut self, index: u64, term: u64) {
        self.removed = false;
        if index < self.cut.0 {
            return;
        }
        if self.term(index) == Some(term) {
            self.entries.drain(..(index - self.cut.0) as usize);
        } else {
            self.entries.clear();
        }
        self.cut = (index, term);
    }
}

impl fmt::Display for ShadowLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, cut at {} (term {})", self.state, self.cut.0, self.cut.1)?;
        if self.removed {
            f.write_str(", removed")?;
        }
        let mut index = self.cut.0;
        let mut last = 0;
        for (term, _) in &self.entries {
            index += 1;
            if *term != last {
                write!(f, ", from {index} term {term}")?;
                last = *term;
            }
        }
        write!(f, ", last {index}")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use bytes::Bytes;
    use mesh_log::{
        id::GroupId,
        payload::Payload,
        record::{Entry, EntryKind},
    };

    use super::*;

    fn entry(index: u64, term: u64) -> Record {
        let payload = Payload::new(Bytes::copy_from_slice(&[index as u8, term as u8]));
        Record::Entry { group: GroupId(1), entry: Entry { term, index, kind: EntryKind::Commands, payload } }
    }

    pub(crate) fn log(terms: &[u64]) -> ShadowLog {
        let mut log = ShadowLog::default();
        (1..).zip(terms).for_each(|(index, term)| log.apply(&entry(index, *term)));
        log
    }

    #[test]
    fn an_entry_takes_the_place_of_all_from_its_index_on() {
        let mut log = log(&[1, 1, 1]);
        log.apply(&entry(2, 2));
        assert_eq!((log.last(), log.term(1), log.term(2), log.term(3)), (2, Some(1), Some(2), None));
    }

    #[test]
    fn a_cut_keeps_what_fits_and_nothing_else() {
        let cut = |index, term| Record::Cut { group: GroupId(1), index, term };
        let mut kept = log(&[1, 1, 2]);
        kept.apply(&cut(2, 1));
        assert_eq!((kept.cut(), kept.last(), kept.term(3)), ((2, 1), 3, Some(2)));
        kept.apply(&cut(1, 1));
        assert_eq!(kept.cut(), (2, 1), "an older one says nothing new");
        for (index, term) in [(2, 2), (7, 3)] {
            let mut gone = log(&[1, 1, 2]);
            gone.apply(&cut(index, term));
            assert_eq!((gone.cut(), gone.last()), ((index, term), index));
        }
    }
}
