//! What was read and what was not, put together.

use super::{FileReport, Recovery, walk::Walk};
use crate::{
    id::FileId,
    log::{Damage, DamageKind, Recovered, Sealed},
    wal::footer::Extent,
};

impl Walk<'_> {
    /// Says of whom something is lost, and where the log goes on.
    pub(super) fn finish(self) -> Recovery {
        let accepted = self.accepted.unwrap_or(0);
        let losers = self.replay.known_losers();
        let (groups, standing, blind) = self.replay.finish();
        let answered = self.answered;
        let (damage, harmless): (Vec<Damage>, Vec<Damage>) = self
            .damage
            .into_iter()
            .enumerate()
            .map(|(nth, damage)| Damage {
                groups: match damage.groups {
                    _ if blind && nth >= answered => None,
                    Some(groups) => Some(groups.into_iter().filter(|id| losers.contains(id)).collect()),
                    None => Some(losers.iter().copied().collect()),
                },
                ..damage
            })
            .partition(|damage| damage.groups.as_ref().is_none_or(|groups| !groups.is_empty()));
        // Files that nobody needs are gone, in any order.
        let harmless: Vec<Damage> =
            harmless.into_iter().filter(|damage| damage.what != DamageKind::Missing).collect();
        // A new file says of each group what is left of it; and nothing is written behind what can't be read.
        let tail = self
            .tail
            .filter(|tail| damage.is_empty() && harmless.iter().all(|damage| damage.file != tail.id));
        let is_damaged = |file: FileId| damage.iter().any(|damage| damage.file == file);
        let is_last = |file: FileId| tail.as_ref().is_some_and(|tail| tail.id == file);
        let used = |file: FileId| self.files.iter().any(|found| found.id == file && found.used);
        let is_passed = |extent: &Extent| {
            groups.get(&extent.group).is_none_or(|group| group.removed || extent.last <= group.cut.0)
        };
        let is_kept = |report: &FileReport| {
            self.options.kept.contains(&report.file) && report.groups.iter().all(is_passed)
        };
        let sealed = self
            .reports
            .iter()
            .filter(|report| used(report.file) && !is_last(report.file) && !is_damaged(report.file))
            .filter(|report| !is_kept(report))
            .map(|report| Sealed {
                file: report.file,
                groups: report.groups.iter().map(|extent| (extent.group, extent.last)).collect(),
                bytes: report.groups.iter().map(|extent| extent.bytes).sum(),
            })
            .collect();
        let torn_bytes = self.torn_bytes;
        Recovery {
            recovered: Recovered { groups, damage, harmless, sealed, torn_bytes },
            standing,
            tail,
            accepted,
            top: self.top.max(accepted),
            unclosed: self.unclosed,
            files: self.reports,
            unproven: self.unproven,
            newest: self.files.iter().filter(|file| file.used).map(|file| file.id).max(),
        }
    }
}
