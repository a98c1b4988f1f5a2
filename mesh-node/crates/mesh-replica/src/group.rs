//! One group: raft, the machine that its committed entries go to, and those who wait for either.
//!
//! ```text
//!   propose ─► waiting ─► entry ─► raft ─┬─► messages ─► followers
//!                                        └─► records ─► durable ─► committed ─► machine ─► answers
//! ```
//! What raft hands out is treated in this order: the log in memory first, then messages, then what is committed.

mod admit;
mod apply;
mod ask;
mod change;
mod install;
mod lead;
mod lost;
mod quarantine;
mod ready;
mod rest;
mod saved;
mod send;
mod step;
mod time;
mod transfer;
pub mod whole;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use mesh_log::{
    id::GroupId,
    location::Location,
    log::RecoveredGroup,
    payload::Payload,
    record::{Entry, HardState, Record},
    rollover::Progress,
};
use raft::{Config, NO_LIMIT, RawNode, ReadOnlyOption, StateRole, eraftpb};

pub(crate) use self::saved::Saved;
use self::{
    ask::Asking, install::Install, lead::Lead, quarantine::Loss, rest::Rest, saved::Saving, time::ShardClock,
};
use crate::{
    host::{GroupStart, OpenError, Work},
    id::{NodeNumber, WriteId},
    machine::Machine,
    members::Members,
    message::Manifest,
    output::Output,
    refused::Refused,
    storage::LogStore,
    view::{Role, View},
};

/// Where a replica is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its first checkpoint is not durable yet: until then it has promised nothing, and takes no part.
    Opening,
    /// It was here before and was removed: files of then are being deleted, and until then it takes no part.
    Clearing,
    /// It takes part.
    Running,
    /// It has lost what it had promised.
    Quarantined,
    /// It was removed; the last of its jobs is under way.
    Removed,
}

/// What of a group is on its way to the disk, in one write.
#[derive(Debug)]
struct Writing {
    id: WriteId,
    /// The last of raft's readies that is durable with it.
    ready: u64,
    /// The term that is durable with it.
    term: u64,
    /// Since when.
    since: std::time::Duration,
    /// What may be said only then.
    messages: Vec<eraftpb::Message>,
    /// The last index in it; 0 when there is no entry in it.
    last: u64,
}

/// A replica of a group.
pub(crate) struct Group<M> {
    id: GroupId,
    own: NodeNumber,
    seed: u64,
    raft: RawNode<LogStore>,
    machine: M,
    phase: Phase,
    members: Members,
    /// Index and term of the last entry that is applied.
    applied: (u64, u64),
    clock: ShardClock,
    /// Bytes of entries that raft knows and the log has not yet.
    incoming: BTreeMap<(u64, u64), Payload>,
    writing: VecDeque<Writing>,
    /// The state that was last given to be written.
    state: HardState,
    durable_term: u64,
    lead: Option<Lead>,
    asking: Asking,
    rest: Rest,
    saving: Saving,
    install: Option<Install>,
    /// What it has lost, while it is in quarantine.
    loss: Loss,
    seen_leader: u64,
    seen_term: u64,
    fetches: usize,
    /// What is offered to followers.
    offered: Option<Manifest>,
    /// It has acknowledged nothing yet, and was not found on disk.
    is_new: bool,
    /// Up to where the log on disk says durably that this group needs nothing of it.
    cut: u64,
    /// Bytes of its log in memory, as they were last counted.
    counted: usize,
}

impl<M> std::fmt::Debug for Group<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").field("id", &self.id).field("phase", &self.phase).finish_non_exhaustive()
    }
}

/// How a group starts, and what is not to be overlooked.
struct Start {
    cut: (u64, u64),
    state: HardState,
    members: Members,
    time_ms: u64,
    quarantined: bool,
    /// The last index that is known to have been committed here, whether it is here or not.
    owed: u64,
}

