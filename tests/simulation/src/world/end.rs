//! A run from its begin to its end: faults for a while, then none; then all has to come to rest, and is looked at.

use std::time::Duration;

use mesh_log::id::{GroupId, LaneId};
use mesh_replica::{id::NodeNumber, refused::Refused};

use super::{Asked, World};
use crate::{
    invariant::{
        Invariant,
        liveness::{Replica, lacks},
        model::RecordId,
    },
    report::Report,
    time::Time,
    trace::Trace,
};

/// How often it is asked whether all has come to rest.
const STEP: Duration = Duration::from_millis(250);
/// How long the last look at all records may take.
const LOOK: Duration = Duration::from_secs(10);
/// Bytes of one fetch then.
const FETCH_BYTES: u32 = 256 << 10;

impl World {
    /// Runs to the end.
    pub fn run(mut self) -> (Report, Trace) {
        let safety = Time::from(self.plan.safety);
        self.run_until(safety);
        if self.checks.violation().is_none() {
            self.heal();
            self.come_to_rest(safety + self.plan.liveness);
        }
        if self.checks.violation().is_none() {
            self.look_at_all();
        }
        self.report()
    }

    fn report(mut self) -> (Report, Trace) {
        self.counts.commits = self.checks.commits();
        self.counts.records = self.checks.acknowledged_records();
        self.counts.elections = self.checks.elections();
        self.counts.events = self.trace.events();
        let report = Report {
            seed: self.plan.seed,
            hash: self.trace.hash(),
            counts: self.counts,
            violation: self.checks.violation().cloned(),
        };
        (report, self.trace)
    }

    /// All is healed: what was asked for is done, and all replicas agree, until `end`.
    fn come_to_rest(&mut self, end: Time) {
        for client in 0..self.clients.len() {
            if self.clients[client].is_idle() {
                self.plan_turn(client, Duration::ZERO);
            }
        }
        let mut lacking = None;
        while self.now < end && self.checks.violation().is_none() {
            self.run_until(self.now + STEP);
            lacking = self.lacking();
            if lacking.is_none() {
                return;
            }
        }
        if let Some(what) = lacking {
            for group in self.wanted.keys().copied().collect::<Vec<_>>() {
                for replica in self.replicas(group) {
                    self.trace
                        .note(self.now, || format!("n{} group {group}: {:?}", replica.node, replica.view));
                }
            }
            self.checks.judge(Invariant::Liveness, Err(what));
        }
    }

    fn lacking(&mut self) -> Option<String> {
        if let Some(client) = self.clients.iter().find(|client| !client.is_idle() || client.left > 0) {
            let (producer, group, operation) = (client.producer, client.group, client.operation);
            let what = client.doing.as_str();
            return Some(format!("client {producer} waits in group {group}: operation {operation}, {what}"));
        }
        if self.plan.cluster.is_some()
            && let Some(what) = self.cluster_lacks()
        {
            return Some(what);
        }
        let groups: Vec<GroupId> = self.wanted.keys().copied().collect();
        groups.into_iter().find_map(|group| self.group_lacks(group))
    }

    fn group_lacks(&mut self, group: GroupId) -> Option<String> {
        let replicas: Vec<Replica> = self.replicas(group);
        if let Some(what) = lacks(group, &replicas) {
            return Some(what);
        }
        let (_, view) = self.leader(group)?;
        let wanted = self.wanted.get(&group)?;
        (view.members != *wanted)
            .then(|| format!("group {group}: members {:?}, wanted {wanted:?}", view.members))
    }

    fn replicas(&mut self, group: GroupId) -> Vec<Replica> {
        let mut replicas = Vec::new();
        for node in self.running() {
            let Some(view) = self.view(node, group) else { continue };
            let process = self.node(node).process.as_ref();
            let Some(machine) = process.and_then(|process| process.host.machine(group)) else { continue };
            replicas.push(Replica { node, view, place: machine.place() });
        }
        replicas
    }

    /// Reads every lane of every replica.
    fn look_at_all(&mut self) {
        let groups: Vec<GroupId> =
            self.wanted.keys().copied().filter(|group| *group != GroupId::META).collect();
        for group in groups {
            let members = self.leader(group).map(|(_, view)| view.members).unwrap_or_default();
            for replica in self.replicas(group) {
                if !members.contains(NodeNumber(replica.node)) {
                    continue;
                }
                for lane in 1..=self.plan.lanes {
                    let (first, last) = self.extent(replica.node, group, LaneId(lane));
                    self.fetch_more(replica.node, group, LaneId(lane), Vec::new(), (first, last));
                }
            }
        }
        let end = self.now + LOOK;
        while self.now < end && self.checks.violation().is_none() && self.looks() > 0 {
            self.run_until(self.now + STEP);
        }
        if self.looks() > 0 {
            let what = Err(format!("{} lanes could not be read in time", self.looks()));
            self.checks.judge(Invariant::Liveness, what);
        }
    }

    fn looks(&self) -> usize {
        self.tokens.values().filter(|asked| matches!(asked, Asked::Whole { .. })).count()
    }

    /// Asks for the next records of a lane, or looks at all of them.
    fn fetch_more(
        &mut self,
        node: u64,
        group: GroupId,
        lane: LaneId,
        records: Vec<(u64, RecordId)>,
        (first, last): (u64, u64),
    ) {
        if first > last {
            self.trace
                .note(self.now, || format!("n{node} group {group} {lane:?}: {} records", records.len()));
            return self.checks.whole(group, lane, &records);
        }
        let token = self.token(node, Asked::Whole { group, lane, records, last });
        let now = self.now.now(self.node(node).wrong_by_ms);
        if let Some(process) = &mut self.node(node).process {
            process.host.fetch(now, group, token, lane, first, last, FETCH_BYTES);
        }
        // Within a drain the outputs are asked for again; outside of one they are now.
        self.wake(node);
    }

    pub(super) fn more_of_lane(
        &mut self,
        node: u64,
        group: GroupId,
        lane: LaneId,
        mut records: Vec<(u64, RecordId)>,
        found: Vec<(u64, RecordId)>,
        last: u64,
    ) {
        let after = records.last().map(|(number, _)| *number);
        // A piece that begins before what was asked for is given out whole.
        records.extend(found.into_iter().filter(|(number, _)| after.is_none_or(|after| *number > after)));
        if records.last().map(|(number, _)| *number) == after {
            let what =
                Err(format!("node {node} gave out nothing of {lane:?} of group {group} after {after:?}"));
            return self.checks.judge(Invariant::StateEqualsModel, what);
        }
        let next = records.last().map_or(1, |(number, _)| number + 1);
        self.fetch_more(node, group, lane, records, (next, last));
    }

    pub(super) fn lane_refused(&mut self, node: u64, group: GroupId, lane: LaneId, why: Refused) {
        match why {
            // Another replica has them; this one fetches them.
            Refused::Damaged | Refused::Lost | Refused::Busy => {
                let extent = self.extent(node, group, lane);
                let at = self.now + STEP;
                self.queue.push(at, super::Event::Look { node, group, lane, extent });
            }
            _ => {
                let what = Err(format!("node {node} does not give out {lane:?} of group {group}: {why}"));
                self.checks.judge(Invariant::StateEqualsModel, what);
            }
        }
    }

    pub(super) fn look(&mut self, node: u64, group: GroupId, lane: LaneId, extent: (u64, u64)) {
        self.fetch_more(node, group, lane, Vec::new(), extent);
    }
}
