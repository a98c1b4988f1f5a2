//! Whoever decides who has which group, and sees to it.
//!
//! Members are changed by whoever leads, one change at a time, until they are as wanted. A replica that has lost something is
//! taken out, and taken in again.

use std::time::Duration;

use mesh_log::id::GroupId;
use mesh_replica::{
    id::NodeNumber,
    members::Members,
    view::{Role, View},
};

use super::{Asked, Event, World};

/// How often members are looked at.
const EVERY: Duration = Duration::from_millis(500);

impl World {
    /// Does what brings members closer to what is wanted.
    pub(super) fn look_at_members(&mut self) {
        self.queue.push(self.now + EVERY, Event::Placement);
        if self.plan.cluster.is_some() {
            return self.look_at_cluster();
        }
        let groups: Vec<GroupId> = self.wanted.keys().copied().collect();
        for group in groups {
            self.look_at_group(group);
        }
    }

    fn look_at_group(&mut self, group: GroupId) {
        let Some((leader, view)) = self.leader(group) else { return };
        let mut target = self.wanted.get(&group).cloned().unwrap_or_default();
        // Who says that it has lost something is out first, whoever is wanted: as long as a majority is left. Back it comes as
        // all others do who are wanted.
        let lost: Vec<_> = view.forgot.intersection(&view.members.voters).copied().collect();
        if lost.len() * 2 < view.members.voters.len() {
            for node in lost {
                self.counts.quarantines += u64::from(target.voters.remove(&node));
            }
        }
        self.open_and_remove(group, &view);
        let is_joint = view.members.is_joint();
        let waits = view.changing && self.asked.get(&group) == Some(&target);
        if is_joint || waits || view.members == target || self.node(leader).paused.is_some() {
            return;
        }
        if self.random.chance(300) {
            // Nobody is always there to see to it.
            return;
        }
        self.trace.event(self.now, leader, "asked to change members", &[("group", u64::from(group.0))]);
        self.trace.note(self.now, || format!("n{leader} from {:?} to {target:?}", view.members));
        self.asked.insert(group, target.clone());
        let token = self.token(leader, Asked::Members { group });
        self.tell(leader, |host, now| host.set_members(now, group, token, target));
    }

    /// Whoever leads a group, as far as can be seen, and how it sees the group.
    pub(super) fn leader(&mut self, group: GroupId) -> Option<(u64, View)> {
        let mut found: Option<(u64, View)> = None;
        for number in self.running() {
            let Some(view) = self.view(number, group) else { continue };
            let newer = found.as_ref().is_none_or(|(_, known)| known.term < view.term);
            if view.role == Role::Leader && newer {
                found = Some((number, view));
            }
        }
        found
    }

    /// Nodes that are wanted open the group, those that are no members any more remove it.
    fn open_and_remove(&mut self, group: GroupId, view: &View) {
        let wanted = self.wanted.get(&group).cloned().unwrap_or_default();
        for number in self.running() {
            let node = NodeNumber(number);
            let has = self.node(number).groups.contains_key(&group);
            // Until a majority knows that it is out, it may be needed.
            if has && !wanted.contains(node) && !view.members.contains(node) && view.settled {
                self.close(number, group);
            }
            if !has && (wanted.contains(node) || view.members.contains(node)) {
                self.open(number, group);
            }
        }
    }

    pub(super) fn close(&mut self, number: u64, group: GroupId) {
        self.node(number).groups.remove(&group);
        self.trace.event(self.now, number, "removes", &[("group", u64::from(group.0))]);
        self.tell(number, |host, now| host.remove_group(now, group));
    }

    pub(super) fn open(&mut self, number: u64, group: GroupId) {
        let now = self.now.now(self.node(number).wrong_by_ms);
        let told = self.told.clone();
        self.trace.event(self.now, number, "opens", &[("group", u64::from(group.0))]);
        if let Err(error) = self.node(number).open(now, group, &told) {
            self.trace.note(self.now, || format!("n{number} {error}"));
            return;
        }
        self.tell(number, |_, _| {});
    }

    /// Makes these the members of a group, in time.
    pub(super) fn want(&mut self, group: GroupId, voters: &[u64]) {
        let members = Members::of_voters(voters.iter().copied().map(NodeNumber));
        self.wanted.insert(group, members);
    }
}