impl<M: Machine> Group<M> {
    /// Opens a group as it is found. `clears` says that files of its former life are being deleted.
    pub(crate) fn open(work: &mut Work<'_>, start: GroupStart<M>, clears: bool) -> Result<Self, OpenError> {
        let GroupStart { group: id, mut machine, members, checkpoint, recovered } = start;
        let unreadable = |why: String| OpenError::Checkpoint { group: id, why };
        let is_new = checkpoint.is_none()
            && members.is_none()
            && recovered.as_ref().is_none_or(|recovered| recovered.removed);
        let recovered = recovered.unwrap_or_default();
        let saved =
            checkpoint.as_ref().map(Saved::decode).transpose().map_err(|why| unreadable(why.to_string()))?;
        if let Some(saved) = &saved {
            machine.restore(&saved.state).map_err(|why| unreadable(why.to_string()))?;
            saved.restore_lanes(work, id);
        }
        let begins = saved.is_none() && members.is_some();
        let start = start_of(saved.as_ref(), members, &recovered);
        let mut store = LogStore::new(
            start.cut,
            start.state,
            start.members.clone(),
            work.options.bounds.message_bytes_max,
        );
        let mut replayed = Vec::new();
        for (entry, location) in behind_of(saved.as_ref(), &recovered).iter().cloned() {
            if entry.index > start.cut.0 && entry.index == store.last() + 1 {
                store.append(entry, Some(location));
            } else {
                replayed.push((entry, location));
            }
        }
        let applied = start.cut;
        let last = store.last();
        let config = config(work, applied.0);
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let raft = RawNode::new(&config, store, &logger).map_err(|why| unreadable(why.to_string()))?;
        let mut group = Self {
            id,
            own: work.options.own,
            seed: work.options.seed,
            raft,
            machine,
            phase: Phase::Running,
            members: start.members,
            applied,
            clock: ShardClock::new(start.time_ms),
            incoming: BTreeMap::new(),
            writing: VecDeque::new(),
            state: start.state,
            durable_term: start.state.term,
            lead: None,
            asking: Asking::default(),
            rest: Rest::default(),
            saving: Saving::new(applied.0),
            install: None,
            loss: Loss::default(),
            seen_leader: 0,
            seen_term: 0,
            fetches: 0,
            counted: 0,
            offered: None,
            is_new,
            cut: recovered.cut.0,
        };
        if saved.is_some() {
            group.check_lanes(work);
        }
        if work.options.bugs.has(mesh_log::bug::Bug::ApplyTwice) {
            group.replay(work, replayed);
        }
        if start.quarantined {
            group.hold(work, start.owed);
        } else if clears {
            group.phase = Phase::Clearing;
        } else if begins && last <= applied.0 {
            group.phase = Phase::Opening;
            group.save(work);
        } else {
            if saved.is_some() && recovered.cut != start.cut {
                // Its checkpoint came to be durable and its cut did not: what is written from now on goes on from there.
                group.record_cut(work);
            }
            group.begin(work);
        }
        Ok(group)
    }

    /// Takes part from now on.
    fn begin(&mut self, work: &mut Work<'_>) {
        if self.phase == Phase::Opening {
            self.phase = Phase::Running;
            self.record_cut(work);
            work.record(Record::State { group: self.id, state: self.state });
            // Whatever is sent from now on waits for these.
            self.writing.push_back(Writing {
                id: work.write_id(),
                ready: 0,
                term: self.state.term,
                since: work.now.monotonic,
                messages: Vec::new(),
                last: 0,
            });
        }
        if self.phase == Phase::Running && self.alone() {
            // Nobody else could be elected.
            _ = self.raft.campaign();
        }
    }

    /// Writes down that the log is needed only behind what is applied, which a durable checkpoint has.
    fn record_cut(&self, work: &mut Work<'_>) {
        let (index, term) = self.applied;
        work.record(Record::Cut { group: self.id, index, term });
        work.note_cut(self.id, index);
    }

    /// The files of its former life are deleted.
    pub(crate) fn cleared(&mut self, work: &mut Work<'_>) {
        if self.phase == Phase::Clearing {
            self.phase = Phase::Running;
            work.outputs.push(Output::Changed(self.id));
        }
    }

