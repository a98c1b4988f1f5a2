//! Names of files, and a bounded cache of open ones.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;

use crate::{
    id::FileId,
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

/// Files that are open for reading: no more than so many, the least recently used one goes first.
#[derive(Debug)]
pub(crate) struct Files {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
    max: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    uses: u64,
    files: BTreeMap<FileId, (Arc<dyn File>, u64)>,
}

impl Files {
    pub(crate) fn new(vfs: Arc<dyn Vfs>, dir: &Path, max: usize) -> Self {
        Self { vfs, dir: dir.to_owned(), max: max.max(1), open: Mutex::default() }
    }

    /// The file, opened if it is not.
    pub(crate) fn get(&self, file: FileId) -> io::Result<Arc<dyn File>> {
        let mut open = self.open.lock();
        open.uses += 1;
        let now = open.uses;
        if let Some((found, used)) = open.files.get_mut(&file) {
            *used = now;
            return Ok(found.clone());
        }
        drop(open);
        let opened: Arc<dyn File> = Arc::from(self.vfs.open(&data_path(&self.dir, file), true)?);
        let mut open = self.open.lock();
        while open.files.len() >= self.max {
            let oldest = open.files.iter().min_by_key(|(_, (_, used))| *used).map(|(file, _)| *file);
            let Some(oldest) = oldest else { break };
            open.files.remove(&oldest);
        }
        open.files.insert(file, (opened.clone(), now));
        Ok(opened)
    }

    /// Closes it.
    pub(crate) fn close(&self, file: FileId) {
        self.open.lock().files.remove(&file);
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.open.lock().files.len()
    }
}
