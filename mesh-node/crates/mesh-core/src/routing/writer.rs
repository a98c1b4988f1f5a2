//! The one writer of the routing table.

use std::time::{Duration, Instant};

use mesh_wire::name::Name;
use mesh_wire::subject::Pattern;

use super::{Mode, Table, Target};

/// Shortest time between two snapshots. Each snapshot makes the next changes copy their paths, and each reader check
/// its cache, so a burst of changes is published together.
pub const PUBLISH_INTERVAL: Duration = Duration::from_millis(1);

/// Gathers changes and says when to publish them.
///
/// The first change after a quiet time is due at once, the following ones [`PUBLISH_INTERVAL`] after the last
/// snapshot. Changes: [`insert`](Self::insert), [`remove`](Self::remove); output:
/// [`take_snapshot`](Self::take_snapshot); time: [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct TableWriter {
    table: Table,
    published_at: Option<Instant>,
    due: Option<Instant>,
}

impl TableWriter {
    /// A writer of an empty table that hashes under `seed`, see [`Table::new`].
    pub fn new(seed: u64) -> Self {
        Self { table: Table::new(seed), published_at: None, due: None }
    }

    /// As [`Table::insert`].
    pub fn insert(
        &mut self,
        now: Instant,
        pattern: &Pattern,
        target: Target,
        mode: Mode,
        group: Option<&Name>,
    ) -> bool {
        let changed = self.table.insert(pattern, target, mode, group);
        self.note(now, changed)
    }

    /// As [`Table::remove`].
    pub fn remove(
        &mut self,
        now: Instant,
        pattern: &Pattern,
        target: Target,
        mode: Mode,
        group: Option<&Name>,
    ) -> bool {
        let changed = self.table.remove(pattern, target, mode, group);
        self.note(now, changed)
    }

    /// When the next snapshot is due; `None` while there is nothing to publish.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// The table to publish, if one is due at `now`.
    pub fn take_snapshot(&mut self, now: Instant) -> Option<Table> {
        self.due.take_if(|due| *due <= now)?;
        self.published_at = Some(now);
        Some(self.table.clone())
    }

    /// The table with every change so far, published or not: for the first snapshot, and for reports.
    pub fn table(&self) -> &Table {
        &self.table
    }

    fn note(&mut self, now: Instant, changed: bool) -> bool {
        if changed && self.due.is_none() {
            let earliest = self.published_at.map_or(now, |at| at + PUBLISH_INTERVAL);
            self.due = Some(earliest.max(now));
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::{LinkId, SubscriptionId};

    fn target(id: u32) -> Target {
        Target::new(LinkId(1), SubscriptionId(id))
    }

    #[test]
    fn the_first_change_after_quiet_is_due_at_once() {
        let start = Instant::now();
        let pattern: Pattern = "a.b".parse().unwrap();
        let mut writer = TableWriter::new(0);
        assert_eq!(writer.poll_timeout(), None);
        assert!(writer.take_snapshot(start).is_none());

        assert!(writer.insert(start, &pattern, target(1), Mode::Events, None));
        assert_eq!(writer.poll_timeout(), Some(start));
        assert_eq!(writer.take_snapshot(start).unwrap().len(), 1);
        assert_eq!(writer.poll_timeout(), None);

        let later = start + PUBLISH_INTERVAL * 5;
        assert!(writer.remove(later, &pattern, target(1), Mode::Events, None));
        assert_eq!(writer.poll_timeout(), Some(later));
        assert!(writer.take_snapshot(later).unwrap().is_empty());
    }

    #[test]
    fn a_burst_is_published_together() {
        let start = Instant::now();
        let step = PUBLISH_INTERVAL / 100;
        let pattern: Pattern = "a.b".parse().unwrap();
        let mut writer = TableWriter::new(0);
        let mut sizes = Vec::new();
        for id in 0..250 {
            let now = start + step * id;
            assert!(writer.insert(now, &pattern, target(id), Mode::Events, None));
            sizes.extend(writer.take_snapshot(now).map(|table| table.len()));
        }
        assert_eq!(sizes, [1, 101, 201]);
        let due = start + PUBLISH_INTERVAL * 3;
        assert_eq!(writer.poll_timeout(), Some(due));
        assert!(writer.take_snapshot(due - Duration::from_nanos(1)).is_none());
        assert_eq!(writer.take_snapshot(due).unwrap().len(), 250);
    }

    #[test]
    fn what_changes_nothing_is_not_published() {
        let now = Instant::now();
        let pattern: Pattern = "a.b".parse().unwrap();
        let mut writer = TableWriter::new(0);
        assert!(!writer.remove(now, &pattern, target(1), Mode::Events, None));
        assert_eq!(writer.poll_timeout(), None);
        assert!(writer.insert(now, &pattern, target(1), Mode::Events, None));
        assert!(writer.take_snapshot(now).is_some());
        assert!(!writer.insert(now, &pattern, target(1), Mode::Events, None));
        assert_eq!(writer.poll_timeout(), None);
    }
}
