//! The match cache: subjects that were looked up already, with their routes.
//!
//! One cache belongs to one thread that reads messages. A hit allocates nothing, takes no lock, and proves that the
//! subject is well formed and not reserved, because nothing else gets in.
//!
//! ```text
//!  subject ─► same as the last one? ─► hash ─► set of 8 ─► entry ─► stamp of now? ─────────► routes
//!                                               │            └─ older: did its first token change?
//!                                               │                        no ─► restamp ─► routes
//!                                               └─ none: check, look up in the table ◄─ yes
//! ```
//!
//! Bounds: [`CACHE_SUBJECTS`] entries and [`CACHE_TARGETS`] targets in all their routes; the cache begins small and
//! doubles as it fills. A full set gives up the first entry that was not used since it was last asked.

mod set;

use std::rc::Rc;

use mesh_wire::subject::{Subject, SubjectError};

use self::set::{Entry, Set, WAYS};
use crate::routing::hash::HashKey;
use crate::routing::{Routes, Table};

/// Most subjects in one cache, by default.
pub const CACHE_SUBJECTS: usize = 16_384;
/// Most targets in the routes of one cache together, by default: 4 MiB of them.
pub const CACHE_TARGETS: usize = 262_144;

/// How many sets an empty cache has.
const SETS_MIN: usize = 16;

/// See the module.
pub struct MatchCache {
    key: HashKey,
    /// A power of two of them, at most `sets_max`.
    sets: Vec<Set>,
    sets_max: usize,
    targets: usize,
    targets_max: usize,
    /// The entry that was used last: publishers repeat themselves.
    last: Place,
    /// The set that is emptied next when there are too many targets.
    hand: usize,
    /// What most unknown subjects have.
    nobody: Rc<Routes>,
    misses: u64,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    set: usize,
    way: usize,
}

impl MatchCache {
    /// A cache with the default bounds. `seed` should be secret: see ADR 0010.
    pub fn new(seed: u64) -> Self {
        Self::with_bounds(seed, CACHE_SUBJECTS, CACHE_TARGETS)
    }

    /// A cache of at most `subjects` entries, rounded down to a power of two and up to 8, and of at most `targets`
    /// targets in all their routes together. Routes of more targets than that are kept alone.
    pub fn with_bounds(seed: u64, subjects: usize, targets: usize) -> Self {
        let sets_max = 1 << (subjects / WAYS).max(1).ilog2();
        Self {
            key: HashKey::new(seed),
            sets: new_sets(SETS_MIN.min(sets_max)),
            sets_max,
            targets: 0,
            targets_max: targets,
            last: Place::default(),
            hand: 0,
            nobody: Rc::default(),
            misses: 0,
        }
    }

    /// The routes of `subject` in `table`, which must always be the same table in versions that don't go back.
    ///
    /// # Errors
    /// What is wrong with the subject; [`SubjectError::Reserved`] for a well-formed one that belongs to the node.
    #[inline]
    pub fn lookup(&mut self, table: &Table, subject: &[u8]) -> Result<&Rc<Routes>, SubjectError> {
        let place =
            if self.is_current(self.last, table, subject) { self.last } else { self.find(table, subject)? };
        Ok(self.entry(place).map_or(&self.nobody, |entry| &entry.routes))
    }

    /// How many subjects are in the cache.
    pub fn len(&self) -> usize {
        self.sets.iter().map(Set::len).sum()
    }

    /// Whether no subject is in the cache.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many targets the routes in the cache name together.
    pub fn targets(&self) -> usize {
        self.targets
    }

    /// How many lookups went to the table, since the cache was made.
    pub fn misses(&self) -> u64 {
        self.misses
    }

    #[inline]
    fn is_current(&self, place: Place, table: &Table, subject: &[u8]) -> bool {
        self.is_of(place, table) && self.entry(place).is_some_and(|entry| entry.subject.as_bytes() == subject)
    }

    /// Whether the entry at `place` was last checked against this version of the table.
    #[inline]
    fn is_of(&self, place: Place, table: &Table) -> bool {
        self.entry(place).is_some_and(|entry| entry.stamp.version() == table.version())
    }

