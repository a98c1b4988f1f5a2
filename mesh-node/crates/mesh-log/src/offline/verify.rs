//! Reads all that a data directory holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    sync::Arc,
};

use bytes::Bytes;

use super::Error;
use crate::{
    directory::Uuid,
    id::GroupId,
    keeper::{self, Keeper},
    lanes::Lanes,
    location::Piece,
    log::{self, Damage, FileReport, Log},
    record::HardState,
    scrub::{DamagedPiece, Scrub},
    vfs::Vfs,
};

/// Read at once.
const SCRUB_BYTES: u64 = 64 << 20;

/// What a data directory holds, and what of it is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Files of the log, by rising id.
    pub files: Vec<FileReport>,
    /// What the log has of each group.
    pub groups: BTreeMap<GroupId, GroupReport>,
    /// Damage in the log by which something is lost.
    pub damage: Vec<Damage>,
    /// Damage in the log by which nothing is lost.
    pub harmless: Vec<Damage>,
    /// Bytes at the end of the log that were being written when it ended.
    pub torn_bytes: u64,
    /// Bytes of the checkpoint of each group.
    pub checkpoints: BTreeMap<GroupId, u64>,
    /// How many segments there are.
    pub segments: u64,
    /// Bytes of records in them that were read.
    pub segment_bytes: u64,
    /// Damaged checkpoints, indexes and segments.
    pub store: Vec<keeper::Damage>,
    /// Damaged records in segments.
    pub pieces: Vec<DamagedPiece>,
    /// What is not there and should be, by group, in words.
    pub lacking: Vec<(GroupId, String)>,
    /// Somebody agreed to go on without what is lost of checkpoints and segments.
    pub accepted: bool,
}

/// Says what a group lacks, by its checkpoint, what the log has of it, and where its records stand. What is in a checkpoint
/// the log does not know: whoever made it has to say.
pub type Lacking<'a> =
    dyn Fn(GroupId, Option<&Bytes>, Option<&log::RecoveredGroup>, &Lanes) -> Vec<String> + 'a;

/// Gives the records that the checkpoint of a group names in files of the log and that stand in no segment.
pub type InLog<'a> = dyn Fn(GroupId, &Bytes, &Lanes) -> Vec<Piece> + 'a;

/// What whoever made the checkpoints has to say of them.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// What a group lacks.
    pub lacking: &'a Lacking<'a>,
    /// Which records stand in the log alone.
    pub in_log: &'a InLog<'a>,
}

impl fmt::Debug for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").finish_non_exhaustive()
    }
}

/// What a log has of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupReport {
    /// The last state.
    pub state: HardState,
    /// Index and term of the last entry that a checkpoint has.
    pub cut: (u64, u64),
    /// How many entries there are behind it.
    pub entries: u64,
    /// The last index that can be used.
    pub last: u64,
    /// Whether the group has no replica here any more.
    pub removed: bool,
    /// Whether something that was promised may be missing.
    pub suspect: bool,
    /// Indices that are lost: the first, and the last that is known of.
    pub lost: Option<(u64, u64)>,
}

impl Report {
    /// Whether anything is lost.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        !self.damage.is_empty()
            || !self.store.is_empty()
            || !self.pieces.is_empty()
            || !(self.accepted || self.lacking.is_empty())
            || self.groups.values().any(|group| group.suspect)
    }
}

/// Reads everything in a data directory. Nothing is changed.
///
/// # Errors
/// When something can't be read at all, or is not this directory's. Damage is in the report.
pub fn verify(vfs: &Arc<dyn Vfs>, dir: &Path, directory: Uuid, told: Told<'_>) -> Result<Report, Error> {
    let options = keeper::Options { read_only: true, ..keeper::Options::default() };
    let (keeper, restored) = Keeper::open(Arc::clone(vfs), dir, options)?;
    let options = log::Options { kept: restored.kept, ..log::Options::new(directory.0) };
    let (recovered, files) = Log::inspect(Arc::clone(vfs), &dir.join("log"), &options)?;
    let keeper = Arc::new(keeper);
    let segments = keeper.segments().len() as u64;
    let mut scrub = Scrub::new(Arc::clone(&keeper));
    let mut pieces = Vec::new();
    while segments > 0 && scrub.progress().rounds == 0 {
        let found = scrub.step(SCRUB_BYTES);
        pieces.extend(found.into_iter().filter(|at| restored.lanes.stands(at.group, &at.piece)));
    }
    // The log itself needs them no more: what of them is damaged there, it calls harmless.
    for (group, checkpoint) in &restored.checkpoints {
        let in_log = (told.in_log)(*group, checkpoint, &restored.lanes);
        let damaged = in_log.into_iter().filter(|piece| keeper.read_piece(piece).is_none());
        pieces.extend(damaged.map(|piece| DamagedPiece { group: *group, piece }));
    }
    let all: BTreeSet<GroupId> =
        restored.checkpoints.keys().chain(recovered.groups.keys()).copied().collect();
    let is_lost = |group: &GroupId| restored.damage.iter().any(|damage| damage.lost_state() == Some(*group));
    let lacks = all.into_iter().filter(|group| !is_lost(group)).flat_map(|group| {
        let (checkpoint, log) = (restored.checkpoints.get(&group), recovered.groups.get(&group));
        (told.lacking)(group, checkpoint, log, &restored.lanes).into_iter().map(move |what| (group, what))
    });
    let lacks = lacks.collect();
    let groups = recovered.groups.into_iter().map(|(id, group)| (id, report(&group))).collect();
    Ok(Report {
        files,
        groups,
        damage: recovered.damage,
        harmless: recovered.harmless,
        torn_bytes: recovered.torn_bytes,
        checkpoints: restored.checkpoints.iter().map(|(id, bytes)| (*id, bytes.len() as u64)).collect(),
        segments,
        segment_bytes: scrub.progress().bytes,
        store: restored.damage,
        pieces,
        lacking: lacks,
        accepted: keeper::is_loss_accepted(vfs.as_ref(), dir)?,
    })
}

fn report(group: &log::RecoveredGroup) -> GroupReport {
    let last = group.entries.last().map_or(group.cut.0, |(entry, _)| entry.index);
    GroupReport {
        state: group.state,
        cut: group.cut,
        entries: group.entries.len() as u64,
        last,
        removed: group.removed,
        // A replica that found itself to have lost something wrote down that more is committed than it has.
        suspect: group.suspect || (!group.removed && group.state.commit > last),
        lost: group.lost,
    }
}
