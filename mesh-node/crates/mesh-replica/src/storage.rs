//! A group's log in memory, as the crate `raft` reads it.
//!
//! ```text
//!   cut (index, term) │ cut + 1 … last
//!   in a checkpoint   │ entries with their bytes; where they stand on disk, once that is known
//! ```
//! Raft sees entries without their bytes: it clones them freely, and (index, term) is handle enough to find the bytes again.

use std::{cell::RefCell, collections::BTreeSet, collections::VecDeque};

use mesh_log::{
    location::Location,
    record::{Entry, EntryKind, HardState},
};
use raft::{
    GetEntriesContext, RaftState, Storage, StorageError,
    eraftpb::{self, EntryType, Snapshot, SnapshotMetadata},
};

use crate::{id::NodeNumber, members::Members};

/// What an entry takes in memory beside its bytes, about.
pub(crate) const ENTRY_OVERHEAD_BYTES: usize = 128;

/// An entry, and where its bytes stand on disk.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) entry: Entry,
    pub(crate) location: Option<Location>,
}

/// The log of a group from its cut on.
#[derive(Debug)]
pub(crate) struct LogStore {
    cut: (u64, u64),
    held: VecDeque<Held>,
    bytes: usize,
    state: HardState,
    members: Members,
    message_bytes_max: usize,
    offer: Option<SnapshotMetadata>,
    wanted: RefCell<BTreeSet<NodeNumber>>,
}

impl LogStore {
    pub(crate) fn new(cut: (u64, u64), state: HardState, members: Members, message_bytes_max: usize) -> Self {
        Self {
            cut,
            held: VecDeque::new(),
            bytes: 0,
            state,
            members,
            message_bytes_max,
            offer: None,
            wanted: RefCell::default(),
        }
    }

    pub(crate) fn cut(&self) -> (u64, u64) {
        self.cut
    }

