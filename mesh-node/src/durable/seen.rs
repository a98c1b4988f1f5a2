//! The groups as they were last looked at.
//!
//! Only those are looked at again of which something may have changed: on a node with a thousand groups that rest, looking
//! at each of them is most of what there would be to do. All are looked at now and then, for what the host does not know of.

use std::time::Duration;

use mesh_replica::host::Host;
use mesh_shard::{ShardMachine, reconcile::Views};

use super::view::Groups;

/// How often all are looked at.
const ALL_EVERY: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Seen {
    views: Views,
    /// Rises when something may have changed.
    changes: u64,
    /// When all are looked at again.
    all_at: Duration,
}

impl Seen {
    /// Looks at what may have changed.
    pub(super) fn look(&mut self, now: Duration, host: Option<&mut Host<ShardMachine>>) {
        let Some(host) = host else { return *self = Self { changes: self.changes + 1, ..Self::default() } };
        let touched = host.take_touched();
        let host = &*host;
        if now >= self.all_at {
            self.all_at = now + ALL_EVERY;
            self.changes += 1;
            self.views = host.groups().filter_map(|group| Some((group, host.group(group)?))).collect();
            return;
        }
        self.changes += u64::from(!touched.is_empty());
        for group in touched {
            match host.group(group) {
                Some(view) => drop(self.views.insert(group, view)),
                None => drop(self.views.remove(&group)),
            }
        }
    }

    /// Whether something may have changed since this was last asked with the same `known`, which is 0 at first.
    pub(super) fn has_changed_since(&self, known: &mut u64) -> bool {
        std::mem::replace(known, self.changes) != self.changes
    }

    /// All of them.
    pub(super) fn views(&self) -> &Views {
        &self.views
    }

    /// The same in numbers.
    pub(super) fn count(&self) -> Groups {
        let mut groups = Groups::default();
        self.views.values().for_each(|view| groups.count(view));
        groups
    }
}

#[cfg(test)]
mod tests {
    use mesh_log::id::GroupId;
    use mesh_replica::{
        clock::Now, host::GroupStart, id::NodeNumber, members::Members, options::HostOptions,
    };

    use super::*;

    fn open(host: &mut Host<ShardMachine>, group: GroupId) {
        let members = Members { voters: [NodeNumber(1)].into(), ..Members::default() };
        let machine = ShardMachine::new(group);
        let start = GroupStart { group, machine, members: Some(members), checkpoint: None, recovered: None };
        host.open_group(Now::default(), start).unwrap();
        while host.poll_output().is_some() {}
    }

    #[test]
    fn what_is_not_touched_is_looked_at_now_and_then_only() {
        let (mut seen, mut known) = (Seen::default(), 0);
        let mut host = Host::new(HostOptions::new(NodeNumber(1), 7));
        let at = Duration::from_secs(100);
        open(&mut host, GroupId(1));
        seen.look(at, Some(&mut host));
        assert!(seen.has_changed_since(&mut known) && seen.views().len() == 1);
        seen.look(at + ALL_EVERY - Duration::from_millis(1), Some(&mut host));
        assert!(!seen.has_changed_since(&mut known), "nothing has happened");
        open(&mut host, GroupId(2));
        seen.look(at + Duration::from_secs(1), Some(&mut host));
        assert!(seen.has_changed_since(&mut known) && seen.views().len() == 2);
        host.remove_group(Now::default(), GroupId(1));
        seen.look(at + Duration::from_secs(2), Some(&mut host));
        assert!(seen.has_changed_since(&mut known));
        assert_eq!(seen.views().keys().copied().collect::<Vec<_>>(), [GroupId(2)]);
        seen.look(at + ALL_EVERY, Some(&mut host));
        assert!(seen.has_changed_since(&mut known), "all of them, now and then");
    }

    #[test]
    fn without_a_host_there_is_nothing() {
        let (mut seen, mut known) = (Seen::default(), 0);
        let mut host = Host::new(HostOptions::new(NodeNumber(1), 7));
        open(&mut host, GroupId(1));
        seen.look(Duration::ZERO, Some(&mut host));
        seen.has_changed_since(&mut known);
        seen.look(Duration::ZERO, None);
        assert!(seen.has_changed_since(&mut known) && seen.views().is_empty());
        assert_eq!(seen.count(), Groups::default());
    }
}
