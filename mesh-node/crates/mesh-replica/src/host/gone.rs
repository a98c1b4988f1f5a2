//! Replicas that were removed from here, and what stays of them: their last vote, and files until they are deleted.
//!
//! A removed replica may come back, as one that has nothing but that vote. A checkpoint of its former life must not come
//! back with it: it names members of then, among which a replica without its log could be talked into a vote. So its files
//! are deleted before anything of the new life is written. See ADR 0114.

use std::collections::{BTreeMap, BTreeSet};

use mesh_log::{
    id::GroupId,
    job::{Done, Job},
    log::RecoveredGroup,
    record::{HardState, Record},
};

use super::{Host, Purpose, start::GroupStart, work::Shared};
use crate::{id::WriteId, machine::Machine};

/// What stays of a removed replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gone {
    state: HardState,
    files: Files,
    /// Whether something may have been lost of what was written after its removal.
    suspect: bool,
    /// Whether it is open again, and waits for its files to be deleted.
    back: bool,
}

/// What becomes of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Files {
    /// They stay until this is durable, which says that it was removed.
    Wait(WriteId),
    /// They are being deleted.
    Go,
    /// They are deleted.
    Gone,
}

/// All replicas that are gone.
#[derive(Debug, Default)]
pub(super) struct Gones {
    groups: BTreeMap<GroupId, Gone>,
    /// Groups whose files could not be deleted.
    again: BTreeSet<GroupId>,
}

impl Gones {
    /// What a group is opened with when it is one that was here before; and whether it has to wait for its files.
    pub(super) fn take<M>(&mut self, start: &mut GroupStart<M>) -> bool {
        let Some(gone) = self.groups.get_mut(&start.group) else { return false };
        let state = HardState { commit: 0, ..gone.state };
        let suspect = gone.suspect;
        let waits = gone.files != Files::Gone;
        gone.back = true;
        if !waits {
            self.groups.remove(&start.group);
        }
        (start.members, start.checkpoint) = (None, None);
        start.recovered = Some(RecoveredGroup { state, removed: true, suspect, ..RecoveredGroup::default() });
        waits
    }

    /// Writes up to one are durable. Returns the groups whose removal is durable with them.
    fn handle_written(&mut self, shared: &mut Shared, last: WriteId) -> Vec<GroupId> {
        let mut removed = Vec::new();
        for (group, gone) in &mut self.groups {
            if matches!(gone.files, Files::Wait(id) if id <= last) {
                gone.files = Files::Go;
                forget(shared, *group);
                removed.push(*group);
            }
        }
        removed
    }

    /// Whether the removal of a group is not durable yet: after a restart it would be found as it was.
    pub(super) fn is_waiting(&self, group: GroupId) -> bool {
        self.groups.get(&group).is_some_and(|gone| matches!(gone.files, Files::Wait(_)))
    }

    /// Deletes again what could not be deleted.
    pub(super) fn retry(&mut self, shared: &mut Shared) {
        for group in std::mem::take(&mut self.again) {
            forget(shared, group);
        }
    }
}

fn forget(shared: &mut Shared, group: GroupId) {
    shared.job(Job::Forget { group }, Purpose::Forget(group));
}

impl<M: Machine> Host<M> {
    /// Says that a replica was found to have been removed, with the term and vote that stay of it. Before the first group is
    /// opened.
    pub fn note_removed(&mut self, group: GroupId, recovered: &RecoveredGroup) {
        let (state, suspect) = (recovered.state, recovered.suspect);
        self.shared.lanes.forget(group);
        forget(&mut self.shared, group);
        self.gone.groups.insert(group, Gone { state, files: Files::Go, suspect, back: false });
    }

    /// A replica goes now.
    pub(super) fn note_gone(&mut self, group: GroupId, state: HardState) {
        self.shared.lanes.forget(group);
        let files = Files::Wait(self.shared.write_id());
        self.shared.record(Record::Removed { group });
        self.gone.groups.insert(group, Gone { state, files, suspect: false, back: false });
    }

    /// Writes up to one are durable. What the log has of a group goes when it is known there that the group was removed:
    /// else it would be found without the end of its log, which it has acknowledged.
    pub(super) fn settle_gone(&mut self, last: WriteId) {
        for group in self.gone.handle_written(&mut self.shared, last) {
            self.rollover.forget(group);
            self.progress(group);
        }
    }

    pub(super) fn finish_forget(&mut self, group: GroupId, done: &Done) {
        let Some(gone) = self.gone.groups.get_mut(&group).filter(|gone| gone.files == Files::Go) else {
            return;
        };
        if *done != Done::Forgotten {
            self.gone.again.insert(group);
            self.retry_later();
            return;
        }
        gone.files = Files::Gone;
        if gone.back {
            self.gone.groups.remove(&group);
            self.with(group, |group, work| group.cleared(work));
        }
    }
}
