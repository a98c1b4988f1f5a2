//! What the leader of the meta group decides for all.

use std::time::Duration;

use mesh_core::meta::{Command, Meta, NodeState, place};

use super::{Key, Reconciler, Step};
use crate::convert;

impl Reconciler {
    pub(super) fn cluster(&mut self, now: Duration, meta: &Meta, steps: &mut Vec<Step>) {
        for wanted in place::plan(meta) {
            if self.due(now, Key::Place(convert::group(wanted.group))) {
                steps.push(Step::Propose(Command::Place(wanted)));
            }
        }
        for node in meta.nodes() {
            let goes = matches!(node.state, NodeState::Leaving | NodeState::Lost);
            let free = !meta.groups().any(|(_, group)| group.involves(node.number));
            if goes && free && self.due(now, Key::Forget(node.number)) {
                steps.push(Step::Propose(Command::Forget { node: node.number }));
            }
        }
        // All nodes that may read what is written, also those that are leaving.
        let reading = meta.nodes().filter(|node| node.state != NodeState::Lost);
        let level = reading.map(|node| node.level).min().unwrap_or_default();
        if level > meta.level() && self.due(now, Key::Level) {
            steps.push(Step::Propose(Command::RaiseLevel { level }));
        }
    }
}
