//! The interest of this node's own clients.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use foldhash::fast::RandomState;

use super::{Change, Entry, InterestId, Key};
use crate::routing::Mode;

/// Changes that are kept for peers that lag. Who lags further is told the whole again.
pub const RECENT_CHANGES: usize = 65_536;

/// See the [module](super).
#[derive(Debug, Default)]
pub struct Local {
    by_key: HashMap<Arc<Key>, InterestId, RandomState>,
    entries: BTreeMap<InterestId, Held>,
    last_id: u32,
    /// The number of the newest change.
    sequence: u64,
    recent: VecDeque<Recent>,
}

/// One of the newest changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recent {
    pub(super) id: InterestId,
    /// Whether there was no such interest before.
    pub(super) is_new: bool,
}

#[derive(Debug)]
struct Held {
    key: Arc<Key>,
    subscriptions: u32,
}

impl Local {
    /// Nobody wants anything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One subscription more. A peer that has acknowledged [`Self::sequence`] as it is then knows of it.
    pub fn add(&mut self, key: Key) {
        let (id, is_new) = match self.by_key.get(&key) {
            Some(&id) => {
                let Some(held) = self.entries.get_mut(&id) else { return };
                held.subscriptions = held.subscriptions.saturating_add(1);
                if !is_weighed(&key) {
                    return;
                }
                (id, false)
            }
            None => {
                // 4 billion different interests outlive any process; to stop is better than to name two alike.
                let Some(next) = self.last_id.checked_add(1) else { return };
                self.last_id = next;
                let (id, key) = (InterestId(next), Arc::new(key));
                self.by_key.insert(Arc::clone(&key), id);
                self.entries.insert(id, Held { key, subscriptions: 1 });
                (id, true)
            }
        };
        self.note(Recent { id, is_new });
    }

    /// One subscription less; nothing when there was none.
    pub fn remove(&mut self, key: &Key) {
        let Some(&id) = self.by_key.get(key) else { return };
        let Some(held) = self.entries.get_mut(&id) else { return };
        held.subscriptions -= 1;
        if held.subscriptions == 0 {
            self.by_key.remove(key);
            self.entries.remove(&id);
        } else if !is_weighed(key) {
            return;
        }
        self.note(Recent { id, is_new: false });
    }

    /// The number of the newest change; 0 before the first.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// How many different interests there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What an interest is, for a message that names it.
    #[must_use]
    pub fn key(&self, id: InterestId) -> Option<&Arc<Key>> {
        self.entries.get(&id).map(|held| &held.key)
    }

    /// How an interest is now.
    pub(super) fn change(&self, id: InterestId) -> Change {
        match self.entries.get(&id) {
            Some(held) => Change::Set(held.entry(id)),
            None => Change::Gone(id),
        }
    }

    /// The interests with an id over `after`.
    pub(super) fn after(&self, after: InterestId) -> impl Iterator<Item = Entry> {
        let beyond = InterestId(after.0.saturating_add(1));
        self.entries.range(beyond..).filter(move |(id, _)| **id > after).map(|(id, held)| held.entry(*id))
    }

    /// The changes behind `number`, oldest first; `None` when they are not all kept any more.
    pub(super) fn since(&self, number: u64) -> Option<impl Iterator<Item = Recent>> {
        let behind = usize::try_from(self.sequence.checked_sub(number)?).ok()?;
        let skip = self.recent.len().checked_sub(behind)?;
        Some(self.recent.range(skip..).copied())
    }

    fn note(&mut self, change: Recent) {
        self.sequence += 1;
        if self.recent.len() == RECENT_CHANGES {
            self.recent.pop_front();
        }
        self.recent.push_back(change);
    }
}

impl Held {
    fn entry(&self, id: InterestId) -> Entry {
        let weight = if is_weighed(&self.key) { self.subscriptions } else { 1 };
        Entry { id, key: Arc::clone(&self.key), weight }
    }
}

/// Whether it matters to others how many subscriptions an interest stands for.
fn is_weighed(key: &Key) -> bool {
    key.mode == Mode::Responder || key.group.is_some()
}
