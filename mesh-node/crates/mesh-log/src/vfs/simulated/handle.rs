//! An open file.

use std::{
    io::{self, IoSlice},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{super::File, state::State};

/// An open file of a simulated disk; of no use once that has crashed.
#[derive(Debug)]
pub(super) struct Handle {
    disk: Arc<Mutex<State>>,
    inode: u64,
    generation: u64,
    read_only: bool,
}

impl Handle {
    pub(super) fn new(disk: Arc<Mutex<State>>, inode: u64, generation: u64, read_only: bool) -> Self {
        Self { disk, inode, generation, read_only }
    }

    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.lock();
        if state.generation() == self.generation {
            Ok(state)
        } else {
            Err(io::Error::other("a file that was opened before the crash"))
        }
    }

    fn writable(&self) -> io::Result<MutexGuard<'_, State>> {
        if self.read_only {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "opened for reading"));
        }
        self.state()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl File for Handle {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.state()?.read(self.inode, into, offset)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        self.writable()?.write(self.inode, &bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.state()?.sync(self.inode)
    }

    fn allocate(&self, size: u64) -> io::Result<()> {
        self.writable()?.allocate(self.inode, size)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.state()?.size(self.inode))
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.writable()?.set_size(self.inode, size)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut state = self.lock();
        if state.generation() == self.generation {
            state.closed(self.inode);
        }
    }
}
