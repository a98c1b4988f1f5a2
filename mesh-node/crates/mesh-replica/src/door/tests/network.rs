//! Three replicas, and a network that loses, doubles and reorders, by a seed.

use std::collections::BTreeMap;

use raft::{
    Config, RawNode, StateRole,
    eraftpb::{self, MessageType},
    storage::MemStorage,
};

use super::subject::{from_raw, look_at};
use crate::{
    door::{Refusal, check},
    id::NodeNumber,
    members::Members,
};

/// The xorshift generator of Marsaglia: good enough to choose, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// What went wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Entries that don't follow what they are said to follow were sent.
    Malformed,
    /// Two replicas have committed different entries under one index.
    Diverged(u64),
    /// An entry was committed that no majority had written.
    NoQuorum(u64),
}

/// What stands between the network and raft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Between {
    /// Nothing.
    Nothing,
    /// Malformed messages end the run where they are sent.
    Look,
    /// The door.
    Door,
}

/// A run: how many entries were committed, or what went wrong first.
pub(super) struct Network {
    batch_append: bool,
    nodes: Vec<RawNode<MemStorage>>,
    flying: Vec<eraftpb::Message>,
    random: Random,
    committed: BTreeMap<u64, (u64, Vec<u8>)>,
    proposed: u64,
    between: Between,
    /// What the door did not let in.
    pub(super) refused: Vec<Refusal>,
}

impl Network {
    pub(super) fn new(seed: u64, batch_append: bool, between: Between) -> Self {
        let node = |id| start(id, MemStorage::new_with_conf_state((vec![1, 2, 3], vec![])), batch_append);
        Self {
            batch_append,
            nodes: (1..=3).map(node).collect(),
            flying: Vec::new(),
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            committed: BTreeMap::new(),
            proposed: 0,
            between,
            refused: Vec::new(),
        }
    }

    pub(super) fn run(&mut self, steps: usize) -> Result<usize, Wrong> {
        for _ in 0..steps {
            let at = self.random.below(3) as usize;
            if self.between == Between::Door && self.random.one_in(400) {
                self.restart(at);
            }
            match self.random.below(10) {
                0 => {
                    let id = self.nodes[at].raft.id as usize;
                    let timeout = 10 + (self.random.below(7) as usize + id) % 10;
                    self.nodes[at].raft.set_randomized_election_timeout(timeout);
                    self.nodes[at].tick();
                }
                1 | 2 => self.propose(at),
                3..=7 => self.deliver(),
                _ => self.ready(at)?,
            }
        }
        Ok(self.committed.len())
    }

    fn propose(&mut self, at: usize) {
        // More than one at a time, as when commands come in between.
        for _ in 0..=self.random.below(3) {
            if self.nodes[at].raft.state == StateRole::Leader {
                self.proposed += 1;
                let data = self.proposed.to_le_bytes().to_vec();
                drop(self.nodes[at].propose(Vec::new(), data));
            }
        }
    }

    fn deliver(&mut self) {
        if self.flying.is_empty() {
            return;
        }
        let at = self.random.below(self.flying.len() as u64) as usize;
        let message =
            if self.random.one_in(10) { self.flying[at].clone() } else { self.flying.swap_remove(at) };
        if self.random.one_in(8) {
            return;
        }
        let to = message.to as usize - 1;
        if self.between == Between::Door {
            let members = Members::of_voters([1, 2, 3].map(NodeNumber));
            let raft = from_raw(&message);
            let verdict =
                look_at(&self.nodes[to], message.to, &members, false, |facts| check(facts, raft.from, &raft));
            if let Err(refusal) = verdict {
                return self.refused.push(refusal);
            }
        }
        drop(self.nodes[to].step(message));
    }

    /// The process ends and begins again with what it has on disk.
    fn restart(&mut self, at: usize) {
        let storage = self.nodes[at].store().clone();
        self.nodes[at] = start(at as u64 + 1, storage, self.batch_append);
    }

    fn ready(&mut self, at: usize) -> Result<(), Wrong> {
        let node = &mut self.nodes[at];
        if !node.has_ready() {
            return Ok(());
        }
        let mut ready = node.ready();
        let mut messages = ready.take_messages();
        let mut committed = ready.take_committed_entries();
        let store = node.store().clone();
        store.wl().append(ready.entries()).unwrap();
        if let Some(state) = ready.hs() {
            store.wl().set_hardstate(state.clone());
        }
        messages.extend(ready.take_persisted_messages());
        let mut light = node.advance(ready);
        if let Some(commit) = light.commit_index() {
            store.wl().mut_hard_state().commit = commit;
        }
        messages.extend(light.take_messages());
        committed.extend(light.take_committed_entries());
        node.advance_apply();
        for message in messages {
            if self.between == Between::Look && message.get_msg_type() == MessageType::MsgAppend {
                let indices = message.entries.iter().map(|entry| entry.index);
                if !indices.eq(message.index + 1..=message.index + message.entries.len() as u64) {
                    return Err(Wrong::Malformed);
                }
            }
            self.flying.push(message);
        }
        committed.into_iter().try_for_each(|entry| self.commit(entry))
    }

    fn commit(&mut self, entry: eraftpb::Entry) -> Result<(), Wrong> {
        let this = (entry.term, entry.data);
        if let Some(other) = self.committed.get(&entry.index) {
            return if *other == this { Ok(()) } else { Err(Wrong::Diverged(entry.index)) };
        }
        let has = |node: &&RawNode<MemStorage>| {
            raft::Storage::term(node.store(), entry.index).is_ok_and(|term| term == this.0)
        };
        if self.nodes.iter().filter(has).count() < 2 {
            return Err(Wrong::NoQuorum(entry.index));
        }
        self.committed.insert(entry.index, this);
        Ok(())
    }
}

fn start(id: u64, storage: MemStorage, batch_append: bool) -> RawNode<MemStorage> {
    let config = Config {
        id,
        election_tick: 10,
        heartbeat_tick: 2,
        pre_vote: true,
        check_quorum: true,
        max_inflight_msgs: 8,
        max_size_per_msg: 64,
        batch_append,
        ..Config::default()
    };
    let logger = slog::Logger::root(slog::Discard, slog::o!());
    let mut node = RawNode::new(&config, storage, &logger).unwrap();
    // Its own choice is not of the seed.
    node.raft.set_randomized_election_timeout(10 + id as usize * 3);
    node
}