    #[inline]
    fn entry(&self, place: Place) -> Option<&Entry> {
        self.sets[place.set].entries[place.way].as_ref()
    }

    #[inline]
    fn find(&mut self, table: &Table, subject: &[u8]) -> Result<Place, SubjectError> {
        let hash = self.key.hash(subject);
        let set = self.set_of(hash);
        let way = self.sets[set].position(tag_of(hash), subject);
        let place = match way {
            Some(way) => {
                // Only a second use counts: subjects that come once must not push out those that come often.
                self.sets[set].touch(way);
                let place = Place { set, way };
                if !self.is_of(place, table) {
                    self.revalidate(table, place);
                }
                place
            }
            None => self.insert(table, Subject::check_unreserved(subject)?, hash),
        };
        self.last = place;
        Ok(place)
    }

    /// Brings the entry at `place` up to the version of `table`.
    #[cold]
    fn revalidate(&mut self, table: &Table, place: Place) {
        let Some(entry) = &mut self.sets[place.set].entries[place.way] else { return };
        if let Some(stamp) = table.refresh(entry.stamp) {
            entry.stamp = stamp;
            return;
        }
        self.misses += 1;
        self.targets -= entry.routes.targets();
        let routes = table.lookup(&entry.subject);
        self.targets += routes.targets();
        entry.routes = shared(routes, &self.nobody);
        entry.stamp = table.stamp(&entry.subject);
        self.shed_targets(place);
    }

    #[cold]
    fn insert(&mut self, table: &Table, subject: &str, hash: u64) -> Place {
        self.misses += 1;
        let routes = table.lookup(subject);
        self.targets += routes.targets();
        let entry = Entry {
            subject: subject.into(),
            routes: shared(routes, &self.nobody),
            stamp: table.stamp(subject),
        };
        while self.sets.len() < self.sets_max && self.sets[self.set_of(hash)].is_full() {
            self.grow();
        }
        let set = self.set_of(hash);
        let (way, evicted) = self.sets[set].insert(tag_of(hash), entry);
        self.targets -= evicted.map_or(0, |entry| entry.routes.targets());
        let place = Place { set, way };
        self.shed_targets(place);
        place
    }

    fn grow(&mut self) {
        let doubled = new_sets(self.sets.len() * 2);
        let old = std::mem::replace(&mut self.sets, doubled);
        for entry in old.into_iter().flat_map(Set::into_entries) {
            let hash = self.key.hash(entry.subject.as_bytes());
            let set = self.set_of(hash);
            // Eight entries of one set go to two sets of eight, so nothing is evicted.
            self.sets[set].insert(tag_of(hash), entry);
        }
    }

    /// Empties set after set until the targets are within their bound; the entry at `kept` stays.
    fn shed_targets(&mut self, kept: Place) {
        for _ in 0..self.sets.len() {
            if self.targets <= self.targets_max {
                return;
            }
            self.hand = (self.hand + 1) % self.sets.len();
            let spared = (self.hand == kept.set).then_some(kept.way);
            for entry in self.sets[self.hand].drain_except(spared) {
                self.targets -= entry.routes.targets();
            }
        }
    }

    #[inline]
    fn set_of(&self, hash: u64) -> usize {
        hash as usize & (self.sets.len() - 1)
    }
}

impl std::fmt::Debug for MatchCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MatchCache")
            .field("len", &self.len())
            .field("targets", &self.targets)
            .field("misses", &self.misses)
            .finish_non_exhaustive()
    }
}

fn new_sets(count: usize) -> Vec<Set> {
    std::iter::repeat_with(Set::default).take(count).collect()
}

/// The half of the hash that does not choose the set.
#[inline]
fn tag_of(hash: u64) -> u32 {
    (hash >> 32) as u32
}

fn shared(routes: Routes, nobody: &Rc<Routes>) -> Rc<Routes> {
    if routes.is_empty() { Rc::clone(nobody) } else { Rc::new(routes) }
}

#[cfg(test)]
mod tests;
