//! The door, with a real replica behind it: whatever is let in, raft takes without a panic.

use bytes::Bytes;
use mesh_log::{
    id::GroupId,
    payload::Payload,
    record::{Entry, EntryKind},
};
use mesh_replica::{
    door::{self, Admit, Facts, MessageKind, Role, Terms},
    id::NodeNumber,
    members::Members,
    message::Raft,
};
use raft::{
    Config, RawNode, StateRole,
    eraftpb::{Entry as RawEntry, EntryType, HardState, Message, MessageType},
    storage::MemStorage,
};

const OWN: u64 = 1;

struct LogTerms<'a>(&'a raft::RaftLog<MemStorage>);

impl Terms for LogTerms<'_> {
    fn term(&self, index: u64) -> Option<u64> {
        let known = (self.0.first_index() - 1..=self.0.last_index()).contains(&index);
        if known { self.0.term(index).ok() } else { None }
    }
}

struct Replica {
    raw: RawNode<MemStorage>,
    members: Members,
    written: Option<u64>,
}

impl Replica {
    /// In term 3, with entries up to 8, of which 5 are committed.
    fn new() -> Self {
        let storage = MemStorage::new_with_conf_state((vec![1, 2, 3], vec![4]));
        let entries: Vec<RawEntry> = (1..=8).map(|index| raw_entry(index, 1 + index / 4)).collect();
        storage.wl().append(&entries).expect("the log of a replica");
        storage.wl().set_hardstate(HardState { term: 3, vote: 0, commit: 5 });
        let config = Config {
            id: OWN,
            applied: 5,
            election_tick: 10,
            heartbeat_tick: 3,
            pre_vote: true,
            check_quorum: true,
            max_inflight_msgs: 4,
            max_size_per_msg: 1_000,
            ..Config::default()
        };
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let raw = RawNode::new(&config, storage, &logger).expect("a valid configuration");
        let members = Members {
            voters: [1, 2, 3].map(NodeNumber).into(),
            learners: [4].map(NodeNumber).into(),
            ..Members::default()
        };
        Self { raw, members, written: None }
    }

    fn check(&self, message: &Raft) -> Option<Admit> {
        let raft = &self.raw.raft;
        let facts = Facts {
            own: NodeNumber(OWN),
            members: &self.members,
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
            is_new: false,
            terms: &LogTerms(&raft.raft_log),
            is_readable: &|_| true,
        };
        door::check(&facts, message.from, message).ok()
    }

    fn ready(&mut self, persist: bool) {
        while self.raw.has_ready() {
            let mut ready = self.raw.ready();
            let store = self.raw.store().clone();
            let committed = ready.take_committed_entries();
            if let Some(last) = committed.last() {
                self.raw.advance_apply_to(last.index);
            }
            store.wl().append(ready.entries()).expect("entries follow each other");
            if let Some(state) = ready.hs() {
                store.wl().set_hardstate(state.clone());
            }
            self.written = Some(ready.number());
            self.raw.advance_append_async(ready);
            if persist {
                self.persist();
            }
        }
    }

    fn persist(&mut self) {
        if let Some(number) = self.written.take() {
            self.raw.on_persist_ready(number);
        }
    }

    /// Nobody stands for election before all of its log is durable.
    fn tick(&mut self) {
        let log = &self.raw.raft.raft_log;
        if self.raw.raft.state == StateRole::Leader || log.persisted == log.last_index() {
            // Its own choice is not of the input.
            self.raw.raft.set_randomized_election_timeout(12);
            self.raw.tick();
        }
    }
}

fn raw_entry(index: u64, term: u64) -> RawEntry {
    RawEntry { index, term, data: vec![1], ..RawEntry::default() }
}

/// Reads `data` as steps of [`STEP_BYTES`] each: messages with numbers near those that the replica knows, time, writes.
pub fn target(data: &[u8]) {
    run(data);
}

fn run(data: &[u8]) -> Replica {
    let mut replica = Replica::new();
    for step in data.as_chunks::<STEP_BYTES>().0 {
        match step[0] % 8 {
            0 => (0..step[1] % 32).for_each(|_| replica.tick()),
            1 => replica.ready(step[1] % 2 == 0),
            2 => replica.persist(),
            3 if replica.raw.raft.state == StateRole::Leader => {
                // It may have no room for it.
                drop(replica.raw.propose(Vec::new(), vec![1]));
            }
            _ => {
                let message = message(&replica, step);
                if let Some(admit) = replica.check(&message) {
                    let message = to_raw(&message, admit);
                    // What it has no use for it refuses.
                    drop(replica.raw.step(message));
                }
            }
        }
        let log = &replica.raw.raft.raft_log;
        assert!(log.applied <= log.committed && log.committed <= log.last_index());
    }
    replica.ready(true);
    replica
}

/// Bytes of a step.
const STEP_BYTES: usize = 14;

