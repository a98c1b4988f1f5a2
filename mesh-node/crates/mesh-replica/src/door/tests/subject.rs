//! A real replica behind the door: raft with its log in memory.

use bytes::Bytes;
use mesh_log::{
    id::GroupId,
    payload::Payload,
    record::{Entry, EntryKind},
};
use raft::{
    Config, GetEntriesContext, RawNode, StateRole, Storage,
    eraftpb::{self, EntryType, MessageType},
    storage::MemStorage,
};

use crate::{
    door::{Admit, Facts, Refusal, Role, Terms, check, check_offer},
    id::NodeNumber,
    members::Members,
    message::{Offer, Raft},
};

/// The node whose replica it is.
pub(super) const OWN: u64 = 1;

/// A replica, and what of it is not durable yet.
pub(super) struct Subject {
    pub(super) raw: RawNode<MemStorage>,
    members: Members,
    pub(super) is_new: bool,
    unpersisted: Vec<u64>,
    /// The last snapshot.
    snapshot: u64,
}

struct LogTerms<'a>(&'a raft::RaftLog<MemStorage>);

impl Terms for LogTerms<'_> {
    fn term(&self, index: u64) -> Option<u64> {
        let known = (self.0.first_index() - 1..=self.0.last_index()).contains(&index);
        if known { self.0.term(index).ok() } else { None }
    }
}

impl Subject {
    /// A follower in term 3 with entries up to 8, of which 5 are committed and 3 compacted, in a group of three.
    pub(super) fn follower() -> Self {
        let storage = MemStorage::new_with_conf_state((vec![1, 2, 3], vec![4]));
        let entries: Vec<eraftpb::Entry> = (1..=8).map(|index| raw_entry(index, 1 + index / 4)).collect();
        {
            let mut core = storage.wl();
            core.append(&entries).unwrap();
            core.set_hardstate(eraftpb::HardState { term: 3, vote: 0, commit: 5 });
            core.compact(4).unwrap();
        }
        Self::with(storage, 5, false)
    }

    /// One that was never anywhere.
    pub(super) fn fresh() -> Self {
        Self::with(MemStorage::new_with_conf_state((vec![1, 2, 3], vec![4])), 0, true)
    }

    fn with(storage: MemStorage, applied: u64, is_new: bool) -> Self {
        let config = Config {
            id: OWN,
            applied,
            election_tick: 10,
            heartbeat_tick: 3,
            pre_vote: true,
            check_quorum: true,
            max_inflight_msgs: 4,
            max_size_per_msg: 1_000,
            ..Config::default()
        };
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let raw = RawNode::new(&config, storage, &logger).unwrap();
        let members = Members {
            voters: [1, 2, 3].map(NodeNumber).into(),
            learners: [4].map(NodeNumber).into(),
            ..Members::default()
        };
        Self { raw, members, is_new, unpersisted: Vec::new(), snapshot: 0 }
    }

    /// Stands for election, without asking before.
    pub(super) fn candidate() -> Self {
        let mut subject = Self::follower();
        subject.raw.raft.become_candidate();
        subject.ready(true);
        subject
    }

    /// Asks whether it would be elected.
    pub(super) fn pre_candidate() -> Self {
        let mut subject = Self::follower();
        subject.raw.campaign().unwrap();
        subject.ready(true);
        assert_eq!(subject.raw.raft.state, StateRole::PreCandidate);
        subject
    }

    /// Leads.
    pub(super) fn leader() -> Self {
        let mut subject = Self::candidate();
        subject.raw.raft.become_leader();
        subject.ready(true);
        subject
    }

