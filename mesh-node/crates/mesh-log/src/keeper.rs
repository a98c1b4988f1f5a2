//! Segments and checkpoints: what outlives the log.
//!
//! ```text
//!   Job ─► read ─────── sources ─► index of a segment ─► pieces, each compared with its checksum
//!       ├► move, store, compact ─► one block at the end of the segment being built ─► durable ─► where they stand now
//!       ├► keep ──────► an index beside a full file of the log
//!       └► checkpoint ► a file in the place of the one before
//! ```
//! A job that fails leaves everything as before. Nothing that is damaged is deleted, or served.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};

use crate::{
    checkpoint,
    files::Files,
    id::{FileId, GroupId},
    job::{Done, Job},
    lanes::Lanes,
    segment::Segment,
    vfs::Vfs,
};

mod accept;
mod build;
mod damage;
mod error;
mod open;
mod options;
mod read;
mod shell;
#[cfg(test)]
mod tests;
mod work;

use self::build::Builder;
pub use self::{
    accept::{accept_lack, accept_loss, is_loss_accepted},
    damage::{Damage, DamageKind},
    error::OpenError,
    options::Options,
    shell::{Busy, Event, Shell, ShellOptions, spawn},
};

/// What was there when the keeper was opened.
#[derive(Debug, Default)]
pub struct Restored {
    /// Where the records in segments stand. Say for each group what its checkpoint has ([`Lanes::restrict`]) before
    /// anything else, and [forget](Lanes::forget) groups that are not here any more.
    pub lanes: Lanes,
    /// The latest checkpoint of each group, as it was given to [`Job::Checkpoint`].
    pub checkpoints: BTreeMap<GroupId, Bytes>,
    /// Files of the log that are segments: for `log::Options::kept`.
    pub kept: BTreeSet<FileId>,
    /// What is not as it was written. Nothing of it was deleted.
    pub damage: Vec<Damage>,
}

/// Reads and writes segments and checkpoints. May be used by several threads at once; jobs of one group, and jobs that
/// name the same file, must follow each other.
#[derive(Debug)]
pub struct Keeper {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    options: Options,
    files: Files,
    segments: RwLock<BTreeMap<FileId, Arc<Segment>>>,
    builder: Mutex<Builder>,
}

impl Keeper {
    /// Opens what is in a data directory. Reads directories of segments and checkpoints only, no records; and finishes
    /// what a crash left unfinished.
    ///
    /// # Errors
    /// When the system refuses. Damage is no error.
    pub fn open(vfs: Arc<dyn Vfs>, dir: &Path, options: Options) -> Result<(Self, Restored), OpenError> {
        open::open(vfs, dir, options)
    }

    /// Does a job. Blocks.
    #[must_use]
    pub fn run(&self, job: Job) -> Done {
        match job {
            Job::Read { group, lane, first, last, max_bytes, sources } => {
                self.read((group, lane), (first, last), max_bytes, &sources)
            }
            Job::Checkpoint { group, bytes } => {
                done(checkpoint::store(&*self.vfs, &self.dir, group, &bytes), |()| Done::Checkpointed)
            }
            Job::Forget { group } => {
                done(checkpoint::remove(&*self.vfs, &self.dir, group), |()| Done::Forgotten)
            }
            Job::Move { group, pieces } => self.do_move(group, &pieces),
            Job::Store { group, pieces } => self.store(group, pieces),
            Job::Keep { file, pieces } => self.keep(file, pieces),
            Job::Compact { file, pieces, wanted } => self.compact(file, pieces, &wanted),
            Job::Drop { file, pieces } => self.drop_segment(file, pieces),
        }
    }

    /// The segments, by rising id.
    #[must_use]
    pub fn segments(&self) -> Vec<FileId> {
        self.segments.read().keys().copied().collect()
    }

    fn segment(&self, file: FileId) -> Option<Arc<Segment>> {
        self.segments.read().get(&file).cloned()
    }
}

/// What became of a job by what became of its last step.
fn done<T>(result: std::io::Result<T>, how: impl FnOnce(T) -> Done) -> Done {
    match result {
        Ok(value) => how(value),
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => Done::Full,
        Err(error) => Done::Failed(error.to_string()),
    }
}
