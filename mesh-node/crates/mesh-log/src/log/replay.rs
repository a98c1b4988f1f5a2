//! What the records of a log come to. Pure.
//!
//! Not all files of a log are there: those that nobody needs any more are gone, in any order, and parts may be damaged.
//! So it is not holes that matter but what a group needs and lacks. A hole in a group's entries counts only as long as no
//! cut is behind it, and what was in a block that can't be read only until the next file says where all groups stand.

use std::collections::{BTreeMap, BTreeSet};

use super::{recovered::RecoveredGroup, standing::Standing};
use crate::{
    id::{FileId, GroupId},
    location::Location,
    payload::Payload,
    record::{Entry, HardState},
    wal::item::Item,
};

/// All groups while a log is read from front to back.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    groups: BTreeMap<GroupId, Group>,
    blind: bool,
}

#[derive(Debug, Default)]
struct Group {
    state: HardState,
    cut: (u64, u64),
    removed: bool,
    suspect: bool,
    /// Index and term of what is before the first of `entries`. The term is 0 where it is not known.
    floor: (u64, u64),
    entries: Vec<(Entry, Location)>,
    /// What stood before the first hole that no cut has closed, and the last index of the last such hole.
    hole: Option<(Vec<(Entry, Location)>, u64)>,
}

impl Replay {
    /// Takes a record in; `payload` is none where it is damaged.
    pub(crate) fn handle_item(&mut self, file: FileId, item: &Item, at: u64, payload: Option<&Payload>) {
        let group = self.groups.entry(item.group()).or_default();
        match *item {
            Item::Entry { term, index, .. } => {
                let entry = payload.and_then(|payload| super::scan::entry_of(file, item, at, payload));
                group.handle_entry(index, term, entry);
            }
            Item::State { state, .. } => {
                group.removed = false;
                group.state = state;
            }
            Item::Cut { index, term, .. } => group.handle_cut(index, term),
            Item::Removed { .. } => {
                *group = Group { state: group.state, removed: true, ..Group::default() };
            }
            Item::Standing { last, removed, suspect, .. } => group.handle_standing(last, removed, suspect),
        }
    }

    /// Something can't be read: from here on it is not known what was said of any group.
    pub(crate) fn handle_damage(&mut self) {
        self.blind = true;
    }

    /// The first block of a file names all groups that there are, and what it says of them is all that counts: what was
    /// read before may have been cut off by a file that is gone.
    pub(crate) fn handle_start<'a>(&mut self, file: FileId, items: impl Iterator<Item = &'a Item> + Clone) {
        let named: BTreeSet<GroupId> = items.clone().map(Item::group).collect();
        self.groups.retain(|id, _| named.contains(id));
        for item in items {
            if let Item::Cut { group, index, term } = *item {
                let group = self.groups.entry(group).or_default();
                if index < group.cut.0 {
                    *group = Group { cut: (index, term), floor: (index, term), ..Group::default() };
                }
            }
            self.handle_item(file, item, 0, None);
        }
        self.blind = false;
    }

    /// Up to where a group needs nothing; all of it when it was removed.
    pub(crate) fn covered(&self, group: GroupId) -> u64 {
        self.groups.get(&group).map_or(0, |group| if group.removed { u64::MAX } else { group.cut.0 })
    }

    /// Groups that have lost something, whatever was not known of whom.
    pub(crate) fn known_losers(&self) -> BTreeSet<GroupId> {
        let loses = |group: &Group| {
            let lacks = group.hole.as_ref().is_some_and(|(_, last)| *last > group.cut.0);
            group.suspect || lacks
        };
        self.groups.iter().filter(|(_, group)| loses(group)).map(|(id, _)| *id).collect()
    }

    /// What it came to, and whether that may be less than was promised without it being known of whom.
    pub(crate) fn finish(self) -> (BTreeMap<GroupId, RecoveredGroup>, BTreeMap<GroupId, Standing>, bool) {
        let blind = self.blind;
        let groups: BTreeMap<_, _> =
            self.groups.into_iter().map(|(id, group)| (id, group.finish(blind))).collect();
        let standing = groups.iter().map(|(id, group)| (*id, standing_of(group))).collect();
        (groups, standing, blind)
    }
}

fn standing_of(group: &RecoveredGroup) -> Standing {
    let mut standing = Standing { cut: group.cut, last: group.cut, ..Standing::default() };
    for (entry, _) in &group.entries {
        standing.last = (entry.index, entry.term);
        if standing.terms.last().is_none_or(|(_, term)| *term != entry.term) {
            standing.terms.push((entry.index, entry.term));
        }
    }
    Standing { state: group.state, removed: group.removed, suspect: group.suspect, ..standing }
}

