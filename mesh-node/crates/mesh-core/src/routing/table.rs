//! The routing table as a value.

use std::sync::Arc;

use mesh_wire::name::Name;
use mesh_wire::subject::{Pattern, first_token};

use super::hash::HashKey;
use super::hash_trie::HashTrie;
use super::interest::{Interest, Member};
use super::token_trie::{Found, TokenTrie};
use super::version::{Scope, Versions};
use super::{Mode, Routes, Stamp, Target};

/// Who wants which subjects.
///
/// A clone is an immutable snapshot that shares everything with its origin and can go to another thread. A change
/// costs time in the logarithm of the number of patterns and of the members of its pattern.
///
/// A subscription has one pattern, one mode and at most one group; the table holds what it is told and does not
/// check that. The number of entries is bounded by the links' limits, not here.
#[derive(Clone)]
pub struct Table {
    key: HashKey,
    exact: HashTrie<Interest>,
    wild: TokenTrie,
    groups: HashTrie<GroupName>,
    versions: Versions,
    len: usize,
}

/// A group's name, kept once however many members name it.
#[derive(Clone)]
struct GroupName {
    name: Arc<str>,
    members: usize,
}

impl Table {
    /// An empty table that hashes under `seed`, which should be secret: see ADR 0010.
    pub fn new(seed: u64) -> Self {
        Self {
            key: HashKey::new(seed),
            exact: HashTrie::default(),
            wild: TokenTrie::default(),
            groups: HashTrie::default(),
            versions: Versions::default(),
            len: 0,
        }
    }

    /// Adds a subscription; false, and no change, when the very same is there already.
    pub fn insert(&mut self, pattern: &Pattern, target: Target, mode: Mode, group: Option<&Name>) -> bool {
        let member = Member { mode, group: group.map(|group| self.hold_group(group)), target };
        let text = pattern.as_str();
        let inserted = if pattern.is_wildcard() {
            self.wild.insert(&self.key, text, member)
        } else {
            let hash = self.key.hash32(text.as_bytes());
            self.exact.get_or_insert_with(hash, text, Interest::default).insert(member)
        };
        if inserted {
            self.len += 1;
            self.versions.changed(scope(&self.key, pattern));
        } else if let Some(group) = group {
            self.release_group(group);
        }
        inserted
    }

    /// Takes a subscription away as it was added; false, and no change, when it is not there.
    pub fn remove(&mut self, pattern: &Pattern, target: Target, mode: Mode, group: Option<&Name>) -> bool {
        let member = match group.map(|group| self.group_name(group)) {
            None => Member { mode, group: None, target },
            Some(Some(name)) => Member { mode, group: Some(name), target },
            // Nobody is in this group.
            Some(None) => return false,
        };
        let text = pattern.as_str();
        let removed = if pattern.is_wildcard() {
            self.wild.remove(&self.key, text, &member)
        } else {
            self.remove_exact(text, &member)
        };
        if removed {
            self.len -= 1;
            self.versions.changed(scope(&self.key, pattern));
            if let Some(group) = group {
                self.release_group(group);
            }
        }
        removed
    }

    /// Everyone who wants `subject`, which must be well formed.
    pub fn lookup(&self, subject: &str) -> Routes {
        let mut found = Found::new();
        if let Some(interest) = self.exact.get(self.key.hash32(subject.as_bytes()), subject) {
            found.push(interest);
        }
        if !self.wild.is_empty() {
            self.wild.find(&self.key, subject, &mut found);
        }
        Routes::of(&found)
    }

    /// Grows by one with each change.
    #[inline]
    pub fn version(&self) -> u64 {
        self.versions.current()
    }

    /// What routes of `subject` that are looked up now can later be checked by.
    pub fn stamp(&self, subject: &str) -> Stamp {
        self.versions.stamp(self.key.hash32(first_token(subject).as_bytes()))
    }

    /// The stamp brought up to this version, if nothing changed in between that could concern its subject: the
    /// routes found then are the routes of now. Only for stamps of this table and its earlier versions.
    #[inline]
    pub fn refresh(&self, stamp: Stamp) -> Option<Stamp> {
        self.versions.refresh(stamp)
    }

    /// How many subscriptions there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn remove_exact(&mut self, text: &str, member: &Member) -> bool {
        let hash = self.key.hash32(text.as_bytes());
        let Some(interest) = self.exact.get_mut(hash, text) else { return false };
        let removed = interest.remove(member);
        if interest.is_nobody() {
            self.exact.remove(hash, text);
        }
        removed
    }

    /// The shared text of `group`, counted once more.
    fn hold_group(&mut self, group: &Name) -> Arc<str> {
        let text = group.as_str();
        let new = || GroupName { name: text.into(), members: 0 };
        let held = self.groups.get_or_insert_with(self.key.hash32(text.as_bytes()), text, new);
        held.members += 1;
        Arc::clone(&held.name)
    }

    fn release_group(&mut self, group: &Name) {
        let text = group.as_str();
        let hash = self.key.hash32(text.as_bytes());
        let Some(held) = self.groups.get_mut(hash, text) else { return };
        held.members -= 1;
        if held.members == 0 {
            self.groups.remove(hash, text);
        }
    }

    fn group_name(&self, group: &Name) -> Option<Arc<str>> {
        let text = group.as_str();
        self.groups.get(self.key.hash32(text.as_bytes()), text).map(|held| Arc::clone(&held.name))
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table")
            .field("version", &self.version())
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

fn scope(key: &HashKey, pattern: &Pattern) -> Scope {
    match pattern.literal_first_token() {
        Some(token) => Scope::FirstToken(key.hash32(token.as_bytes())),
        None => Scope::Everything,
    }
}