    /// Whether this is the only voter.
    fn alone(&self) -> bool {
        self.members.voters.len() == 1 && self.members.voters.contains(&self.own) && !self.members.is_joint()
    }

    pub(crate) fn machine(&self) -> &M {
        &self.machine
    }

    pub(crate) fn time_ms(&self) -> u64 {
        self.clock.last_ms()
    }

    pub(crate) fn members(&self) -> &Members {
        &self.members
    }

    pub(crate) fn leads(&self) -> bool {
        self.phase == Phase::Running && self.raft.raft.state == StateRole::Leader
    }

    /// Who leads, as far as is known.
    pub(crate) fn leader(&self) -> Option<NodeNumber> {
        (self.raft.raft.leader_id != raft::INVALID_ID).then_some(NodeNumber(self.raft.raft.leader_id))
    }

    pub(crate) fn not_leader(&self) -> Refused {
        if self.phase == Phase::Quarantined {
            Refused::Quarantined
        } else {
            Refused::NotLeader { leader: self.leader() }
        }
    }

    /// The replica goes. Whoever waits is told.
    pub(crate) fn remove(&mut self, work: &mut Work<'_>) {
        self.lose_lead(work);
        self.phase = Phase::Removed;
    }

    /// The term and vote that stay of it when it goes. In quarantine the vote may be another than is known here: it has none
    /// left in this term.
    pub(crate) fn last_vote(&self) -> HardState {
        let quarantined = self.loss.is_some();
        let vote = if quarantined { self.own.0 } else { self.state.vote };
        HardState { vote, commit: 0, ..self.state }
    }

    pub(crate) fn view(&self) -> View {
        let raft = &self.raft.raft;
        let role = match raft.state {
            StateRole::Leader => Role::Leader,
            StateRole::Candidate | StateRole::PreCandidate => Role::Candidate,
            StateRole::Follower if self.members.voters.contains(&self.own) => Role::Follower,
            StateRole::Follower if self.members.outgoing.contains(&self.own) => Role::Follower,
            StateRole::Follower => Role::Learner,
        };
        let last = raft.raft_log.last_index();
        let mut lag = BTreeMap::new();
        if raft.state == StateRole::Leader {
            for (node, progress) in raft.prs().iter().filter(|(node, _)| **node != self.own.0) {
                lag.insert(NodeNumber(*node), last.saturating_sub(progress.matched));
            }
        }
        View {
            leader: self.leader(),
            term: raft.term,
            role,
            members: self.members.clone(),
            first: raft.raft_log.first_index(),
            last,
            persisted: raft.raft_log.persisted,
            commit: raft.raft_log.committed,
            applied: self.applied.0,
            checkpoint: self.saving.durable(),
            lag,
            rests: self.rest.rests(),
            quarantined: self.phase == Phase::Quarantined,
            fetching: self.install.is_some(),
            changing: self.members.is_joint() || self.lead.as_ref().is_some_and(Lead::changes),
            settled: self.is_settled(),
            log_bytes: self.raft.store().bytes(),
            forgot: self.lead.as_ref().map(|lead| lead.lost.members()).unwrap_or_default(),
            damaged: 0,
            lost: 0,
        }
    }

    /// Where an entry that was written stands.
    pub(crate) fn locate(&mut self, index: u64, term: u64, location: Location) {
        self.raft.mut_store().locate(index, term, location);
    }

    /// Bytes of its log in memory: those that were counted before, and those that are to be counted now.
    pub(crate) fn count_log_bytes(&mut self) -> (usize, usize) {
        let now = self.raft.store().bytes();
        (std::mem::replace(&mut self.counted, now), now)
    }

    /// A cut is durable.
    pub(crate) fn note_cut(&mut self, index: u64) {
        self.cut = self.cut.max(index);
    }

