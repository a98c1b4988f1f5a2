//! Files in memory.

use std::collections::BTreeMap;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mesh_log::vfs::{File, Vfs};

type Content = Arc<Mutex<Vec<u8>>>;

/// Files in memory, without any fault. Clones are the same files.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory(Arc<Mutex<BTreeMap<PathBuf, Content>>>);

#[derive(Debug)]
struct Open(Content);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    pub(super) fn put(&self, path: &Path, bytes: Vec<u8>) {
        lock(&self.0).insert(path.to_owned(), Arc::new(Mutex::new(bytes)));
    }

    pub(super) fn get(&self, path: &Path) -> Option<Vec<u8>> {
        lock(&self.0).get(path).map(|content| lock(content).clone())
    }
}

impl Vfs for Memory {
    fn open(&self, path: &Path, _read_only: bool) -> io::Result<Box<dyn File>> {
        let content = lock(&self.0).get(path).cloned().ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Open(content)))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let content = Content::default();
        if lock(&self.0).insert(path.to_owned(), content.clone()).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(Box::new(Open(content)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = lock(&self.0);
        let content = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), content);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        lock(&self.0).remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let files = lock(&self.0);
        let inside = files.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| path.file_name().map(PathBuf::from)).collect())
    }

    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }
}

impl File for Open {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let bytes = lock(&self.0);
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let count = into.len().min(bytes.len() - from);
        into[..count].copy_from_slice(&bytes[from..from + count]);
        Ok(count)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut bytes = lock(&self.0);
        let mut at = usize::try_from(offset).map_err(|_| io::ErrorKind::StorageFull)?;
        for part in parts.iter() {
            let end = at + part.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[at..end].copy_from_slice(part);
            at = end;
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn allocate(&self, size: u64) -> io::Result<()> {
        let mut bytes = lock(&self.0);
        let size = usize::try_from(size).map_err(|_| io::ErrorKind::StorageFull)?;
        if bytes.len() < size {
            bytes.resize(size, 0);
        }
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(lock(&self.0).len() as u64)
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        lock(&self.0).resize(usize::try_from(size).map_err(|_| io::ErrorKind::StorageFull)?, 0);
        Ok(())
    }
}