fn message(replica: &Replica, step: &[u8; STEP_BYTES]) -> Raft {
    let log = &replica.raw.raft.raft_log;
    let near = |byte: u8, number: u64| match byte {
        255 => u64::MAX,
        254 => 1 << 48,
        253 => 0,
        byte => number.saturating_add_signed(i64::from(byte.cast_signed()).rem_euclid(9) - 4),
    };
    let number = |byte: u8, at: u64| near(byte, at);
    let index = number(step[4], log.last_index());
    // Mostly what a leader would say that matches.
    let log_term =
        if step[5] < 200 { log.term(index).unwrap_or(0) } else { number(step[5], replica.raw.raft.term) };
    let (mut at, mut term) = (index, log_term.max(1));
    let entries = (0..step[6] % 4).map(|nth| {
        let wild = step[7] >> nth & 1 == 1 && step[8] > 200;
        at = at.wrapping_add(if wild { u64::from(step[8] % 4) } else { 1 });
        term = term.saturating_add(u64::from(step[9] >> nth & 1));
        let kind = if step[10] >> nth & 1 == 1 { EntryKind::Members } else { EntryKind::Commands };
        Entry { index: at, term, kind, payload: Payload::new(Bytes::from_static(b"x")) }
    });
    let kind = if step[1] < 240 {
        MessageKind::ALL[usize::from(step[1]) % MessageKind::ALL.len()] as u8
    } else {
        step[1] - 240
    };
    Raft {
        entries: if kind == MessageKind::Append as u8 { entries.collect() } else { Vec::new() },
        group: GroupId(1),
        from: NodeNumber(u64::from(step[2] % 4 + 1)),
        to: NodeNumber(OWN),
        kind,
        term: number(step[3], replica.raw.raft.term),
        log_term,
        index,
        commit: number(step[11], log.committed),
        commit_term: number(step[12], replica.raw.raft.term),
        reject: step[13] % 2 == 1,
        reject_hint: number(step[13] / 2, log.last_index()),
        context: Bytes::new(),
        priority: i64::from(step[13] % 3) - 1,
        request_snapshot: u64::from(step[13] == 99),
    }
}

fn to_raw(message: &Raft, admit: Admit) -> Message {
    let entries = message.entries.iter().map(|entry| {
        let mut raw = raw_entry(entry.index, entry.term);
        if entry.kind == EntryKind::Members {
            raw.set_entry_type(EntryType::EntryConfChangeV2);
        }
        raw
    });
    let commit = match admit {
        Admit::AsIs => message.commit,
        Admit::WithCommit(commit) => commit,
    };
    Message {
        msg_type: i32::from(message.kind),
        to: message.to.0,
        from: message.from.0,
        term: message.term,
        log_term: message.log_term,
        index: message.index,
        entries: entries.collect(),
        commit,
        commit_term: message.commit_term,
        reject: message.reject,
        reject_hint: message.reject_hint,
        priority: message.priority,
        ..Message::default()
    }
}

/// An election that is won and acknowledged, a follower that gets entries, and one that is told of a later term.
pub fn seeds() -> Vec<Vec<u8>> {
    let kind = |kind: MessageType| {
        MessageKind::ALL.iter().position(|known| *known as u8 == kind as u8).unwrap_or_default() as u8
    };
    // (term, index and commit as they are: 4 away from the lowest.)
    let step =
        |kind: u8, from: u8, term: u8, entries: u8| [7, kind, from, term, 4, 0, entries, 0, 0, 0, 0, 4, 4, 0];
    let time = [0, 31, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let ready = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    use MessageType::{
        MsgAppend, MsgAppendResponse, MsgHeartbeat, MsgRequestPreVoteResponse, MsgRequestVoteResponse,
    };
    let elected = [
        time,
        ready,
        step(kind(MsgRequestPreVoteResponse), 1, 5, 0),
        ready,
        step(kind(MsgRequestVoteResponse), 1, 4, 0),
        ready,
        step(kind(MsgAppendResponse), 1, 4, 0),
        [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ready,
        step(kind(MsgAppendResponse), 1, 4, 0),
    ];
    let follows = [
        step(kind(MsgAppend), 1, 4, 2),
        ready,
        step(kind(MsgHeartbeat), 1, 4, 0),
        step(kind(MsgAppend), 2, 6, 1),
        ready,
    ];
    vec![elected.concat(), follows.concat(), [time, time, ready].concat()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_lead_and_follow() {
        let replicas: Vec<Replica> = seeds().iter().map(|seed| run(seed)).collect();
        let state = |at: usize| (replicas[at].raw.raft.state, replicas[at].raw.raft.raft_log.committed);
        assert_eq!(state(0).0, StateRole::Leader);
        assert!(state(0).1 > 8, "it has committed in its term");
        assert_eq!(replicas[1].raw.raft.raft_log.last_index(), 11);
    }
}
