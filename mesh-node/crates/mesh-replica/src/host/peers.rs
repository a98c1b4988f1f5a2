//! Nodes as a whole: groups that rest are watched by them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mesh_log::id::GroupId;

use super::Host;
use crate::{
    clock::Now,
    id::NodeNumber,
    machine::Machine,
    message::{Beat, Message},
    options::HostOptions,
};

/// The nodes that share groups which rest.
#[derive(Debug, Default)]
pub(super) struct Peers {
    /// When something was last heard, of nodes that are watched.
    heard: BTreeMap<NodeNumber, Duration>,
    down: BTreeSet<NodeNumber>,
    /// The groups that rest, and with whom.
    resting: BTreeMap<GroupId, BTreeSet<NodeNumber>>,
    shared: BTreeMap<NodeNumber, usize>,
    next: Option<Duration>,
}

impl Peers {
    pub(super) fn next(&self) -> Option<Duration> {
        self.next
    }

    pub(super) fn heard(&mut self, peer: NodeNumber, now: Now) {
        if let Some(heard) = self.heard.get_mut(&peer) {
            *heard = now.monotonic;
        }
    }

    pub(super) fn set_up(&mut self, peer: NodeNumber, up: bool, now: Now) {
        if up {
            self.down.remove(&peer);
            self.heard(peer, now);
        } else {
            self.down.insert(peer);
        }
    }

    /// A group rests from now on.
    pub(super) fn rests(
        &mut self,
        group: GroupId,
        peers: &BTreeSet<NodeNumber>,
        now: Now,
        options: &HostOptions,
    ) {
        if self.resting.contains_key(&group) {
            return;
        }
        for peer in peers {
            *self.shared.entry(*peer).or_default() += 1;
            self.heard.entry(*peer).or_insert(now.monotonic);
        }
        if !peers.is_empty() && self.next.is_none() {
            self.next = Some(now.monotonic + options.alive_every);
        }
        self.resting.insert(group, peers.clone());
    }

    /// A group does not rest any more.
    pub(super) fn forget(&mut self, group: GroupId) {
        for peer in self.resting.remove(&group).unwrap_or_default() {
            let Some(count) = self.shared.get_mut(&peer) else { continue };
            *count -= 1;
            if *count == 0 {
                self.shared.remove(&peer);
                self.heard.remove(&peer);
            }
        }
        if self.shared.is_empty() {
            self.next = None;
        }
    }

    /// Nodes that should have been heard of.
    fn silent(&self, now: Now, silence: Duration) -> BTreeSet<NodeNumber> {
        let late = self.heard.iter().filter(|(_, heard)| now.monotonic.saturating_sub(**heard) >= silence);
        late.map(|(peer, _)| *peer)
            .chain(self.down.iter().copied().filter(|peer| self.shared.contains_key(peer)))
            .collect()
    }

    fn resting_with(&self, peer: NodeNumber) -> Vec<GroupId> {
        let with = self.resting.iter().filter(|(_, peers)| peers.contains(&peer));
        with.map(|(group, _)| *group).collect()
    }
}

impl<M: Machine> Host<M> {
    pub(super) fn handle_beats(&mut self, from: NodeNumber, beats: Vec<Beat>, answer: bool) {
        for beat in beats {
            let rested = self.groups.get(&beat.group).is_some_and(crate::group::Group::rests);
            if rested && beat.rests && answer {
                continue;
            }
            self.with(beat.group, |group, work| group.handle_beat(work, from, beat, answer));
        }
    }

    /// Says that this node is there to those that rest on it, and wakes what rests on nodes that are not.
    pub(super) fn watch_peers(&mut self) {
        let now = self.now;
        if self.peers.next.is_none_or(|at| at > now.monotonic) {
            return;
        }
        self.peers.next = Some(now.monotonic + self.options.alive_every);
        for peer in self.peers.shared.keys().copied().collect::<Vec<_>>() {
            self.shared.sends(peer).other.push(Message::Alive);
        }
        for peer in self.peers.silent(now, self.options.alive_silence) {
            for group in self.peers.resting_with(peer) {
                self.with(group, |group, work| group.handle_gone(work, peer));
            }
        }
    }
}
