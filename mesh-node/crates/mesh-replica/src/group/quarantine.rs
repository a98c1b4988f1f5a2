//! A replica that has lost what it had promised to keep, and how it comes back. See ADR 0114.
//!
//! ```text
//!   loss ─► quarantine, written down ─► heartbeats are answered: lost
//!             ▲                            │ leader: out of the members, and in again without a vote
//!             └─ restart                   ▼
//!           checkpoint durable ◄── Offer that answers this loss, and names it without a vote
//!             └─► cut and state in one write ─► acknowledged: a replica like any other
//! ```
//! Until that write it promises nothing, and whatever of it is durable, a restart finds it in quarantine.

use mesh_log::record::{HardState, Record};
use raft::{RawNode, eraftpb, eraftpb::MessageType};

use super::{Group, Phase, Rest, Writing, config, rest::mix};
use crate::{
    door::Refusal,
    host::Work,
    id::NodeNumber,
    machine::Machine,
    message::{Beat, Offer},
    output::Output,
    storage::LogStore,
};

/// The commit index of a state that says that its replica is in quarantine: no log reaches it.
pub(super) const HELD: u64 = u64::MAX;

/// What a replica in quarantine has lost.
#[derive(Debug, Default)]
pub(super) struct Loss {
    /// What it calls it: another one after each restart. Never 0 in quarantine.
    mark: u64,
    /// The last index that is known to have been committed here.
    owed: u64,
}

impl Loss {
    /// Whether it is in quarantine.
    pub(super) fn is_some(&self) -> bool {
        self.mark != 0
    }
}

impl<M: Machine> Group<M> {
    /// It is found to have lost something while it took part: up to `owed` it had everything.
    pub(crate) fn quarantine(&mut self, work: &mut Work<'_>, owed: u64) {
        if self.phase != Phase::Running {
            return;
        }
        self.lose_lead(work);
        self.raft.raft.become_follower(self.raft.raft.term, raft::INVALID_ID);
        self.raft.raft.msgs.clear();
        self.hold(work, owed);
    }

    /// Takes no part from now on, nor after a restart.
    pub(super) fn hold(&mut self, work: &mut Work<'_>, owed: u64) {
        let HardState { term, commit, .. } = self.state;
        self.phase = Phase::Quarantined;
        let named = u64::from(self.id.0) ^ (self.own.0 << 32);
        self.loss = Loss {
            mark: mix(self.seed ^ mix(work.now.wall_ms) ^ mix(named) ^ term).max(1),
            owed: if commit == HELD { owed } else { owed.max(commit) },
        };
        self.state.commit = HELD;
        self.rest = Rest::default();
        work.awake.insert(self.id);
        work.record(Record::State { group: self.id, state: self.state });
        work.outputs.push(Output::Changed(self.id));
    }

    /// A leader is there: it has to know.
    pub(super) fn tell_loss(&mut self, work: &mut Work<'_>, from: NodeNumber, beat: &Beat) {
        let term = beat.term.max(self.raft.raft.term);
        let answer = Beat { group: self.id, term, commit: 0, rests: false, lost: true, read: self.loss.mark };
        work.sends(from).replies.push(answer);
    }

    /// Whether a snapshot is one that this replica may go on from. It has to be of after it was taken out of the members:
    /// only since then nothing rests any more on what it had acknowledged.
    pub(super) fn makes_good(&self, offer: &Offer) -> Result<(), Refusal> {
        let wrong = |what| Err(Refusal::NoRemedy { what });
        let members = &offer.manifest.members;
        if members.voters.contains(&self.own) || members.outgoing.contains(&self.own) {
            return wrong("it has a vote in it");
        }
        if offer.loss != self.loss.mark {
            return wrong("it is not the answer to what it has lost");
        }
        let log = &self.raft.raft.raft_log;
        if offer.manifest.index <= self.loss.owed.max(log.committed).max(self.applied.0) {
            return wrong("it ends before what was committed here");
        }
        Ok(())
    }

    /// The checkpoint of a snapshot that makes the loss good is durable: it takes the place of everything.
    pub(super) fn rejoin(&mut self, work: &mut Work<'_>, offer: Offer) {
        let Offer { from, term, manifest, .. } = offer;
        let at = (manifest.index, manifest.term);
        // Whom it voted for in this term may be lost; who leads it is certain.
        let known = (self.raft.raft.term, self.raft.raft.vote);
        let vote = if known.0 == term && known.1 != 0 { known.1 } else { from.0 };
        let state = HardState { term, vote, commit: at.0 };
        let bytes_max = work.options.bounds.message_bytes_max;
        let store = LogStore::new(at, state, manifest.members.clone(), bytes_max);
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let restored = self.machine.restore(manifest.state.bytes()).map_err(|why| why.to_string());
        let raft = restored
            .and_then(|()| RawNode::new(&config(work, at.0), store, &logger).map_err(|why| why.to_string()));
        match raft {
            Ok(raft) => self.raft = raft,
            Err(why) => {
                work.outputs
                    .push(Output::Fatal(format!("group {}: the state of a snapshot: {why}", self.id)));
                return;
            }
        }
        self.raft.raft.become_follower(term, from.0);
        let ranges: Vec<_> =
            manifest.extents.iter().map(|extent| (extent.lane, extent.first, extent.last)).collect();
        work.lanes.restrict(self.id, &ranges);
        self.check_lanes(work);
        self.members = manifest.members;
        self.applied = at;
        self.clock.applied(manifest.time_ms);
        self.saving.installed(at.0);
        self.incoming.clear();
        (self.state, self.durable_term) = (state, 0);
        (self.is_new, self.loss, self.phase) = (false, Loss::default(), Phase::Running);
        (self.seen_leader, self.seen_term) = (0, 0);
        self.rest = Rest::default();
        work.awake.insert(self.id);
        self.acknowledge_rejoined(work, from);
        work.outputs.push(Output::Changed(self.id));
    }

    /// Writes down that it is whole, and acknowledges the snapshot when that is durable.
    fn acknowledge_rejoined(&mut self, work: &mut Work<'_>, to: NodeNumber) {
        let index = self.applied.0;
        self.record_cut(work);
        work.record(Record::State { group: self.id, state: self.state });
        let mut taken = eraftpb::Message {
            from: self.own.0,
            to: to.0,
            term: self.state.term,
            index,
            commit: index,
            ..eraftpb::Message::default()
        };
        taken.set_msg_type(MessageType::MsgAppendResponse);
        // What is still on its way was given by a raft that is no more.
        for writing in &mut self.writing {
            (writing.ready, writing.messages) = (0, Vec::new());
        }
        self.writing.push_back(Writing {
            id: work.write_id(),
            ready: 0,
            term: self.state.term,
            since: work.now.monotonic,
            messages: vec![taken],
            last: 0,
        });
    }
}
