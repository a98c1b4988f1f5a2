//! What a log should come to, by a program that is too simple to be wrong.

use std::collections::BTreeMap;

use mesh_log::{
    id::GroupId,
    log::Recovered,
    record::{Entry, HardState, Record},
};

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Group {
    pub(crate) state: HardState,
    pub(crate) cut: (u64, u64),
    pub(crate) removed: bool,
    pub(crate) entries: Vec<Entry>,
}

/// All groups.
pub(crate) type Groups = BTreeMap<GroupId, Group>;

pub(crate) fn apply(groups: &mut Groups, record: &Record) {
    let group = groups.entry(record.group()).or_default();
    group.removed = matches!(record, Record::Removed { .. });
    match record {
        Record::Entry { entry, .. } => {
            group.entries.retain(|old| old.index < entry.index);
            group.entries.push(entry.clone());
        }
        Record::State { state, .. } => group.state = *state,
        Record::Cut { index, term, .. } => {
            if *index <= group.cut.0 {
                return;
            }
            let is_there = group.entries.iter().any(|entry| (entry.index, entry.term) == (*index, *term));
            group.entries.retain(|entry| is_there && entry.index > *index);
            group.cut = (*index, *term);
        }
        Record::Removed { .. } => {
            *group = Group { state: group.state, removed: true, ..Group::default() };
        }
    }
}

/// What was recovered, as a model of it.
pub(crate) fn of(recovered: &Recovered) -> Groups {
    let group = |group: &mesh_log::log::RecoveredGroup| Group {
        state: group.state,
        cut: group.cut,
        removed: group.removed,
        entries: group.entries.iter().map(|(entry, _)| entry.clone()).collect(),
    };
    recovered.groups.iter().map(|(id, found)| (*id, group(found))).collect()
}
