//! From what is so to what is told: differences, joined until they are read.

use std::collections::{BTreeMap, VecDeque};

use mesh_wire::code::Code;

use crate::{
    error::Trouble,
    event::{Event, Left},
    peer::{Key, Peer},
};

/// Most peers that are kept.
pub const PEERS_MAX: usize = 4096;
/// Most things that were left out and not yet told of; further ones are only counted.
pub const IGNORED_MAX: usize = 16;

/// What is so, what was told of it, and so what is to be told. Holds two lists of peers at most, however slowly it is
/// read.
#[derive(Debug, Default)]
pub struct Feed {
    /// What is so; none until it is known for the first time.
    current: Option<BTreeMap<Key, Peer>>,
    /// What whoever reads this has been told; none before the snapshot.
    told: Option<BTreeMap<Key, Peer>>,
    /// Where the two may differ, and how sure it is if a peer is gone.
    dirty: BTreeMap<Key, Left>,
    ignored: VecDeque<(String, Trouble)>,
    ignored_count: u64,
    lease_lost: bool,
    trouble: Option<Trouble>,
    registered: bool,
    recovered: bool,
}

impl Feed {
    /// Input: these are all, as of now. What is gone is gone for a reason of this kind.
    pub fn handle_all(&mut self, peers: impl IntoIterator<Item = Peer>, gone: Left) {
        let mut all = BTreeMap::new();
        for peer in peers {
            all.insert(peer.key(), peer);
            if all.len() > PEERS_MAX {
                all.pop_last();
                self.handle_ignored("", too_many());
            }
        }
        let before = self.current.replace(all).unwrap_or_default();
        let all = self.current.iter().flatten();
        let changed = all.filter(|(key, peer)| before.get(key) != Some(peer)).map(|(key, _)| key.clone());
        self.dirty.extend(changed.map(|key| (key, gone)).collect::<Vec<_>>());
        for (key, _) in before {
            if self.current.as_ref().is_none_or(|all| !all.contains_key(&key)) {
                self.dirty.insert(key, gone);
            }
        }
    }

    /// Input: this one is so from now on.
    pub fn handle_peer(&mut self, peer: Peer) {
        let key = peer.key();
        let Some(current) = &mut self.current else { return };
        if current.get(&key) == Some(&peer) {
            return;
        }
        current.insert(key.clone(), peer);
        self.dirty.insert(key, Left::Hint);
        if current.len() > PEERS_MAX {
            if let Some((key, _)) = current.pop_last() {
                self.dirty.insert(key, Left::Hint);
            }
            self.handle_ignored("", too_many());
        }
    }

    /// Input: this one is gone.
    pub fn handle_gone(&mut self, key: &Key, how: Left) {
        let Some(current) = &mut self.current else { return };
        if current.remove(key).is_some() {
            self.dirty.insert(key.clone(), how);
        }
    }

    /// Input: something was left out.
    pub fn handle_ignored(&mut self, key: &str, why: Trouble) {
        self.ignored_count += 1;
        if self.ignored.len() < IGNORED_MAX && self.ignored.back().is_none_or(|(last, _)| last != key) {
            self.ignored.push_back((key.to_owned(), why));
        }
    }

    /// Input: something keeps this from getting younger.
    pub fn handle_trouble(&mut self, trouble: Trouble) {
        self.recovered = false;
        self.trouble = Some(trouble);
    }

    /// Input: that is over.
    pub fn handle_recovered(&mut self) {
        self.recovered = true;
    }

    /// Input: this node is registered, or not any more.
    pub fn handle_registered(&mut self, registered: bool) {
        self.registered = registered;
        self.lease_lost |= !registered;
    }

    /// Output: what to tell next.
    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some(trouble) = self.trouble.take() {
            return Some(Event::Trouble(trouble));
        }
        if std::mem::take(&mut self.lease_lost) {
            return Some(Event::LeaseLost);
        }
        if let Some((key, why)) = self.ignored.pop_front() {
            return Some(Event::Ignored { key, why });
        }
        if let Some(event) = self.poll_peer() {
            return Some(event);
        }
        if self.told.is_some() && std::mem::take(&mut self.registered) {
            return Some(Event::Registered);
        }
        std::mem::take(&mut self.recovered).then_some(Event::Recovered)
    }

    /// Whether there is something to tell; false may still be followed by nothing.
    #[must_use]
    pub fn has_event(&self) -> bool {
        let whole = self.current.is_some() && self.told.is_none();
        let registered = self.registered && self.current.is_some();
        let marks = self.lease_lost || registered || self.recovered || self.trouble.is_some();
        marks || whole || !self.dirty.is_empty() || !self.ignored.is_empty()
    }

    /// What is so.
    pub fn peers(&self) -> impl Iterator<Item = &Peer> {
        self.current.iter().flat_map(BTreeMap::values)
    }

    /// How many things were left out, ever.
    #[must_use]
    pub fn ignored_count(&self) -> u64 {
        self.ignored_count
    }

    fn poll_peer(&mut self) -> Option<Event> {
        let current = self.current.as_ref()?;
        let Some(told) = &mut self.told else {
            self.dirty.clear();
            self.told = Some(current.clone());
            return Some(Event::Snapshot(current.values().cloned().collect()));
        };
        while let Some((key, how)) = self.dirty.pop_first() {
            match current.get(&key) {
                None if told.remove(&key).is_some() => return Some(Event::Left { peer: key, how }),
                None => {}
                Some(peer) => match told.insert(key, peer.clone()) {
                    None => return Some(Event::Joined(peer.clone())),
                    Some(before) if before != *peer => return Some(Event::Changed(peer.clone())),
                    Some(_) => {}
                },
            }
        }
        None
    }
}

fn too_many() -> Trouble {
    Trouble { code: Code::DiscoveryTooManyNodes, text: format!("more than {PEERS_MAX} peers") }
}

#[cfg(test)]
mod tests;