impl Group {
    fn last(&self) -> (u64, u64) {
        self.entries.last().map_or(self.floor, |(entry, _)| (entry.index, entry.term))
    }

    /// Drops the entries from an index on.
    fn truncate(&mut self, index: u64) {
        if index > self.floor.0 {
            let keep = usize::try_from(index - self.floor.0 - 1).unwrap_or(usize::MAX);
            self.entries.truncate(keep);
            return;
        }
        // Inside the hole or before it: what stood before comes back.
        self.entries.clear();
        if let Some((before, _)) = self.hole.take() {
            let first = before.first().map_or(self.cut, |(entry, _)| (entry.index.saturating_sub(1), 0));
            let reached = before.last().map_or(first, |(entry, _)| (entry.index, entry.term));
            if index <= reached.0 + 1 {
                (self.floor, self.entries) = (first, before);
                self.truncate(index.max(first.0 + 1));
            } else {
                self.floor = (index - 1, 0);
                self.hole = Some((before, index - 1));
            }
        } else {
            self.floor = (index.saturating_sub(1), 0);
        }
    }

    /// Everything up to an index is missing.
    fn handle_hole(&mut self, last: (u64, u64)) {
        let before = std::mem::take(&mut self.entries);
        let before = self.hole.take().map_or(before, |(earlier, _)| earlier);
        self.hole = Some((before, last.0));
        self.floor = last;
    }

    fn handle_entry(&mut self, index: u64, term: u64, entry: Option<(Entry, Location)>) {
        self.removed = false;
        if index <= self.cut.0 {
            return;
        }
        if index <= self.last().0 {
            self.truncate(index);
        }
        if index > self.last().0 + 1 {
            self.handle_hole((index - 1, 0));
        }
        match entry {
            Some(entry) => self.entries.push(entry),
            None => self.handle_hole((index, term)),
        }
    }

    fn handle_cut(&mut self, index: u64, term: u64) {
        self.removed = false;
        if index <= self.cut.0 {
            return;
        }
        self.cut = (index, term);
        if index < self.floor.0 {
            // The hole ends behind it.
            return;
        }
        let at = index - self.floor.0;
        let known = match at.checked_sub(1) {
            None => Some(self.floor.1).filter(|known| *known != 0).or(Some(term)),
            Some(at) => {
                let entry = usize::try_from(at).ok().and_then(|at| self.entries.get(at));
                entry.map(|(entry, _)| entry.term)
            }
        };
        if known == Some(term) {
            self.entries.drain(..usize::try_from(at).unwrap_or(0));
        } else {
            // A snapshot came: it is all that there is.
            self.entries.clear();
            self.suspect = false;
        }
        self.floor = (index, term);
        self.hole = None;
    }

    fn handle_standing(&mut self, last: (u64, u64), removed: bool, suspect: bool) {
        if removed {
            *self = Self { state: self.state, removed: true, ..Self::default() };
            return;
        }
        (self.removed, self.suspect) = (false, suspect);
        if let Some((before, _)) = &mut self.hole
            && let Some(at) = before.iter().position(|(entry, _)| (entry.index, entry.term) == last)
        {
            // What is behind the hole was given up on purpose when the file was begun.
            before.truncate(at + 1);
            let first = before.first().map_or(self.cut, |(entry, _)| (entry.index - 1, 0));
            self.entries = std::mem::take(before);
            (self.floor, self.hole) = (first, None);
        }
        if self.last().0 > last.0 {
            self.truncate(last.0 + 1);
        }
        if self.last().0 != last.0 || self.last().1 != last.1 && self.last().1 != 0 {
            self.handle_hole(last);
        }
    }

    fn finish(self, blind: bool) -> RecoveredGroup {
        let known = self.last().0;
        let Self { state, cut, removed, suspect, entries, hole, .. } = self;
        let (entries, missing) = match hole {
            Some((before, last)) if last > cut.0 => (before, true),
            _ => (entries, false),
        };
        let mut entries = entries;
        entries.retain(|(entry, _)| entry.index > cut.0);
        // A cut inside what stood before a hole leaves a rest that begins behind it; anything else begins elsewhere.
        if entries.first().is_some_and(|(entry, _)| entry.index != cut.0 + 1) {
            entries.clear();
        }
        let last = entries.last().map_or(cut.0, |(entry, _)| entry.index);
        let lost = missing.then_some((last + 1, known));
        RecoveredGroup { state, cut, removed, suspect: suspect || missing || blind, lost, entries }
    }
}

#[cfg(test)]
mod tests;
