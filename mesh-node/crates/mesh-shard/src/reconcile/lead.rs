//! Who leads: the groups' leads are spread over their nodes.
//!
//! Each group has a node that it is best led by, which all agree on without talking: its voters in turn, by the group's
//! number. A lead that comes back was handed over for a reason that is not seen here (a slow disk, say), so each time it
//! does it stays twice as long.

use std::time::Duration;

use mesh_core::meta::{Meta, NodeState};
use mesh_log::id::GroupId;
use mesh_replica::{id::NodeNumber, view::View};

use super::{Key, LED_MIN, LED_MIN_MAX, Reconciler, Step, Views, caught_up, is_led};
use crate::convert;

impl Reconciler {
    pub(super) fn lead(&mut self, now: Duration, meta: &Meta, views: &Views, steps: &mut Vec<Step>) {
        let own = self.options.own;
        let drains = meta.node(convert::core_node(own)).is_some_and(|node| node.state == NodeState::Draining);
        for (id, view) in views.iter().filter(|(_, view)| is_led(view) && !view.changing) {
            let Some(best) = best(meta, *id, view) else { continue };
            let to = if drains { heir(meta, own, view) } else { Some(best) };
            let Some(to) = to.filter(|to| *to != own && caught_up(view, own, *to)) else { continue };
            if !(drains || self.led_long(now, *id)) || !self.due(now, Key::Transfer(*id)) {
                continue;
            }
            steps.push(Step::Transfer { group: *id, to });
            if !drains {
                *self.came_back.entry(*id).or_default() += 1;
                // One at a time: each is a moment without a leader.
                return;
            }
        }
    }

    fn led_long(&self, now: Duration, group: GroupId) -> bool {
        let Some(led) = self.led.get(&group) else { return false };
        let times = self.came_back.get(&group).copied().unwrap_or_default();
        let min = LED_MIN.saturating_mul(1 << times.min(16)).min(LED_MIN_MAX);
        now.saturating_sub(led.since) >= min
    }
}

/// Who a settled group is best led by.
fn best(meta: &Meta, id: GroupId, view: &View) -> Option<NodeNumber> {
    let group = meta.group(convert::core_group(id))?;
    let wanted = convert::nodes(&group.wanted);
    if view.members.voters != wanted {
        return None;
    }
    let may: Vec<_> = wanted.into_iter().filter(|node| may_lead(meta, *node)).collect();
    may.get(id.0 as usize % may.len().max(1)).copied()
}

/// Who may take the lead from a node that drains.
fn heir(meta: &Meta, own: NodeNumber, view: &View) -> Option<NodeNumber> {
    view.members
        .voters
        .iter()
        .copied()
        .find(|node| *node != own && may_lead(meta, *node) && caught_up(view, own, *node))
}

fn may_lead(meta: &Meta, node: NodeNumber) -> bool {
    meta.node(convert::core_node(node)).is_some_and(|node| node.state == NodeState::Active)
}
