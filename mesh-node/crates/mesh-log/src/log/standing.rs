//! What a log knows of a group while it writes: enough to say at the front of each file where the group stands.

use crate::{id::GroupId, record::HardState, wal::item::Item};

/// Where a group stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    pub(crate) state: HardState,
    pub(crate) cut: (u64, u64),
    pub(crate) removed: bool,
    pub(crate) suspect: bool,
    /// Index and term of the last entry; of the cut when there is none behind it.
    pub(crate) last: (u64, u64),
    /// Where each term begins among the entries behind the cut: (index, term), rising.
    pub(crate) terms: Vec<(u64, u64)>,
}

impl Standing {
    pub(crate) fn handle_item(&mut self, item: &Item) {
        match *item {
            Item::Entry { term, index, .. } => self.handle_entry(index, term),
            Item::State { state, .. } => {
                self.removed = false;
                self.state = state;
            }
            Item::Cut { index, term, .. } => self.handle_cut(index, term),
            Item::Removed { .. } => {
                *self = Self { state: self.state, removed: true, ..Self::default() };
            }
            Item::Standing { last, removed, suspect, .. } => {
                (self.last, self.removed, self.suspect) = (last, removed, suspect);
            }
        }
    }

    fn handle_entry(&mut self, index: u64, term: u64) {
        self.removed = false;
        while self.terms.last().is_some_and(|(first, _)| *first >= index) {
            self.terms.pop();
        }
        if self.terms.last().is_none_or(|(_, last)| *last != term) {
            self.terms.push((index, term));
        }
        self.last = (index, term);
    }

    fn handle_cut(&mut self, index: u64, term: u64) {
        self.removed = false;
        if index <= self.cut.0 {
            return;
        }
        // What a snapshot brought is all that there is: whatever was missing before is not missed any more.
        if index > self.last.0 || self.term(index) != Some(term) {
            (self.last, self.suspect) = ((index, term), false);
            self.terms.clear();
        } else {
            let begun = self.terms.iter().rposition(|(first, _)| *first <= index + 1).unwrap_or(0);
            self.terms.drain(..begun);
        }
        self.cut = (index, term);
    }

    /// The term of the entry at an index behind the cut.
    fn term(&self, index: u64) -> Option<u64> {
        self.terms.iter().rev().find(|(first, _)| *first <= index).map(|(_, term)| *term)
    }

    /// Puts down all of it.
    pub(crate) fn items(&self, group: GroupId) -> [Item; 3] {
        [
            Item::State { group, state: self.state },
            Item::Cut { group, index: self.cut.0, term: self.cut.1 },
            Item::Standing { group, last: self.last, removed: self.removed, suspect: self.suspect },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: GroupId = GroupId(1);

    fn entry(index: u64, term: u64) -> Item {
        let kind = crate::record::EntryKind::Commands;
        Item::Entry { group: GROUP, term, index, kind, len: 0, crc: 0 }
    }

    fn after(items: &[Item]) -> Standing {
        let mut standing = Standing::default();
        items.iter().for_each(|item| standing.handle_item(item));
        standing
    }

    #[test]
    fn entries_take_the_place_of_those_behind() {
        let standing = after(&[entry(1, 1), entry(2, 1), entry(3, 2), entry(2, 3)]);
        assert_eq!((standing.last, standing.terms), ((2, 3), vec![(1, 1), (2, 3)]));
    }

    #[test]
    fn a_cut_keeps_what_is_behind_it_only_in_its_history() {
        let cut = |index, term| Item::Cut { group: GROUP, index, term };
        let entries = [entry(1, 1), entry(2, 1), entry(3, 2), entry(4, 2)];
        for (cut, last, terms) in [
            (cut(2, 1), (4, 2), vec![(3, 2)]),
            (cut(3, 2), (4, 2), vec![(3, 2)]),
            (cut(4, 2), (4, 2), vec![(3, 2)]),
            (cut(2, 2), (2, 2), vec![]),
            (cut(4, 3), (4, 3), vec![]),
            (cut(5, 2), (5, 2), vec![]),
        ] {
            let items: Vec<Item> = entries.into_iter().chain([cut]).collect();
            let standing = after(&items);
            assert_eq!((standing.last, standing.terms), (last, terms), "{cut:?}");
        }
    }

    #[test]
    fn a_removed_group_keeps_its_state_alone_and_may_come_back() {
        let state = HardState { term: 5, vote: 2, commit: 1 };
        let items = [entry(1, 1), Item::State { group: GROUP, state }, Item::Removed { group: GROUP }];
        let standing = after(&items);
        assert_eq!(standing, Standing { state, removed: true, ..Standing::default() });
        let back = after(&[&items[..], &[Item::Cut { group: GROUP, index: 7, term: 5 }]].concat());
        assert_eq!((back.removed, back.last, back.state), (false, (7, 5), state));
    }
}
