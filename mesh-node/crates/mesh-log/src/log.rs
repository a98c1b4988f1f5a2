//! The write-ahead log of a node: what all its groups write, in one file at a time.
//!
//! ```text
//!   append ─► one block, one write ─► sync ─► durable, and the next block says so (its mark)
//!               │ no room in the file
//!               └► footer, next file (made ready before), its first block says where all groups stand
//!                    └► after a sync: the full file is sealed ─► released by whoever knows that nobody needs it
//! ```
//! Only [`Log::append`] can find that the disk is full, and only where a file has to be made; before anything is written.

mod begun;
mod current;
mod error;
mod open;
mod options;
mod recover;
mod recovered;
mod replay;
mod scan;
mod space;
mod standing;
mod survey;
mod work;
mod write;

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
};

use self::{begun::Begun, current::Current, standing::Standing};
pub use self::{
    error::{OpenError, WriteError},
    options::Options,
    recover::{FileReport, Part},
    recovered::{Damage, DamageKind, Recovered, RecoveredGroup, Sealed},
};
pub(crate) use self::{
    scan::{Block, Reader},
    survey::{Found, survey},
    work::{Work, Worked},
};
use crate::{
    id::{FileId, GroupId},
    vfs::{File, Vfs},
};

/// The log. Blocking; whoever has it writes alone.
#[derive(Debug)]
pub struct Log {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    options: Options,
    groups: BTreeMap<GroupId, Standing>,
    current: Option<Current>,
    begun: Begun,
    /// Files before it that were written to since the last sync.
    unsynced: Vec<Box<dyn File>>,
    /// The last block that was written.
    sequence: u64,
    /// The last block that counts.
    accepted: u64,
    /// The last block that is durable.
    durable: u64,
    /// The mark of the last block that was written.
    marked: u64,
    /// Full files whose successor is not durable.
    sealing: Vec<Sealed>,
    sealed: Vec<Sealed>,
    /// Empty files.
    ready: VecDeque<(FileId, Box<dyn File>)>,
    /// Files that nobody needs any more.
    free: VecDeque<FileId>,
    top_id: u64,
    /// Whether somebody is at work on files.
    working: bool,
    /// Whether whoever has the log works on files elsewhere.
    apart: bool,
    hurry: Arc<AtomicBool>,
    /// Bytes that were written so far.
    written: Arc<AtomicU64>,
    /// Whether writing has failed.
    broken: bool,
    /// Header and table of a block.
    front: Vec<u8>,
}