    /// How far it is, for the files of the log. `None` as long as it can't be said.
    pub(crate) fn progress(&self) -> Option<Progress> {
        if self.phase == Phase::Quarantined {
            return None;
        }
        let last = self.raft.raft.raft_log.last_index();
        Some(Progress { applied: self.applied.0, last, checkpointed: self.cut.min(self.saving.durable()) })
    }

    /// Whether one more fetch may be under way.
    pub(crate) fn may_fetch(&mut self, max: usize, again: bool) -> bool {
        let may = again || self.fetches < max;
        self.fetches += usize::from(may);
        may
    }

    /// A fetch is over.
    pub(crate) fn fetched(&mut self) {
        self.fetches = self.fetches.saturating_sub(1);
    }

    /// All other members.
    pub(crate) fn peers(&self) -> BTreeSet<NodeNumber> {
        self.members.all().filter(|node| *node != self.own).collect()
    }
}

/// From where a group goes on.
fn start_of(saved: Option<&Saved>, members: Option<Members>, recovered: &RecoveredGroup) -> Start {
    let (cut, at, time_ms) = match (saved, members) {
        (Some(saved), _) => ((saved.index, saved.term), saved.members.clone(), saved.time_ms),
        // The first members are in no entry; so whoever comes later begins with a snapshot, which names them.
        (None, Some(members)) => ((1, 1), members, 0),
        (None, None) => ((0, 0), Members::default(), 0),
    };
    let usable = behind_of(saved, recovered);
    let behind = usable.iter().map(|(entry, _)| entry);
    let last = behind.clone().next_back().map_or(cut.0, |entry| entry.index.max(cut.0));
    let gap = behind.clone().find(|entry| entry.index > cut.0).is_some_and(|entry| entry.index != cut.0 + 1);
    let last_term = behind.clone().next_back().map_or(0, |entry| entry.term).max(cut.1);
    // A replica that was removed has promised nothing any more but its vote.
    let lacks = recovered.state.commit > last
        || gap
        || (saved.is_none() && recovered.cut.0 > cut.0)
        || recovered.cut.0 > last;
    let lost = recovered.suspect || (!recovered.removed && lacks);
    let last = if gap { cut.0 } else { last };
    // A state of quarantine has no commit index: what the log has of entries need not be committed.
    let known = if recovered.state.commit == quarantine::HELD { 0 } else { recovered.state.commit };
    let state = HardState {
        term: recovered.state.term.max(last_term),
        vote: if recovered.state.term >= last_term { recovered.state.vote } else { 0 },
        commit: known.clamp(cut.0, last),
    };
    Start { cut, state, members: at, time_ms, quarantined: lost, owed: known.max(recovered.cut.0) }
}

/// The entries that go on from a checkpoint, and those that it has.
fn behind_of<'a>(saved: Option<&Saved>, recovered: &'a RecoveredGroup) -> &'a [(Entry, Location)] {
    let foreign = saved.is_some_and(|saved| saved.installed && recovered.cut != (saved.index, saved.term));
    // A snapshot came whose cut was not written yet. What the log has behind it was never part of it.
    if foreign { &[] } else { &recovered.entries }
}

fn config(work: &Work<'_>, applied: u64) -> Config {
    let options = work.options;
    let election = options.election_ticks.max(options.heartbeat_ticks + 1) as usize;
    Config {
        id: options.own.0,
        election_tick: election,
        heartbeat_tick: options.heartbeat_ticks.max(1) as usize,
        applied,
        // Entries have no bytes here: the store bounds a message by what goes with it, we bound what is not committed.
        max_size_per_msg: NO_LIMIT,
        max_uncommitted_size: NO_LIMIT,
        max_inflight_msgs: options.bounds.messages_in_flight_max.max(1),
        check_quorum: true,
        pre_vote: true,
        min_election_tick: election,
        max_election_tick: 2 * election,
        read_only_option: ReadOnlyOption::Safe,
        // With it, loss and reordering make malformed appends.
        batch_append: false,
        ..Config::default()
    }
}

/// A command that waits.
type Waiting = (crate::id::Token, Bytes);
