//! The interest of one peer, as far as it was told.

use std::collections::BTreeMap;

use super::{Change, Entry, InterestId, Update};

/// Most that is kept of one peer's interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Interests.
    pub entries: usize,
    /// Bytes of patterns and groups, with 16 for each interest.
    pub bytes: usize,
}

/// A change of the routing table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// The peer wants this now.
    Insert(Entry),
    /// It stands for another number of subscriptions now.
    Weight(Entry),
    /// The peer does not want this any more.
    Remove(Entry),
}

/// What an update did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The table follows; then all up to the number is to be acknowledged, when there is one.
    Routes {
        /// Changes of the table.
        routes: Vec<Route>,
        /// All up to here is known; `None` in the midst of the whole.
        upto: Option<u64>,
    },
    /// Something is missing: ask for the whole. What was told is not taken up.
    Gap,
    /// The whole was asked for already, and this is not it.
    Waiting,
}

/// The peer wants more than it may: its link can't go on, and [`Remote::drain`] says what leaves the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the peer's interest has over {entries} patterns or {bytes} bytes", entries = .0.entries, bytes = .0.bytes)]
pub struct Flood(pub Bounds);

/// See the [module](super). One for each link with a peer.
#[derive(Debug)]
pub struct Remote {
    bounds: Bounds,
    entries: BTreeMap<InterestId, Held>,
    bytes: usize,
    state: State,
    round: u64,
    /// Taken out by the update that was too much, and still in the table.
    untold: Vec<Entry>,
}

#[derive(Debug)]
struct Held {
    entry: Entry,
    /// The telling of the whole in which it was named last.
    round: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The whole comes by itself on a new link, or was asked for.
    Waiting,
    Parts {
        at: u64,
        upto: InterestId,
    },
    Upto(u64),
}

impl Remote {
    /// A peer that told nothing yet.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            entries: BTreeMap::new(),
            bytes: 0,
            state: State::Waiting,
            round: 0,
            untold: Vec::new(),
        }
    }

    /// Takes up what the peer tells.
    ///
    /// # Errors
    /// [`Flood`] beyond the bounds: the link with the peer can't go on.
    pub fn handle(&mut self, update: Update) -> Result<Told, Flood> {
        let next = match (self.state, update.part) {
            (_, Some(part)) if part.is_first() => {
                self.round += 1;
                State::Parts { at: update.to, upto: part.upto }
            }
            (State::Parts { at, upto }, Some(part)) if at == update.to && upto == part.after => {
                State::Parts { at, upto: part.upto }
            }
            (State::Upto(upto), None) if upto == update.from && update.to >= upto => State::Upto(update.to),
            (State::Waiting, _) => return Ok(Told::Waiting),
            _ => {
                self.state = State::Waiting;
                return Ok(Told::Gap);
            }
        };
        self.state = next;
        let mut routes = Vec::new();
        for change in update.changes {
            match change {
                Change::Set(entry) => self.set(entry, &mut routes),
                Change::Gone(id) => routes.extend(self.take(id).map(Route::Remove)),
            }
        }
        if let (State::Parts { at, .. }, Some(part)) = (self.state, update.part)
            && part.last
        {
            self.drop_unnamed(&mut routes);
            self.state = State::Upto(at);
        }
        // Looked at in the end, so that the order within an update does not matter; an update is no larger than a frame.
        if self.entries.len() > self.bounds.entries || self.bytes > self.bounds.bytes {
            let removed = routes.into_iter().filter_map(|route| match route {
                Route::Remove(entry) => Some(entry),
                Route::Insert(_) | Route::Weight(_) => None,
            });
            self.untold.extend(removed);
            return Err(Flood(self.bounds));
        }
        let upto = if let State::Upto(upto) = self.state { Some(upto) } else { None };
        Ok(Told::Routes { routes, upto })
    }

    /// The peer is gone: all that it wanted is to be taken out of the table, as far as it is in there.
    pub fn drain(&mut self) -> impl Iterator<Item = Entry> + use<> {
        self.state = State::Waiting;
        self.bytes = 0;
        let held = std::mem::take(&mut self.entries).into_values().map(|held| held.entry);
        held.chain(std::mem::take(&mut self.untold))
    }

    /// How many interests it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What they count for, see [`Bounds::bytes`].
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn set(&mut self, entry: Entry, routes: &mut Vec<Route>) {
        if let Some(held) = self.entries.get_mut(&entry.id) {
            held.round = self.round;
            if held.entry == entry {
                return;
            }
            if held.entry.key == entry.key {
                held.entry.weight = entry.weight;
                routes.push(Route::Weight(entry));
                return;
            }
        }
        // A peer that gives a number to something else has at least told us of it.
        routes.extend(self.take(entry.id).map(Route::Remove));
        self.bytes += entry.key.bytes();
        self.entries.insert(entry.id, Held { entry: entry.clone(), round: self.round });
        routes.push(Route::Insert(entry));
    }

    fn take(&mut self, id: InterestId) -> Option<Entry> {
        let held = self.entries.remove(&id)?;
        self.bytes -= held.entry.key.bytes();
        Some(held.entry)
    }

    /// What the whole did not name is not wanted any more.
    fn drop_unnamed(&mut self, routes: &mut Vec<Route>) {
        let round = self.round;
        let gone: Vec<_> =
            self.entries.iter().filter(|(_, held)| held.round != round).map(|(id, _)| *id).collect();
        for id in gone {
            routes.extend(self.take(id).map(Route::Remove));
        }
    }
}
