//! Files made ready before they are needed. Slow, and done apart from whoever writes, where there is a thread for it.

use std::{
    fmt,
    io::{self, IoSlice},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::survey::path;
use crate::{
    id::FileId,
    vfs::{File, Vfs},
    wal::{ALIGN, head::Head},
};

/// Written at once while a file is filled.
const FILL_BYTES: usize = 1 << 20;

/// Something to be done with files.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) vfs: Arc<dyn Vfs>,
    pub(crate) dir: PathBuf,
    pub(crate) kind: Kind,
    /// Set when the file is needed now: what is not filled then stays so.
    pub(crate) hurry: Arc<AtomicBool>,
    /// Bytes that the log has written so far.
    pub(crate) written: Arc<AtomicU64>,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// A file is to be made; of one that nobody needs, if there is one.
    Make { head: Head, of: Option<FileId>, fill: bool },
    /// A file is to be removed.
    Remove { id: FileId },
}

/// What was done.
pub(crate) enum Worked {
    /// The file is there.
    Made(FileId, Box<dyn File>),
    /// There was no room.
    Full { of: Option<FileId> },
    /// It is gone.
    Removed,
    /// It failed.
    Failed(io::Error),
}

impl fmt::Debug for Worked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made(id, _) => write!(f, "Made({id:?})"),
            Self::Full { of } => write!(f, "Full({of:?})"),
            Self::Removed => f.write_str("Removed"),
            Self::Failed(error) => write!(f, "Failed({error})"),
        }
    }
}

/// Whether an error says that there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl Work {
    /// Does it.
    pub(crate) fn run(&self) -> Worked {
        match &self.kind {
            Kind::Remove { id } => match self.remove(*id) {
                Ok(()) => Worked::Removed,
                Err(error) => Worked::Failed(error),
            },
            Kind::Make { head, of, fill } => {
                let made = match of {
                    Some(of) => self.make_of(*of, head),
                    None => self.make(head, *fill),
                };
                match made {
                    Ok(file) => Worked::Made(head.id, file),
                    Err(error) if is_full(&error) => Worked::Full { of: *of },
                    Err(error) => Worked::Failed(error),
                }
            }
        }
    }

    fn remove(&self, id: FileId) -> io::Result<()> {
        match self.vfs.remove(&path(&self.dir, id)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.vfs.sync_dir(&self.dir),
        }
    }

    fn make(&self, head: &Head, fill: bool) -> io::Result<Box<dyn File>> {
        let new = self.dir.join(format!("{:016x}.new", head.id.0));
        remove_if_there(self.vfs.as_ref(), &new)?;
        let file = self.vfs.create(&new)?;
        let made = file.allocate(head.file_bytes).and_then(|()| {
            file.set_size(head.file_bytes)?;
            if fill { self.fill(file.as_ref(), head.file_bytes) } else { Ok(()) }
        });
        if let Err(error) = made {
            // What is left of it would take the room that is missing.
            remove_if_there(self.vfs.as_ref(), &new)?;
            return Err(error);
        }
        self.name(&new, head, file)
    }

    /// The old name goes first, durably: a file must never be found under one name with the head of another.
    fn make_of(&self, of: FileId, head: &Head) -> io::Result<Box<dyn File>> {
        let old = self.dir.join(format!("{:016x}.old", of.0));
        match self.vfs.rename(&path(&self.dir, of), &old) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.make(head, true),
            renamed => renamed?,
        }
        self.vfs.sync_dir(&self.dir)?;
        let file = self.vfs.open(&old, false)?;
        if file.size()? != head.file_bytes {
            drop(file);
            self.vfs.remove(&old)?;
            return self.make(head, true);
        }
        self.name(&old, head, file)
    }

    /// Durable as a whole before it has its name.
    fn name(&self, from: &Path, head: &Head, file: Box<dyn File>) -> io::Result<Box<dyn File>> {
        let mut bytes = [0; ALIGN as usize];
        let encoded = head.encode();
        bytes[..encoded.len()].copy_from_slice(&encoded);
        file.write_at(&mut [IoSlice::new(&bytes)], 0)?;
        file.sync_data()?;
        self.vfs.rename(from, &path(&self.dir, head.id))?;
        self.vfs.sync_dir(&self.dir)?;
        Ok(file)
    }

    /// Fills a file with zeros, as long as the log writes less than is filled: a first write to fresh space takes longer, but
    /// where the disk is busy already, writing everything twice takes longer still.
    fn fill(&self, file: &dyn File, size: u64) -> io::Result<()> {
        let zeros = vec![0; FILL_BYTES];
        let begun = self.written.load(Ordering::Relaxed);
        let mut at = 0;
        while at < size && !self.hurry.load(Ordering::Relaxed) {
            if self.written.load(Ordering::Relaxed) - begun > at + FILL_BYTES as u64 {
                break;
            }
            let now = usize::try_from(size - at).map_or(FILL_BYTES, |left| left.min(FILL_BYTES));
            file.write_at(&mut [IoSlice::new(&zeros[..now])], at)?;
            // In small parts, so that a sync of the log never waits for many of them.
            file.sync_data()?;
            at += now as u64;
        }
        Ok(())
    }
}

fn remove_if_there(vfs: &dyn Vfs, path: &Path) -> io::Result<()> {
    match vfs.remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Removes what a crash left of files that were being made.
pub(crate) fn sweep(vfs: &dyn Vfs, dir: &Path) -> io::Result<()> {
    for name in vfs.list(dir)? {
        if name.extension().is_some_and(|ending| ending == "new" || ending == "old") {
            remove_if_there(vfs, &dir.join(name))?;
        }
    }
    Ok(())
}