    pub(super) fn look<R>(&self, look: impl FnOnce(&Facts<'_>) -> R) -> R {
        look_at(&self.raw, OWN, &self.members, self.is_new, look)
    }

    /// What the door says.
    pub(super) fn check(&self, message: &Raft) -> Result<Admit, Refusal> {
        self.look(|facts| check(facts, message.from, message))
    }

    /// Gives raft a message, as the host does. What raft answers by an error it has no use for.
    pub(super) fn step(&mut self, message: &Raft, admit: Admit) {
        let mut message = to_raw(message);
        if let Admit::WithCommit(commit) = admit {
            message.commit = commit;
        }
        drop(self.raw.step(message));
    }

    /// Gives raft a snapshot that the door lets in.
    pub(super) fn offer(&mut self, offer: &Offer) -> Result<(), Refusal> {
        self.look(|facts| check_offer(facts, offer.from, offer))?;
        drop(self.raw.step(to_snapshot(offer)));
        Ok(())
    }

    /// Does what raft wants done; what it wants durable is, or is not yet.
    pub(super) fn ready(&mut self, persist: bool) {
        while self.raw.has_ready() {
            let mut ready = self.raw.ready();
            let store = self.raw.store().clone();
            if !ready.snapshot().is_empty() {
                store.wl().apply_snapshot(ready.snapshot().clone()).unwrap();
                self.snapshot = ready.snapshot().get_metadata().index;
            }
            self.apply(ready.take_committed_entries());
            store.wl().append(ready.entries()).unwrap();
            if let Some(state) = ready.hs() {
                store.wl().set_hardstate(state.clone());
            }
            let number = ready.number();
            self.raw.advance_append_async(ready);
            self.unpersisted.push(number);
            if persist {
                self.persist();
            }
        }
    }

    /// All that was written is durable now.
    pub(super) fn persist(&mut self) {
        if let Some(number) = self.unpersisted.drain(..).max() {
            self.raw.on_persist_ready(number);
        }
        if self.snapshot > self.raw.raft.raft_log.applied {
            self.raw.advance_apply_to(self.snapshot);
        }
    }

    /// Time passes. Nobody stands for election before all of its log is durable: raft relies on it.
    pub(super) fn tick(&mut self) {
        let log = &self.raw.raft.raft_log;
        if self.raw.raft.state == StateRole::Leader || log.persisted == log.last_index() {
            self.raw.tick();
        }
    }

    fn apply(&mut self, entries: Vec<eraftpb::Entry>) {
        if let Some(last) = entries.last() {
            self.raw.advance_apply_to(last.index);
        }
    }

    /// Whether what it has stored is what it says that it has.
    pub(super) fn is_sound(&self) -> bool {
        let log = &self.raw.raft.raft_log;
        let stored = self.raw.store().last_index().unwrap();
        let first = self.raw.store().first_index().unwrap();
        let context = GetEntriesContext::empty(false);
        // What it has, when it has nothing, it can't be asked.
        let has = first <= stored;
        let entries =
            if has { self.raw.store().entries(first, stored + 1, None, context) } else { Ok(Vec::new()) };
        let entries = entries.unwrap_or_default();
        log.committed <= log.last_index()
            && log.applied <= log.committed
            && entries
                .windows(2)
                .all(|pair| pair[0].index + 1 == pair[1].index && pair[0].term <= pair[1].term)
    }
}

/// The facts of a replica.
pub(super) fn look_at<R>(
    raw: &RawNode<MemStorage>,
    own: u64,
    members: &Members,
    is_new: bool,
    look: impl FnOnce(&Facts<'_>) -> R,
) -> R {
    let raft = &raw.raft;
    look(&Facts {
        own: NodeNumber(own),
        members,
        role: match raft.state {
            StateRole::Follower => Role::Follower,
            StateRole::PreCandidate => Role::PreCandidate,
            StateRole::Candidate => Role::Candidate,
            StateRole::Leader => Role::Leader,
        },
        term: raft.term,
        leader: (raft.leader_id != 0).then_some(NodeNumber(raft.leader_id)),
        last: raft.raft_log.last_index(),
        persisted: raft.raft_log.persisted,
        commit: raft.raft_log.committed,
        priority: raft.priority,
        is_new,
        terms: &LogTerms(&raft.raft_log),
        is_readable: &|entry| entry.payload.bytes() != &b"unreadable"[..],
    })
}

/// What travels of a message of raft.
pub(super) fn from_raw(message: &eraftpb::Message) -> Raft {
    let entries = message.entries.iter().map(|raw| Entry {
        index: raw.index,
        term: raw.term,
        kind: EntryKind::Commands,
        payload: Payload::new(Bytes::copy_from_slice(&raw.data)),
    });
    Raft {
        group: GroupId(1),
        from: NodeNumber(message.from),
        to: NodeNumber(message.to),
        kind: message.msg_type as u8,
        term: message.term,
        log_term: message.log_term,
        index: message.index,
        commit: message.commit,
        commit_term: message.commit_term,
        reject: message.reject,
        reject_hint: message.reject_hint,
        context: Bytes::copy_from_slice(&message.context),
        entries: entries.collect(),
        priority: message.priority,
        request_snapshot: message.request_snapshot,
    }
}

pub(super) fn raw_entry(index: u64, term: u64) -> eraftpb::Entry {
    eraftpb::Entry { index, term, data: vec![index as u8; 4], ..eraftpb::Entry::default() }
}

pub(super) fn entry(index: u64, term: u64) -> Entry {
    Entry { index, term, kind: EntryKind::Commands, payload: Payload::new(Bytes::from(vec![index as u8; 4])) }
}

/// A message of a kind from node 2 in term 3, with nothing in it.
pub(super) fn message(kind: MessageType) -> Raft {
    Raft {
        group: GroupId(1),
        from: NodeNumber(2),
        to: NodeNumber(OWN),
        kind: kind as u8,
        term: 3,
        log_term: 0,
        index: 0,
        commit: 0,
        commit_term: 0,
        reject: false,
        reject_hint: 0,
        context: Bytes::new(),
        entries: Vec::new(),
        priority: 0,
        request_snapshot: 0,
    }
}

pub(super) fn to_raw(message: &Raft) -> eraftpb::Message {
    let entries = message.entries.iter().map(|entry| {
        let mut raw = raw_entry(entry.index, entry.term);
        raw.data = entry.payload.bytes().to_vec();
        if entry.kind == EntryKind::Members {
            raw.set_entry_type(EntryType::EntryConfChangeV2);
        }
        raw
    });
    eraftpb::Message {
        msg_type: i32::from(message.kind),
        to: message.to.0,
        from: message.from.0,
        term: message.term,
        log_term: message.log_term,
        index: message.index,
        entries: entries.collect(),
        commit: message.commit,
        commit_term: message.commit_term,
        reject: message.reject,
        reject_hint: message.reject_hint,
        context: message.context.to_vec(),
        priority: message.priority,
        request_snapshot: message.request_snapshot,
        ..eraftpb::Message::default()
    }
}

pub(super) fn to_snapshot(offer: &Offer) -> eraftpb::Message {
    let numbers = |set: &std::collections::BTreeSet<NodeNumber>| set.iter().map(|node| node.0).collect();
    let members = &offer.manifest.members;
    let conf_state = eraftpb::ConfState {
        voters: numbers(&members.voters),
        learners: numbers(&members.learners),
        voters_outgoing: numbers(&members.outgoing),
        learners_next: numbers(&members.learners_next),
        auto_leave: false,
    };
    let metadata = eraftpb::SnapshotMetadata {
        conf_state: Some(conf_state),
        index: offer.manifest.index,
        term: offer.manifest.term,
    };
    let mut message = eraftpb::Message {
        from: offer.from.0,
        to: offer.to.0,
        term: offer.term,
        snapshot: Some(eraftpb::Snapshot { data: Default::default(), metadata: Some(metadata) }),
        ..eraftpb::Message::default()
    };
    message.set_msg_type(MessageType::MsgSnapshot);
    message
}
