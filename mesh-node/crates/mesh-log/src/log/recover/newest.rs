//! Whether the newest file is there.

use super::walk::Walk;
use crate::{bug::Bug, id::FileId, log::DamageKind};

impl Walk<'_> {
    /// Takes in which file was begun last. To be called behind everything else: it is not known what was in it.
    pub(super) fn newest(&mut self, begun: Option<FileId>) {
        let Some(begun) = begun else { return };
        // One that is behind it, and was never acknowledged, has all the same said where its predecessor ends.
        let is_outdated = self.files.iter().any(|file| file.used && file.id > begun);
        if is_outdated || self.options.bugs.has(Bug::TruncateOnDamage) {
            return;
        }
        match self.files.iter().find(|file| file.id == begun) {
            None => self.damaged(begun, 0, 0, DamageKind::Missing),
            Some(file) if file.used => {}
            // It was whole before it had its name. One without a block was begun, and that was all.
            Some(file) if file.head.is_none() => self.damaged(begun, 0, file.size, DamageKind::Head),
            Some(file) if file.is_short() => self.damaged(begun, file.size, 0, DamageKind::Short),
            Some(_) => {}
        }
    }
}
