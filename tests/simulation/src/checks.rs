//! All invariants together, and the first of them that did not hold.

use std::collections::BTreeMap;

use mesh_log::{
    id::{GroupId, LaneId},
    record::Record,
};
use mesh_replica::{
    machine::At,
    members::Members,
    view::{Role, View},
};

use crate::{
    invariant::{
        Invariant, Verdict, Violation,
        acknowledged::Durable,
        applied::{AppliedOnce, Came},
        committed::Committed,
        leader::OneLeader,
        matching::LogMatching,
        model::{Model, RecordId},
        reads::FreshReads,
        recovery::recovered,
    },
    shadow::ShadowLog,
    time::Time,
};

/// Logs of a node's groups, as they are kept outside of it.
pub type Shadows = BTreeMap<GroupId, ShadowLog>;

/// All invariants.
#[derive(Debug, Default)]
pub struct Checks {
    leader: OneLeader,
    matching: LogMatching,
    committed: Committed,
    durable: Durable,
    applied: AppliedOnce,
    reads: FreshReads,
    model: Model,
    known: BTreeMap<(GroupId, u64), (u64, u64)>,
    members: BTreeMap<(GroupId, u64), Known>,
    now: Time,
    violation: Option<Violation>,
}

/// The members of a replica's group as it applies entries.
#[derive(Debug, Default)]
struct Known {
    now: Members,
    /// Those before, which entries up to an index may have been committed by: they were when the change was applied.
    before: Members,
    upto: u64,
}

impl Checks {
    /// What time it is.
    pub fn at(&mut self, now: Time) {
        self.now = now;
    }

    /// The first one that did not hold.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// Says what was found.
    pub fn judge(&mut self, invariant: Invariant, verdict: Verdict) {
        if let Err(what) = verdict
            && self.violation.is_none()
        {
            self.violation = Some(Violation { invariant, at: self.now, what });
        }
    }

    /// A node writes records.
    pub fn written(&mut self, written: &mut Shadows, records: &[Record]) {
        for record in records {
            let group = record.group();
            let log = written.entry(group).or_default();
            if let Record::Entry { entry, .. } = record {
                let before = entry.index.checked_sub(1).and_then(|index| log.term(index));
                let verdict = self.matching.written(group, entry, before);
                self.judge(Invariant::LogMatching, verdict);
            }
            log.apply(record);
        }
    }

    /// Records of a node are on disk.
    pub fn durable(&mut self, node: u64, durable: &mut Shadows, records: &[Record]) {
        for record in records {
            let group = record.group();
            durable.entry(group).or_default().apply(record);
            match record {
                Record::Entry { entry, .. } => self.durable.entry(group, node, entry.index, entry.term),
                Record::Cut { index, .. } => self.durable.checkpoint(group, node, *index),
                Record::State { .. } | Record::Removed { .. } => {}
            }
        }
    }

    /// A node has started, and found this.
    pub fn recovered(&mut self, node: u64, durable: &Shadows, found: &Shadows) {
        for (group, log) in durable {
            let verdict = recovered(node, *group, log, found.get(group));
            self.judge(Invariant::DurableIsRecovered, verdict);
        }
        for (group, log) in found {
            self.known.remove(&(*group, node));
            self.members.remove(&(*group, node));
            // What was kept although nobody had waited for it is on disk all the same.
            for index in log.cut().0 + 1..=log.last() {
                if let Some((term, _)) = log.entry(index) {
                    self.durable.entry(*group, node, index, term);
                }
            }
            self.durable.checkpoint(*group, node, log.cut().0);
        }
    }

    /// A replica as it is now. Whether it has just come to lead.
    pub fn seen(&mut self, group: GroupId, node: u64, view: &View, log: &ShadowLog) -> bool {
        let (commit, led) = self.known.get(&(group, node)).copied().unwrap_or_default();
        let leads = view.role == Role::Leader && led != view.term;
        if leads {
            let verdict = self.leader.leads(group, view.term, node);
            self.judge(Invariant::OneLeaderPerTerm, verdict);
            let verdict = self.committed.leads(group, (node, view.term), log);
            self.judge(Invariant::CommittedStaysCommitted, verdict);
        }
        if view.commit > commit {
            let verdict = self.committed.commits(group, (node, view.term), log, commit, view.commit);
            self.judge(Invariant::CommittedStaysCommitted, verdict);
        }
        let members = self.members.entry((group, node)).or_default();
        if members.now != view.members {
            members.before = std::mem::replace(&mut members.now, view.members.clone());
            members.upto = view.applied;
        }
        let led = if leads { view.term } else { led };
        self.known.insert((group, node), (view.commit.max(commit), led));
        leads
    }

    /// A replica applied a command, or was put somewhere.
    pub fn came(&mut self, came: &Came) {
        let verdict = self.applied.came(came);
        self.judge(Invariant::AppliedInOrderAndOnce, verdict);
    }

    /// A leader acknowledges a command.
    pub fn acknowledged(&mut self, node: u64, at: &At) {
        let Some(Known { now, before, upto }) = self.members.get(&(at.group, node)) else { return };
        let mut verdict = self.durable.acknowledged(node, at, now);
        if at.index <= *upto && !before.voters.is_empty() {
            verdict = verdict.or_else(|_| self.durable.acknowledged(node, at, before));
        }
        self.judge(Invariant::NoAckWithoutQuorum, verdict);
    }

    /// A client sends records up to one.
    pub fn sent(&mut self, group: GroupId, lane: LaneId, last: RecordId) {
        self.model.sent(group, lane, last);
    }

    /// A client gives up the records below a number.
    pub fn trimmed(&mut self, group: GroupId, lane: LaneId, below: u64) {
        self.model.trimmed(group, lane, below);
    }

    /// A client is told that its records are there.
    pub fn told(&mut self, group: GroupId, lane: LaneId, number: u64, record: RecordId) {
        let verdict = self.model.acknowledged(group, lane, number, record);
        self.judge(Invariant::StateEqualsModel, verdict);
        self.reads.known(group, lane, number);
    }

    /// What a read that is asked for now must see.
    #[must_use]
    pub fn must_see(&self, group: GroupId, lane: LaneId) -> u64 {
        self.reads.must_see(group, lane)
    }

    /// What a read saw.
    pub fn saw(&mut self, node: u64, group: GroupId, lane: LaneId, must_see: u64, last: u64) {
        let verdict = self.reads.saw(node, group, lane, must_see, last);
        self.judge(Invariant::NoStaleRead, verdict);
    }

    /// Records that were read.
    pub fn read(&mut self, group: GroupId, lane: LaneId, records: &[(u64, RecordId)]) {
        for (number, record) in records {
            let verdict = self.model.read(group, lane, *number, *record);
            self.judge(Invariant::StateEqualsModel, verdict);
        }
    }

    /// All records of a lane.
    pub fn whole(&mut self, group: GroupId, lane: LaneId, records: &[(u64, RecordId)]) {
        let verdict = self.model.whole(group, lane, records);
        self.judge(Invariant::StateEqualsModel, verdict);
    }

    /// Entries that are committed.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.committed.total()
    }

    /// Terms that had a leader.
    #[must_use]
    pub fn elections(&self) -> u64 {
        self.leader.elections() as u64
    }

    /// Records that are acknowledged.
    #[must_use]
    pub fn acknowledged_records(&self) -> u64 {
        self.model.acknowledged_records()
    }
}
