//! The node itself: what it tells, and which groups it has.

use std::time::Duration;

use mesh_core::meta::{Command, Group, Meta, Report};
use mesh_log::id::GroupId;
use mesh_replica::view::View;

use super::{CLOSE_AFTER, Key, Reconciler, Step, Views};
use crate::convert;

impl Reconciler {
    /// Tells what has changed since the cluster was told.
    pub(super) fn report(&mut self, now: Duration, meta: &Meta, steps: &mut Vec<Step>) {
        let number = convert::core_node(self.options.own);
        let about = &self.options.about;
        let told = meta.node(number).is_some_and(|node| {
            node.directory == Some(about.directory)
                && node.incarnation >= about.incarnation
                && (node.role, &node.zone, node.level) == (about.role, &about.zone, about.level)
        });
        // Not known here yet: there is nothing to be told to.
        let known = meta.node(number).is_some();
        if known && !told && self.due(now, Key::Report) {
            steps.push(Step::Propose(Command::Report(Report { number, about: self.options.about.clone() })));
        }
    }

    /// Opens the groups that this node is to have, and gives up those that it is no member of any more.
    pub(super) fn local(&mut self, now: Duration, meta: &Meta, views: &Views, steps: &mut Vec<Step>) {
        let own = convert::core_node(self.options.own);
        for (id, group) in meta.groups() {
            let id = convert::group(id);
            if group.wanted.contains(&own) && !views.contains_key(&id) && self.due(now, Key::Open(id)) {
                steps.push(Step::Open(id));
            }
        }
        self.unwanted.retain(|group, _| views.contains_key(group));
        for (id, view) in views {
            let group = meta.group(convert::core_group(*id));
            if *id == GroupId::META || !group.is_some_and(|group| self.is_over(group, view)) {
                self.unwanted.remove(id);
                continue;
            }
            let since = *self.unwanted.entry(*id).or_insert(now);
            if now.saturating_sub(since) >= CLOSE_AFTER {
                self.unwanted.insert(*id, now);
                steps.push(Step::Close(*id));
            }
        }
    }

    /// Whether this node is no member, as the leader told: what this node has applied itself may not be known to the others
    /// yet, who would need it then. An earlier word of a leader says nothing if this node does not know the same: it may have
    /// become a member since.
    fn is_over(&self, group: &Group, view: &View) -> bool {
        let own = convert::core_node(self.options.own);
        let left = view.applied > 0 && !view.members.contains(self.options.own);
        let told = group.actual.as_ref().is_some_and(|actual| {
            let without = !actual.voters.contains(&own) && !actual.learners.contains(&own);
            without && (left || actual.index > view.applied)
        });
        !group.wanted.contains(&own) && told
    }
}