    pub(crate) fn last(&self) -> u64 {
        self.cut.0 + self.held.len() as u64
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The entry at an index.
    pub(crate) fn get(&self, index: u64) -> Option<&Held> {
        let at = index.checked_sub(self.cut.0 + 1)?;
        self.held.get(usize::try_from(at).ok()?)
    }

    /// The term at an index from the cut to the last one.
    pub(crate) fn term_at(&self, index: u64) -> Option<u64> {
        if index == self.cut.0 { Some(self.cut.1) } else { self.get(index).map(|held| held.entry.term) }
    }

    /// Puts an entry in its place; everything from there on goes.
    pub(crate) fn append(&mut self, entry: Entry, location: Option<Location>) {
        assert!(
            entry.index > self.cut.0 && entry.index <= self.last() + 1,
            "entry {} between {} and {}",
            entry.index,
            self.cut.0,
            self.last()
        );
        while self.last() >= entry.index {
            self.pop_back();
        }
        self.bytes += entry.payload.len() + ENTRY_OVERHEAD_BYTES;
        self.held.push_back(Held { entry, location });
    }

    fn pop_back(&mut self) {
        if let Some(held) = self.held.pop_back() {
            self.bytes -= held.entry.payload.len() + ENTRY_OVERHEAD_BYTES;
        }
    }

    /// Says where an entry stands, when it is still that one.
    pub(crate) fn locate(&mut self, index: u64, term: u64, location: Location) {
        let Some(at) = index.checked_sub(self.cut.0 + 1).and_then(|at| usize::try_from(at).ok()) else {
            return;
        };
        if let Some(held) = self.held.get_mut(at).filter(|held| held.entry.term == term) {
            held.location = Some(location);
        }
    }

    /// Forgets what is at and below an index that is applied and in a checkpoint.
    pub(crate) fn compact(&mut self, index: u64) {
        while self.cut.0 < index {
            let Some(held) = self.held.pop_front() else { return };
            self.bytes -= held.entry.payload.len() + ENTRY_OVERHEAD_BYTES;
            self.cut = (held.entry.index, held.entry.term);
        }
    }

    /// A snapshot takes the place of everything.
    pub(crate) fn reset(&mut self, cut: (u64, u64)) {
        self.cut = cut;
        self.held.clear();
        self.bytes = 0;
        self.offer = None;
    }

    /// What may be offered to followers that are too far behind.
    pub(crate) fn set_offer(&mut self, offer: Option<SnapshotMetadata>) {
        self.offer = offer;
    }

    /// Who was found to need a snapshot since this was last asked.
    pub(crate) fn take_wanted(&self) -> BTreeSet<NodeNumber> {
        std::mem::take(&mut self.wanted.borrow_mut())
    }

    pub(crate) fn any_wanted(&self) -> bool {
        !self.wanted.borrow().is_empty()
    }
}

/// An entry as raft sees it: without its bytes.
pub(crate) fn handle_of(entry: &Entry) -> eraftpb::Entry {
    let mut handle = eraftpb::Entry { term: entry.term, index: entry.index, ..eraftpb::Entry::default() };
    handle.set_entry_type(match entry.kind {
        EntryKind::Commands => EntryType::EntryNormal,
        EntryKind::Members => EntryType::EntryConfChangeV2,
    });
    handle
}

/// What raft's entry is to us.
pub(crate) fn kind_of(entry: &eraftpb::Entry) -> EntryKind {
    match entry.get_entry_type() {
        EntryType::EntryNormal => EntryKind::Commands,
        EntryType::EntryConfChange | EntryType::EntryConfChangeV2 => EntryKind::Members,
    }
}

impl Storage for LogStore {
    fn initial_state(&self) -> raft::Result<RaftState> {
        let state =
            eraftpb::HardState { term: self.state.term, vote: self.state.vote, commit: self.state.commit };
        Ok(RaftState::new(state, self.members.to_conf_state()))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        _max_size: impl Into<Option<u64>>,
        context: GetEntriesContext,
    ) -> raft::Result<Vec<eraftpb::Entry>> {
        if low <= self.cut.0 {
            return Err(StorageError::Compacted.into());
        }
        // Raft counts the bytes of handles. What goes to a follower is bounded by what goes with it.
        let bounded = context.can_async();
        let mut bytes = 0;
        let mut entries = Vec::new();
        for index in low..high {
            let Some(held) = self.get(index) else { return Err(StorageError::Unavailable.into()) };
            bytes += held.entry.payload.len();
            if bounded && bytes > self.message_bytes_max && !entries.is_empty() {
                break;
            }
            entries.push(handle_of(&held.entry));
        }
        Ok(entries)
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        if index < self.cut.0 {
            return Err(StorageError::Compacted.into());
        }
        self.term_at(index).ok_or_else(|| StorageError::Unavailable.into())
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.cut.0 + 1)
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.last())
    }

    fn snapshot(&self, request_index: u64, to: u64) -> raft::Result<Snapshot> {
        // One from before the cut would be of no use: what comes behind it is not here any more.
        let usable =
            self.offer.as_ref().filter(|offer| offer.index >= request_index && offer.index >= self.cut.0);
        let Some(offer) = usable else {
            self.wanted.borrow_mut().insert(NodeNumber(to));
            return Err(StorageError::SnapshotTemporarilyUnavailable.into());
        };
        Ok(Snapshot { metadata: Some(offer.clone()), ..Snapshot::default() })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mesh_log::payload::Payload;

    use super::*;

    fn entry(index: u64, term: u64, bytes: usize) -> Entry {
        Entry { term, index, kind: EntryKind::Commands, payload: Payload::new(Bytes::from(vec![7; bytes])) }
    }

    fn store(entries: &[(u64, u64, usize)]) -> LogStore {
        let mut store = LogStore::new((4, 2), HardState::default(), Members::default(), 100);
        for (index, term, bytes) in entries {
            store.append(entry(*index, *term, *bytes), None);
        }
        store
    }

    fn indices(entries: &[eraftpb::Entry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.index).collect()
    }

    #[test]
    fn an_entry_takes_the_place_of_what_follows_it() {
        let mut store = store(&[(5, 2, 10), (6, 2, 10), (7, 3, 10)]);
        store.append(entry(6, 4, 30), None);
        assert_eq!((store.last(), store.term_at(6), store.term_at(7)), (6, Some(4), None));
        assert_eq!(store.bytes(), 10 + 30 + 2 * ENTRY_OVERHEAD_BYTES);
    }

    #[test]
    fn compacting_keeps_the_term_before_the_first_entry() {
        let mut store = store(&[(5, 2, 10), (6, 3, 10)]);
        store.compact(5);
        assert_eq!((store.cut(), store.term(5).unwrap(), store.term(6).unwrap()), ((5, 2), 2, 3));
        assert!(store.term(4).is_err());
        store.compact(9);
        assert_eq!((store.cut(), store.last(), store.bytes()), ((6, 3), 6, 0));
    }

    #[test]
    fn a_message_is_bounded_by_bytes_that_raft_does_not_see() {
        for (sizes, expected) in [([50, 50, 1], vec![5, 6]), ([50, 51, 1], vec![5]), ([101, 1, 1], vec![5])] {
            let store = store(&[(5, 2, sizes[0]), (6, 2, sizes[1]), (7, 2, sizes[2])]);
            let got = store.entries(5, 8, None, GetEntriesContext::empty(true)).unwrap();
            assert_eq!(indices(&got), expected, "{sizes:?}");
            let whole = store.entries(5, 8, None, GetEntriesContext::empty(false)).unwrap();
            assert_eq!(indices(&whole), [5, 6, 7], "what is applied is not bounded here");
        }
    }

    #[test]
    fn raft_gets_entries_without_bytes() {
        let store = store(&[(5, 2, 50)]);
        let got = store.entries(5, 6, None, GetEntriesContext::empty(true)).unwrap();
        assert!(got[0].data.is_empty());
    }

    #[test]
    fn a_snapshot_from_before_the_cut_is_not_offered() {
        let mut store = store(&[(5, 2, 1), (6, 2, 1)]);
        let offer = |index| Some(SnapshotMetadata { index, term: 2, ..SnapshotMetadata::default() });
        store.set_offer(offer(4));
        assert!(store.snapshot(0, 3).is_ok());
        store.compact(5);
        assert!(store.snapshot(0, 3).is_err());
        assert_eq!(store.take_wanted(), BTreeSet::from([NodeNumber(3)]));
        store.set_offer(offer(5));
        assert_eq!(store.snapshot(5, 3).unwrap().get_metadata().index, 5);
        assert!(store.snapshot(6, 3).is_err());
    }

    #[test]
    fn a_location_is_that_of_the_entry_that_was_written() {
        let mut store = store(&[(5, 2, 1)]);
        let at = |offset| Location { file: mesh_log::id::FileId(1), offset, len: 1, crc: 0 };
        store.locate(5, 3, at(1));
        assert_eq!(store.get(5).unwrap().location, None);
        store.locate(5, 2, at(2));
        assert_eq!(store.get(5).unwrap().location, Some(at(2)));
    }
}
