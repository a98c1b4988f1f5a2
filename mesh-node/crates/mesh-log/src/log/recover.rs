//! Reads a log from front to back, and tells what was torn from what is damaged.
//!
//! A block that can't be read, or is not there, is **damage** if any later block was written when it was known to be
//! durable (the mark of that one is not below it). Otherwise nobody was ever told that it was stored: it is **torn**, and
//! with it goes everything behind it, which nobody was told of either. Nothing is written here.

mod finish;
mod newest;
mod unproven;
mod walk;

use std::{collections::BTreeMap, path::Path, sync::Arc};

pub(crate) use self::unproven::Doubt;
use self::{unproven::Unproven, walk::Walk};
use super::{
    OpenError, Options, Recovered, begun,
    replay::Replay,
    standing::Standing,
    survey::{Found, survey},
};
use crate::{
    id::{FileId, GroupId},
    vfs::Vfs,
    wal::{
        block::Header,
        footer::{Extent, Footer},
        item::Item,
    },
};

/// What a log came to.
#[derive(Debug)]
pub(crate) struct Recovery {
    pub(crate) recovered: Recovered,
    pub(crate) standing: BTreeMap<GroupId, Standing>,
    /// Where writing can go on; in a new file when there is no such place.
    pub(crate) tail: Option<Tail>,
    /// The last block that counts.
    pub(crate) accepted: u64,
    /// The highest sequence that was ever seen.
    pub(crate) top: u64,
    /// Files with blocks that do not count, and no footer to say so.
    pub(crate) unclosed: Vec<(FileId, Footer)>,
    /// Every file, by rising id.
    pub(crate) files: Vec<FileReport>,
    /// What counts and may not be durable.
    pub(crate) unproven: Unproven,
    /// The last file with a block in it.
    pub(crate) newest: Option<FileId>,
}

/// The place behind the last block.
#[derive(Debug)]
pub(crate) struct Tail {
    pub(crate) id: FileId,
    pub(crate) offset: u64,
    pub(crate) ordinal: u32,
    pub(crate) first: u64,
    pub(crate) groups: BTreeMap<GroupId, Extent>,
}

/// What there is to say of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// The file.
    pub file: FileId,
    /// Its bytes.
    pub bytes: u64,
    /// What it is to the log.
    pub part: Part,
    /// Blocks that count, as far as they were read.
    pub blocks: u64,
    /// What it holds, by rising group.
    pub groups: Vec<Extent>,
}

/// What a file is to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Nothing was written to it yet, or nothing that counts.
    Empty,
    /// Nobody needs it, as its footer says: it was not read.
    Passed,
    /// It was read.
    Read,
}

/// Reads a log.
pub(crate) fn recover(
    vfs: &Arc<dyn Vfs>,
    dir: &Path,
    options: &Options,
    read_all: bool,
) -> Result<Recovery, OpenError> {
    let files = survey(vfs, dir, options)?;
    let mut walk = Walk::new(vfs.as_ref(), options, &files);
    if !read_all {
        walk.covered = covered(&files);
    }
    walk.all()?;
    walk.newest(begun::read(vfs.as_ref(), dir, options.identity)?);
    Ok(walk.finish())
}

/// What the newest file whose first block was known to be durable says of where groups stand, and which file that is:
/// those before it that it says nobody needs have nothing in them that could be torn.
fn covered(files: &[Found]) -> Option<(Replay, FileId)> {
    let starts = || files.iter().filter_map(|file| file.start.as_ref().map(|start| (file, start)));
    let counts = |(file, (header, _)): &(&Found, &(Header, Vec<Item>))| header.sequence <= file.limit;
    let mark = starts().filter(counts).map(|(_, (header, _))| header.mark).max()?;
    let (file, (_, items)) =
        starts().rev().filter(counts).find(|(_, (header, _))| header.sequence <= mark)?;
    let mut replay = Replay::default();
    replay.handle_start(file.id, items.iter());
    Some((replay, file.id))
}

/// Takes an entry into what a file holds.
pub(crate) fn extend_by(groups: &mut BTreeMap<GroupId, Extent>, item: &Item) {
    if let Item::Entry { group, index, len, .. } = *item {
        let extent = groups.entry(group).or_insert(Extent { group, first: index, last: index, bytes: 0 });
        extent.first = extent.first.min(index);
        extent.last = extent.last.max(index);
        extent.bytes += u64::from(len);
    }
}
