//! Segments and checkpoints: what outlives the log.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use bytes::Bytes;

use crate::{
    id::{FileId, GroupId},
    job::{Done, Job},
    lanes::Lanes,
    vfs::Vfs,
};

mod damage;
mod error;
mod options;
mod shell;

pub use self::{
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
}

impl Keeper {
    /// Opens what is in a data directory. Reads directories of segments and checkpoints only, no records.
    ///
    /// # Errors
    /// When the system refuses. Damage is no error.
    pub fn open(vfs: Arc<dyn Vfs>, dir: &Path, options: Options) -> Result<(Self, Restored), OpenError> {
        _ = (dir, options);
        Ok((Self { vfs }, Restored::default()))
    }

    /// Does a job. Blocks.
    #[must_use]
    pub fn run(&self, job: Job) -> Done {
        _ = (job, &self.vfs);
        Done::Failed("not there yet".to_owned())
    }
}
