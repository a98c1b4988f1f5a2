//! A disk in memory that forgets what was not made durable, by a seed.
//!
//! ```text
//!   write ─► what is read ─────────── kill: stays, the process alone is gone
//!     └► not durable yet ── sync ─► durable ─┐
//!            └────────────── crash ──────────┴─► what is left: all that was durable, and of the rest whatever
//!                                                sectors chance kept, in any order, perhaps torn
//! ```
//! Names are kept the same way: one that was made, changed or removed is durable after `sync_dir` only. After a sync that
//! failed, what was to be made durable is lost at the next crash although it still can be read, as Linux has it ("Can
//! Applications Recover from fsync Failures?", Rebello et al., 2020). Nothing takes time; what it would have taken is
//! summed up in [`Disk::take_spent`].

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

mod crash;
mod faults;
mod handle;
mod inode;
mod random;
mod state;

pub use faults::Faults;
pub use random::SplitMix64;

use super::{File, Vfs};
use handle::Handle;
use state::State;

/// What a disk writes as a whole, or (rarely) tears, in bytes.
pub const SECTOR: usize = 512;

/// A simulated disk. Clones are the same disk.
#[derive(Debug, Clone)]
pub struct Disk(Arc<Mutex<State>>);

impl Disk {
    /// An empty disk without an end and without faults.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State::default())))
    }

    /// The power goes: what was not durable is kept or lost by chance. Files that were open can't be used any more.
    pub fn crash(&self, random: &mut SplitMix64) {
        self.state().crash(random);
    }

    /// The power goes, and nothing is left of what was not durable.
    pub fn crash_losing_all(&self) {
        self.state().crash_losing_all();
    }

    /// The process goes and the system stays: all that was written can be read, and is as durable as it was. Files that
    /// were open can't be used any more.
    pub fn kill(&self) {
        self.state().kill();
    }

    /// Changes which faults it has. Counters of operations begin again.
    pub fn set_faults(&self, faults: Faults) {
        self.state().set_faults(faults);
    }

    /// Which faults it has.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.state().faults()
    }

    /// How long what was done since the last call would have taken.
    #[must_use]
    pub fn take_spent(&self) -> Duration {
        self.state().take_spent()
    }

    /// How many syncs of files succeeded.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.state().syncs()
    }

    /// Bytes that files take up.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// All files with their lengths, in order of their names, without any fault.
    #[must_use]
    pub fn files(&self) -> Vec<(PathBuf, u64)> {
        self.state().files()
    }

    /// A file's bytes as they are read, without any fault.
    #[must_use]
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        self.state().bytes(path)
    }

    /// Whether all of a file, its name included, would outlive a crash.
    #[must_use]
    pub fn is_durable(&self, path: &Path) -> bool {
        self.state().is_durable(path)
    }

    /// Whether bytes of a file would outlive a crash as they are read.
    #[must_use]
    pub fn is_durable_at(&self, path: &Path, offset: u64, len: u32) -> bool {
        self.state().is_durable_at(path, offset, len)
    }

    /// Whether [`Faults::power`] is used up: nothing works any more until [`Disk::crash`].
    #[must_use]
    pub fn is_out(&self) -> bool {
        self.state().is_out()
    }

    /// Changes a bit of a file where it stands. Whether there is such a file and it has such a byte.
    pub fn flip(&self, path: &Path, offset: u64, bit: u8) -> bool {
        self.state().flip(path, offset, bit)
    }

    /// Changes a bit somewhere in one of the files that `wanted` names, and says which: file, byte, bit.
    pub fn flip_any(
        &self,
        random: &mut SplitMix64,
        wanted: impl Fn(&Path) -> bool,
    ) -> Option<(PathBuf, u64, u8)> {
        let files: Vec<_> = self.files().into_iter().filter(|(path, len)| *len > 0 && wanted(path)).collect();
        if files.is_empty() {
            return None;
        }
        let (path, len) = files[random.index(files.len())].clone();
        let offset = random.below(len);
        let bit = random.below(8) as u8;
        self.flip(&path, offset, bit).then_some((path, offset, bit))
    }

    /// Everything is gone, and durably: another disk is in its place.
    pub fn wipe(&self) {
        self.state().wipe();
    }

    /// A number that differs when anything that can be read does.
    #[must_use]
    pub fn digest(&self) -> u32 {
        self.state().digest()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No panic leaves the state half changed that a later test would look at.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl Vfs for Disk {
    fn open(&self, path: &Path, read_only: bool) -> io::Result<Box<dyn File>> {
        let mut state = self.state();
        let inode = state.open(path)?;
        Ok(Box::new(Handle::new(Arc::clone(&self.0), inode, state.generation(), read_only)))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let mut state = self.state();
        let inode = state.create(path)?;
        Ok(Box::new(Handle::new(Arc::clone(&self.0), inode, state.generation(), false)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.state().rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.state().remove(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        self.state().list(dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.state().create_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.state().sync_dir(dir)
    }
}

#[cfg(test)]
mod tests;
