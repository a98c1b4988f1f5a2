//! Names of files, and a bounded cache of open ones.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    io::{self, IoSlice},
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;

use crate::{
    id::FileId,
    location::Location,
    vfs::{File, Vfs},
};

/// The bit that tells the id of a segment that was built from that of a file of the log.
const BUILT: u64 = 1 << 63;
/// The directory of the log.
pub const LOG_DIR: &str = "log";
/// The directory of segments.
pub const SEGMENT_DIR: &str = "seg";

/// Whether a file was built as a segment; else it is a file of the log, or was one.
#[must_use]
pub const fn is_built(file: FileId) -> bool {
    file.0 & BUILT != 0
}

/// The id of the nth segment that was built.
#[must_use]
pub(crate) const fn built(nth: u64) -> FileId {
    FileId(nth | BUILT)
}

/// Which of the segments that were built it is.
#[must_use]
pub(crate) fn built_number(file: FileId) -> Option<u64> {
    is_built(file).then_some(file.0 & !BUILT)
}

/// Where the bytes of a file are.
#[must_use]
pub fn data_path(dir: &Path, file: FileId) -> PathBuf {
    if is_built(file) {
        dir.join(SEGMENT_DIR).join(format!("{:016x}.seg", file.0))
    } else {
        dir.join(LOG_DIR).join(format!("{:016x}.wal", file.0))
    }
}

/// Where the index of a segment is.
#[must_use]
pub fn index_path(dir: &Path, file: FileId) -> PathBuf {
    dir.join(SEGMENT_DIR).join(format!("{:016x}.idx", file.0))
}

/// The file that a path of this shape is of: `{id:016x}.{extension}`.
#[must_use]
pub(crate) fn id_of(path: &Path, extension: &str) -> Option<FileId> {
    if path.extension()?.to_str()? != extension {
        return None;
    }
    let stem = path.file_stem()?.to_str()?;
    let hex = stem.len() == 16 && stem.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    hex.then(|| u64::from_str_radix(stem, 16).ok()).flatten().map(FileId)
}

/// How far files of a data directory reach; each is looked at once.
#[derive(Debug)]
pub struct Reach<'a> {
    vfs: &'a dyn Vfs,
    dir: &'a Path,
    sizes: RefCell<BTreeMap<FileId, u64>>,
}

impl<'a> Reach<'a> {
    /// Those of this directory.
    #[must_use]
    pub fn of(vfs: &'a dyn Vfs, dir: &'a Path) -> Self {
        Self { vfs, dir, sizes: RefCell::default() }
    }

    /// Whether there are so many bytes, whatever they are.
    #[must_use]
    pub fn has(&self, location: &Location) -> bool {
        let mut sizes = self.sizes.borrow_mut();
        let size = sizes.entry(location.file).or_insert_with(|| {
            let file = self.vfs.open(&data_path(self.dir, location.file), true);
            file.and_then(|file| file.size()).unwrap_or(0)
        });
        location.offset.checked_add(location.len.into()).is_some_and(|end| end <= *size)
    }
}

/// Reads all of it.
pub(crate) fn read_exact(file: &dyn File, into: &mut [u8], offset: u64) -> io::Result<()> {
    if file.read_at(into, offset)? < into.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// Writes many parts one after the other.
pub(crate) fn write_all(file: &dyn File, parts: &[&[u8]], offset: u64) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    file.write_at(&mut slices, offset)
}

/// Writes a file in the place of the one that may have its name, durably: either is there after a crash, whole. When it
/// fails, the old one is.
pub(crate) fn replace(vfs: &dyn Vfs, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let fresh = path.with_extension("tmp");
    let written = write_fresh(vfs, &fresh, parts).and_then(|()| vfs.rename(&fresh, path));
    if written.is_err() {
        drop(vfs.remove(&fresh));
        return written;
    }
    path.parent().map_or(Ok(()), |dir| vfs.sync_dir(dir))
}

fn write_fresh(vfs: &dyn Vfs, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let file = match vfs.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            vfs.remove(path)?;
            vfs.create(path)?
        }
        other => other?,
    };
    file.allocate(parts.iter().map(|part| part.len() as u64).sum())?;
    write_all(&*file, parts, 0)?;
    file.sync_data()
}

/// Removes a file, if it is there, durably.
pub(crate) fn sync_removal(vfs: &dyn Vfs, path: &Path) -> io::Result<()> {
    match vfs.remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => path.parent().map_or(Ok(()), |dir| vfs.sync_dir(dir)),
    }
}

/// Files that are open for reading: no more than so many, the least recently used one goes first.
#[derive(Debug)]
pub(crate) struct Files {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    max: usize,
    open: Mutex<Open>,
}

/// Which file of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The one with the records.
    Data,
    /// The one that says where they are.
    Index,
}

#[derive(Debug, Default)]
struct Open {
    uses: u64,
    files: BTreeMap<(FileId, Part), (Arc<dyn File>, u64)>,
}

impl Files {
    pub(crate) fn new(vfs: Arc<dyn Vfs>, dir: &Path, max: usize) -> Self {
        Self { vfs, dir: dir.to_owned(), max: max.max(1), open: Mutex::default() }
    }

    /// The file, opened if it is not.
    pub(crate) fn get(&self, file: FileId, part: Part) -> io::Result<Arc<dyn File>> {
        let mut open = self.open.lock();
        open.uses += 1;
        let now = open.uses;
        if let Some((found, used)) = open.files.get_mut(&(file, part)) {
            *used = now;
            return Ok(found.clone());
        }
        drop(open);
        let path = match part {
            Part::Data => data_path(&self.dir, file),
            Part::Index => index_path(&self.dir, file),
        };
        let opened: Arc<dyn File> = Arc::from(self.vfs.open(&path, true)?);
        let mut open = self.open.lock();
        while open.files.len() >= self.max {
            let oldest = open.files.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key);
            let Some(oldest) = oldest else { break };
            open.files.remove(&oldest);
        }
        open.files.insert((file, part), (opened.clone(), now));
        Ok(opened)
    }

    /// Closes both files of a segment: one of them was changed or removed.
    pub(crate) fn close(&self, file: FileId) {
        let mut open = self.open.lock();
        open.files.remove(&(file, Part::Data));
        open.files.remove(&(file, Part::Index));
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.open.lock().files.len()
    }
}
