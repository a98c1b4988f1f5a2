//! Real files that fail on purpose, and can be told how while they are used.
//!
//! ```text
//!   caller ─► Faulty ─► another file system
//!                ▲
//!              Faults: slow, failing, full, forgetful; changed at any time
//! ```

mod faults;
mod held;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fmt,
    io::{self, IoSlice},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use self::faults::{Faults, FaultsError};
use self::held::Held;
use super::{File, Vfs};

/// What was written to a file and not synced, whoever has it open.
type Shared = Arc<Mutex<Held>>;

/// A file system that fails as its [`Faults`] say.
#[derive(Debug)]
pub struct Faulty {
    inner: Arc<dyn Vfs>,
    faults: Arc<Faults>,
    held: Mutex<HashMap<PathBuf, Shared>>,
}

impl Faulty {
    /// Over another one.
    #[must_use]
    pub fn new(inner: Arc<dyn Vfs>, faults: Arc<Faults>) -> Self {
        Self { inner, faults, held: Mutex::default() }
    }

    fn wrap(&self, path: &Path, inner: Box<dyn File>) -> Box<dyn File> {
        let held = Arc::clone(locked(&self.held).entry(path.to_owned()).or_default());
        Box::new(FaultyFile { inner, faults: Arc::clone(&self.faults), held })
    }
}

impl Vfs for Faulty {
    fn open(&self, path: &Path, read_only: bool) -> io::Result<Box<dyn File>> {
        Ok(self.wrap(path, self.inner.open(path, read_only)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.faults.room()?;
        Ok(self.wrap(path, self.inner.create(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename(from, to)?;
        let mut held = locked(&self.held);
        if let Some(moved) = held.remove(from) {
            held.insert(to.to_owned(), moved);
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        locked(&self.held).remove(path);
        self.inner.remove(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        self.inner.list(dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.inner.create_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.faults.sync()?;
        self.inner.sync_dir(dir)
    }
}

struct FaultyFile {
    inner: Box<dyn File>,
    faults: Arc<Faults>,
    held: Shared,
}

impl fmt::Debug for FaultyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyFile").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl File for FaultyFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        // Held back until both are read: a sync between them would make the newer bytes be taken for older ones.
        let held = locked(&self.held);
        let read = self.inner.read_at(into, offset)?;
        let read = held.read_over(into, read, offset);
        drop(held);
        self.faults.flip(&mut into[..read]);
        Ok(read)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.faults.write()?;
        if !self.faults.forgets() {
            return self.inner.write_at(parts, offset);
        }
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        locked(&self.held).write(offset, bytes);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.faults.sync()?;
        let mut held = locked(&self.held);
        for (offset, bytes) in held.take() {
            self.inner.write_at(&mut [IoSlice::new(&bytes)], offset)?;
        }
        self.inner.sync_data()
    }

    fn allocate(&self, size: u64) -> io::Result<()> {
        self.faults.room()?;
        self.inner.allocate(size)
    }

    fn size(&self) -> io::Result<u64> {
        let held = locked(&self.held).end();
        Ok(self.inner.size()?.max(held))
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        if size > self.size()? {
            self.faults.room()?;
        }
        locked(&self.held).cut(size);
        self.inner.set_size(size)
    }
}

/// Nobody panics while holding one; and what a panicking test held is whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
