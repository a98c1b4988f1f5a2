//! The latest checkpoint of each group, one file each.
//!
//! ```text
//!   checkpoint/0000000a.ckpt:  "MESHCKPT" version(2) 0(2) group(4) length(8) CRC32C of the bytes(4) CRC32C of this(4)  bytes
//! ```
//! Little-endian. A new one takes the place of the old one by its name, when all of it is durable.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use crate::{
    files::{read_exact, replace, sync_removal},
    id::GroupId,
    location::{u32_at, u64_at},
    vfs::Vfs,
};

/// The directory of checkpoints.
pub const CHECKPOINT_DIR: &str = "checkpoint";
/// How often a checkpoint is read until its disk is said to be unable to.
const READS_MAX: u32 = 3;
/// The most bytes of a checkpoint.
pub const BYTES_MAX: u64 = 1 << 30;

const MAGIC: &[u8; 8] = b"MESHCKPT";
const VERSION: u16 = 1;
const HEAD: usize = 32;

/// Why a checkpoint can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// It has a format that is not known.
    #[error("format {0}, which this version does not know")]
    Version(u16),
    /// It is shorter or longer than it says.
    #[error("{is} bytes, and it says {should}")]
    Length {
        /// Its bytes.
        is: u64,
        /// What there should be.
        should: u64,
    },
    /// It is not what was written.
    #[error("not what was written: {0}")]
    Damaged(&'static str),
    /// The system could not read it.
    #[error("{0}")]
    Io(String),
}

/// Where the checkpoint of a group is.
#[must_use]
pub fn path(dir: &Path, group: GroupId) -> PathBuf {
    dir.join(CHECKPOINT_DIR).join(format!("{:08x}.ckpt", group.0))
}

/// Writes a checkpoint in the place of the one before. Durable when it returns.
///
/// # Errors
/// Those of the system (`StorageFull` too); the one before is still there then.
pub fn store(vfs: &dyn Vfs, dir: &Path, group: GroupId, bytes: &Bytes) -> io::Result<()> {
    if bytes.len() as u64 > BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the checkpoint is too large"));
    }
    replace(vfs, &path(dir, group), &[&head(group, bytes), bytes])
}

/// Removes the checkpoint of a group, if there is one. Durable when it returns.
///
/// # Errors
/// Those of the system.
pub fn remove(vfs: &dyn Vfs, dir: &Path, group: GroupId) -> io::Result<()> {
    sync_removal(vfs, &path(dir, group))
}

/// Reads the checkpoint of a group; `None` when there is none. What the system can't read is tried again at once, a few
/// times: a replica without its checkpoint takes no part, and a read that fails once says little of the disk.
///
/// # Errors
/// When it is not what was written.
pub fn load(vfs: &dyn Vfs, dir: &Path, group: GroupId) -> Result<Option<Bytes>, Unreadable> {
    let mut left = READS_MAX;
    loop {
        left -= 1;
        match read(vfs, dir, group) {
            Err(Unreadable::Io(_)) if left > 0 => {}
            read => return read,
        }
    }
}

fn read(vfs: &dyn Vfs, dir: &Path, group: GroupId) -> Result<Option<Bytes>, Unreadable> {
    let file = match vfs.open(&path(dir, group), true) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Unreadable::Io(error.to_string())),
    };
    let failed = |error: io::Error| Unreadable::Io(error.to_string());
    let size = file.size().map_err(failed)?;
    let mut head = [0; HEAD];
    if size < HEAD as u64 {
        return Err(Unreadable::Length { is: size, should: HEAD as u64 });
    }
    read_exact(&*file, &mut head, 0).map_err(failed)?;
    let (len, crc) = check_head(&head, group, size)?;
    let mut bytes = vec![0; len];
    read_exact(&*file, &mut bytes, HEAD as u64).map_err(failed)?;
    if crc32c::crc32c(&bytes) != crc {
        return Err(Unreadable::Damaged("its bytes have another checksum"));
    }
    Ok(Some(Bytes::from(bytes)))
}

/// Reads all checkpoints of a directory.
///
/// # Errors
/// When the directory can't be read.
pub fn load_all(vfs: &dyn Vfs, dir: &Path) -> io::Result<BTreeMap<GroupId, Result<Bytes, Unreadable>>> {
    let mut all = BTreeMap::new();
    for path in vfs.list(&dir.join(CHECKPOINT_DIR))? {
        let Some(group) = group_of(&path) else { continue };
        match load(vfs, dir, group) {
            Ok(None) => {}
            Ok(Some(bytes)) => _ = all.insert(group, Ok(bytes)),
            Err(unreadable) => _ = all.insert(group, Err(unreadable)),
        }
    }
    Ok(all)
}

fn group_of(path: &Path) -> Option<GroupId> {
    if path.extension()?.to_str()? != "ckpt" {
        return None;
    }
    let stem = path.file_stem()?.to_str()?;
    let group = u32::from_str_radix(stem, 16).ok().map(GroupId)?;
    (format!("{:08x}", group.0) == stem).then_some(group)
}

fn head(group: GroupId, bytes: &Bytes) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(MAGIC);
    head[8..10].copy_from_slice(&VERSION.to_le_bytes());
    head[12..16].copy_from_slice(&group.0.to_le_bytes());
    head[16..24].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
    head[24..28].copy_from_slice(&crc32c::crc32c(bytes).to_le_bytes());
    let crc = crc32c::crc32c(&head[..28]);
    head[28..].copy_from_slice(&crc.to_le_bytes());
    head
}

fn check_head(head: &[u8; HEAD], group: GroupId, size: u64) -> Result<(usize, u32), Unreadable> {
    if !head.starts_with(MAGIC) {
        return Err(Unreadable::Damaged("it does not begin like a checkpoint"));
    }
    if u32_at(head, 28) != crc32c::crc32c(&head[..28]) {
        return Err(Unreadable::Damaged("its head has another checksum"));
    }
    let version = u16::from_le_bytes([head[8], head[9]]);
    if version != VERSION {
        return Err(Unreadable::Version(version));
    }
    if u32_at(head, 12) != group.0 {
        return Err(Unreadable::Damaged("it is of another group"));
    }
    let len = u64_at(head, 16);
    let should = len.saturating_add(HEAD as u64);
    if len > BYTES_MAX || should != size {
        return Err(Unreadable::Length { is: size, should });
    }
    let len = usize::try_from(len).map_err(|_| Unreadable::Damaged("its length"))?;
    Ok((len, u32_at(head, 24)))
}
