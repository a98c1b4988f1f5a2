//! The members of groups that are led here.
//!
//! Who is new becomes a learner first. Only when all of them have caught up they vote, and in the same change those go
//! who are to go. A leader that is to go itself hands over first.
//!
//! A member that has lost what it had promised to keep goes at once, as long as the others can decide without it: it counts
//! for nothing anyway. It is still wanted, so it comes back like a new one. (ADR 0114)

use std::{collections::BTreeSet, time::Duration};

use mesh_core::meta::{Actual, Command, Group, Meta, NodeState, Settled};
use mesh_log::id::GroupId;
use mesh_replica::{id::NodeNumber, members::Members, view::View};

use super::{CHANGE_SLOW, CHANGES_MAX, Key, Reconciler, Step, Views, caught_up, is_led};
use crate::convert;

impl Reconciler {
    pub(super) fn members(&mut self, now: Duration, meta: &Meta, views: &Views, steps: &mut Vec<Step>) {
        let mut room = CHANGES_MAX.saturating_sub(self.growing(now));
        for (id, view) in views.iter().filter(|(_, view)| is_led(view)) {
            let Some(group) = meta.group(convert::core_group(*id)) else { continue };
            self.settled(now, *id, group, view, steps);
            if let Some(target) = without_forgetful(view) {
                if self.due(now, Key::Out(*id)) {
                    steps.push(Step::SetMembers { group: *id, target });
                }
                continue;
            }
            // One that is under way and not in its midst may wait for a node that will never catch up: what is wanted by
            // now takes its place.
            if view.members.is_joint() {
                continue;
            }
            match self.next(meta, *id, group, view) {
                Next::Nothing => self.grows(*id, None),
                Next::Wait => {}
                Next::Grow(target) => {
                    let begun = self.led.get(id).is_some_and(|led| led.growing.is_some());
                    // The meta group's members are few, and everything else follows from them.
                    if begun || *id == GroupId::META || room > 0 {
                        room = room.saturating_sub(usize::from(!begun && *id != GroupId::META));
                        self.grows(*id, Some(now));
                        if self.due(now, Key::Grow(*id)) {
                            steps.push(Step::SetMembers { group: *id, target });
                        }
                    }
                }
                Next::Change(target) => self.set_members(now, *id, target, steps),
                Next::Leave(to) => {
                    if self.due(now, Key::Transfer(*id)) {
                        steps.push(Step::Transfer { group: *id, to });
                    }
                }
            }
        }
    }

    /// How many groups have new members that are catching up, and have not done so for too long.
    fn growing(&self, now: Duration) -> usize {
        let grows = |since: Duration| now.saturating_sub(since) < CHANGE_SLOW;
        self.led.values().filter(|led| led.growing.is_some_and(grows)).count()
    }

    fn grows(&mut self, group: GroupId, since: Option<Duration>) {
        if let Some(led) = self.led.get_mut(&group) {
            led.growing = since.map(|since| led.growing.unwrap_or(since));
        }
    }

    fn set_members(&mut self, now: Duration, group: GroupId, target: Members, steps: &mut Vec<Step>) {
        if self.due(now, Key::Members(group)) {
            steps.push(Step::SetMembers { group, target });
        }
    }

    /// Tells who the members are, when that is news, and certain: those who went may give up their replicas then.
    fn settled(&mut self, now: Duration, id: GroupId, group: &Group, view: &View, steps: &mut Vec<Step>) {
        if !view.settled {
            return;
        }
        let members = &view.members;
        let voters: BTreeSet<_> = members.voters.union(&members.outgoing).copied().collect();
        let learners = members.learners.union(&members.learners_next).filter(|node| !voters.contains(node));
        let actual = Actual {
            index: view.applied,
            learners: convert::core_nodes(learners),
            voters: convert::core_nodes(&voters),
        };
        let same = |known: &Actual| known.voters == actual.voters && known.learners == actual.learners;
        if !group.actual.as_ref().is_some_and(same) && self.due(now, Key::Settled(id)) {
            steps.push(Step::Propose(Command::Settled(Settled { group: convert::core_group(id), actual })));
        }
    }

    /// What comes next for a group that no change is under way in.
    fn next(&self, meta: &Meta, id: GroupId, group: &Group, view: &View) -> Next {
        let own = self.options.own;
        let wanted = convert::nodes(&group.wanted);
        let (voters, learners) = (&view.members.voters, &view.members.learners);
        let audience = if id == GroupId::META { audience(meta, &wanted) } else { BTreeSet::new() };
        let new: BTreeSet<_> = wanted.difference(voters).copied().collect();
        if wanted.is_empty() {
            return Next::Nothing;
        }
        // Who is to become part of the audience and still votes goes there in the same change that ends its vote.
        let learning: BTreeSet<_> =
            audience.union(&new).filter(|node| !voters.contains(node)).copied().collect();
        if *learners != learning {
            let grows = !new.is_subset(learners);
            let target = Members { voters: voters.clone(), learners: learning, ..Members::default() };
            return if grows { Next::Grow(target) } else { Next::Change(target) };
        }
        if *voters == wanted {
            return Next::Nothing;
        }
        if !new.iter().all(|node| caught_up(view, own, *node)) {
            return Next::Wait;
        }
        let target = Members { voters: wanted.clone(), learners: audience, ..Members::default() };
        if wanted.contains(&own) {
            return Next::Change(target);
        }
        // We are to go. Others of the group that stay can do the rest.
        let heir = voters.intersection(&wanted).copied().find(|node| caught_up(view, own, *node));
        match heir {
            Some(heir) => Next::Leave(heir),
            None => {
                let mut target = target;
                target.voters.insert(own);
                target.learners.remove(&own);
                if target.voters == *voters { Next::Wait } else { Next::Change(target) }
            }
        }
    }
}

/// The members without those that have lost something; none when there are none, and as long as the others are no majority
/// or a change is in its midst.
fn without_forgetful(view: &View) -> Option<Members> {
    let Members { voters, learners, .. } = &view.members;
    let has_lost = |node: &NodeNumber| view.forgot.contains(node);
    if view.members.is_joint() || !voters.union(learners).any(has_lost) {
        return None;
    }
    let stay = |nodes: &BTreeSet<NodeNumber>| nodes.difference(&view.forgot).copied().collect();
    let target = Members { voters: stay(voters), learners: stay(learners), ..Members::default() };
    (target.voters.len() > voters.len() / 2).then_some(target)
}

enum Next {
    Nothing,
    /// For new members to catch up.
    Wait,
    /// New members begin to learn.
    Grow(Members),
    /// They vote, and others go.
    Change(Members),
    /// The lead goes to another one first.
    Leave(NodeNumber),
}

/// Who learns the meta group's state without voting: every other node that has or may get a number's worth of work.
fn audience(meta: &Meta, wanted: &BTreeSet<NodeNumber>) -> BTreeSet<NodeNumber> {
    let hears = |node: &&mesh_core::meta::Node| match node.state {
        NodeState::Active | NodeState::Draining => true,
        // It has to know what becomes of its replicas.
        NodeState::Leaving => meta
            .groups()
            .any(|(id, group)| id != mesh_core::meta::GroupId::META && group.involves(node.number)),
        NodeState::Lost => false,
    };
    let nodes = meta.nodes().filter(hears).map(|node| convert::node(node.number));
    nodes.filter(|node| !wanted.contains(node)).collect()
}
