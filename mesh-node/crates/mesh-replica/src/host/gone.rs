//! Replicas that were removed from here, and what stays of them: their last vote, and files until they are deleted.
//!
//! A removed replica may come back, as one that has nothing but that vote. A checkpoint of its former life must not come
//! back with it: it names members of then, among which a replica without its log could be talked into a vote. So its files
//! are deleted before anything of the new life is written. See ADR 0114.

use std::collections::BTreeMap;

use mesh_log::{
    id::GroupId,
    job::{Done, Job},
    log::RecoveredGroup,
    record::{HardState, Record},
};

use super::{Host, Purpose, start::GroupStart, work::Shared};
use crate::machine::Machine;

/// What stays of a removed replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gone {
    state: HardState,
    /// Whether its files are deleted.
    cleared: bool,
    /// Whether something may have been lost of what was written after its removal.
    suspect: bool,
}

/// All replicas that are gone.
#[derive(Debug, Default)]
pub(super) struct Gones {
    groups: BTreeMap<GroupId, Gone>,
    /// Groups whose files could not be deleted.
    again: Vec<GroupId>,
}

impl Gones {
    /// A replica goes.
    pub(super) fn insert(&mut self, shared: &mut Shared, group: GroupId, state: HardState, suspect: bool) {
        shared.lanes.forget(group);
        shared.job(Job::Forget { group }, Purpose::Forget(group));
        self.groups.insert(group, Gone { state, cleared: false, suspect });
    }

    /// What a group is opened with when it is one that was here before; and whether it has to wait for its files.
    pub(super) fn take<M>(&mut self, start: &mut GroupStart<M>) -> bool {
        let Some(gone) = self.groups.remove(&start.group) else { return false };
        let Gone { state, cleared, suspect } = gone;
        (start.members, start.checkpoint) = (None, None);
        let state = HardState { commit: 0, ..state };
        start.recovered = Some(RecoveredGroup { state, removed: true, suspect, ..RecoveredGroup::default() });
        !cleared
    }

    /// Deletes again what could not be deleted.
    pub(super) fn retry(&mut self, shared: &mut Shared) {
        for group in self.again.drain(..) {
            shared.job(Job::Forget { group }, Purpose::Forget(group));
        }
    }
}

impl<M: Machine> Host<M> {
    /// Says that a replica was found to have been removed, with the term and vote that stay of it. Before the first group is
    /// opened.
    pub fn note_removed(&mut self, group: GroupId, recovered: &RecoveredGroup) {
        self.gone.insert(&mut self.shared, group, recovered.state, recovered.suspect);
    }

    pub(super) fn note_gone(&mut self, group: GroupId, state: HardState) {
        self.shared.record(Record::Removed { group });
        self.gone.insert(&mut self.shared, group, state, false);
    }

    pub(super) fn finish_forget(&mut self, group: GroupId, done: &Done) {
        if *done != Done::Forgotten {
            self.gone.again.push(group);
            self.retry_later();
            return;
        }
        if let Some(gone) = self.gone.groups.get_mut(&group) {
            gone.cleared = true;
        }
        self.with(group, |group, work| group.cleared(work));
    }
}
