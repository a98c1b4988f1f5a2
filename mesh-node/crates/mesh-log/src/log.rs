//! The write-ahead log of a node: what all its groups write, in one file at a time.

mod error;
mod options;
mod recovered;

use std::{path::Path, sync::Arc};

pub use self::{
    error::{OpenError, WriteError},
    options::Options,
    recovered::{Damage, DamageKind, Recovered, RecoveredGroup, Sealed},
};
use crate::{id::FileId, location::Location, record::Record, vfs::Vfs};

/// The log. Blocking; whoever has it writes alone.
#[derive(Debug)]
pub struct Log {
    vfs: Arc<dyn Vfs>,
}

impl Log {
    /// Opens the log in a directory, which is made when it is not there, and reads what is needed of it.
    ///
    /// Damage is no error: it is in what is returned, and everything that is damaged is left as it is.
    ///
    /// # Errors
    /// When the system refuses, or a file has a format that is not known.
    pub fn open(vfs: Arc<dyn Vfs>, dir: &Path, options: Options) -> Result<(Self, Recovered), OpenError> {
        _ = (dir, options);
        Ok((Self { vfs }, Recovered::default()))
    }

    /// Writes records as one block; durable after [`Log::sync`]. Returns where the payload of each
    /// [`Record::Entry`] stands, in order. After a crash before the sync all of them may be there or none (only when
    /// they don't fit into one file together, the first ones).
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn append(&mut self, records: &[Record]) -> Result<Vec<Location>, WriteError> {
        _ = (records, &self.vfs);
        Err(WriteError::Broken)
    }

    /// Makes everything durable that was appended.
    ///
    /// # Errors
    /// [`WriteError`]; never [`WriteError::Full`].
    pub fn sync(&mut self) -> Result<(), WriteError> {
        Err(WriteError::Broken)
    }

    /// Files that became full, and whose successor is durable, since it was last asked.
    pub fn sealed(&mut self) -> Vec<Sealed> {
        Vec::new()
    }

    /// No group needs a sealed file any more: its space may be used again, or (`kept`) it is a segment now and not ours.
    pub fn release(&mut self, file: FileId, kept: bool) {
        _ = (file, kept);
    }
}
