//! Files and their names.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Faults, SplitMix64,
    crash::{crash, share},
    faults::fails,
    inode::Inode,
};

type Names = BTreeMap<PathBuf, u64>;

/// Something done to names that is not durable yet.
#[derive(Debug, Clone)]
enum Naming {
    Made { name: PathBuf, inode: u64 },
    Renamed { from: PathBuf, to: PathBuf, inode: u64 },
    Removed { name: PathBuf },
}

impl Naming {
    fn touches(&self, dir: &Path) -> bool {
        match self {
            Self::Made { name, .. } | Self::Removed { name } => name.parent() == Some(dir),
            Self::Renamed { from, to, .. } => from.parent() == Some(dir) || to.parent() == Some(dir),
        }
    }

    fn apply(self, names: &mut Names) {
        match self {
            Self::Made { name, inode } => _ = names.insert(name, inode),
            Self::Renamed { from, to, inode } => {
                if names.get(&from) == Some(&inode) {
                    names.remove(&from);
                }
                names.insert(to, inode);
            }
            Self::Removed { name } => _ = names.remove(&name),
        }
    }
}

/// All of a disk.
#[derive(Debug, Default)]
pub(super) struct State {
    inodes: BTreeMap<u64, Inode>,
    last_inode: u64,
    now: Names,
    durable: Names,
    pending: Vec<Naming>,
    dirs: BTreeSet<PathBuf>,
    open: BTreeMap<u64, u32>,
    generation: u64,
    faults: Faults,
    spent: Duration,
    syncs: u64,
}

impl State {
    /// Rises when files that are open are of no use any more.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    pub(super) fn faults(&self) -> Faults {
        self.faults.clone()
    }

    pub(super) fn take_spent(&mut self) -> Duration {
        std::mem::take(&mut self.spent)
    }

    pub(super) fn syncs(&self) -> u64 {
        self.syncs
    }

    pub(super) fn used(&self) -> u64 {
        self.inodes.values().map(|inode| inode.space).sum()
    }

    pub(super) fn crash(&mut self, random: &mut SplitMix64) {
        let share = share(random);
        for change in std::mem::take(&mut self.pending) {
            if random.chance(share) {
                change.apply(&mut self.durable);
            }
        }
        for inode in self.inodes.values_mut() {
            crash(inode, share, self.faults.torn, random);
        }
        self.fall_back();
    }

    pub(super) fn crash_losing_all(&mut self) {
        self.pending.clear();
        for inode in self.inodes.values_mut() {
            inode.fall_back();
        }
        self.fall_back();
    }

    pub(super) fn kill(&mut self) {
        self.generation += 1;
        self.open.clear();
        self.collect();
    }

    pub(super) fn wipe(&mut self) {
        self.pending.clear();
        self.durable.clear();
        self.dirs.clear();
        self.fall_back();
    }

    fn fall_back(&mut self) {
        self.faults.power = None;
        self.now.clone_from(&self.durable);
        self.kill();
    }

    pub(super) fn files(&self) -> Vec<(PathBuf, u64)> {
        self.now.iter().map(|(path, inode)| (path.clone(), self.size(*inode))).collect()
    }

    pub(super) fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        self.inodes.get(self.now.get(path)?).map(|inode| inode.now.clone())
    }

    pub(super) fn is_durable(&self, path: &Path) -> bool {
        let now = self.now.get(path);
        now.is_some()
            && now == self.durable.get(path)
            && now.and_then(|inode| self.inodes.get(inode)).is_some_and(|inode| inode.now == inode.durable)
    }

    pub(super) fn is_durable_at(&self, path: &Path, offset: u64, len: u32) -> bool {
        let now = self.now.get(path);
        let Some(inode) = now.and_then(|inode| self.inodes.get(inode)) else { return false };
        let (from, to) = (offset as usize, offset as usize + len as usize);
        now == self.durable.get(path)
            && inode.now.get(from..to).is_some_and(|bytes| inode.durable.get(from..to) == Some(bytes))
    }

    pub(super) fn is_out(&self) -> bool {
        self.faults.power == Some(0)
    }

    /// Uses up an operation.
    fn powered(&mut self) -> io::Result<()> {
        match &mut self.faults.power {
            Some(0) => Err(io::Error::other("the power is gone")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub(super) fn flip(&mut self, path: &Path, offset: u64, bit: u8) -> bool {
        let Some(inode) = self.now.get(path).and_then(|inode| self.inodes.get_mut(inode)) else {
            return false;
        };
        let offset = offset as usize;
        let there = offset < inode.now.len();
        for bytes in [&mut inode.now, &mut inode.durable] {
            if let Some(byte) = bytes.get_mut(offset) {
                *byte ^= 1 << (bit % 8);
            }
        }
        there
    }

    pub(super) fn digest(&self) -> u32 {
        self.now.iter().fold(0, |digest, (path, inode)| {
            let digest = crc32c::crc32c_append(digest, path.as_os_str().as_encoded_bytes());
            self.inodes.get(inode).map_or(digest, |inode| crc32c::crc32c_append(digest, &inode.now))
        })
    }

    // Names.

    pub(super) fn open(&mut self, path: &Path) -> io::Result<u64> {
        let inode = *self.now.get(path).ok_or(ErrorKind::NotFound)?;
        *self.open.entry(inode).or_default() += 1;
        Ok(inode)
    }

    pub(super) fn closed(&mut self, inode: u64) {
        if let Some(times) = self.open.get_mut(&inode) {
            *times -= 1;
            if *times == 0 {
                self.open.remove(&inode);
                self.collect();
            }
        }
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<u64> {
        self.powered()?;
        if self.now.contains_key(path) || self.dirs.contains(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.dir_of(path)?;
        self.last_inode += 1;
        let inode = self.last_inode;
        self.inodes.insert(inode, Inode::default());
        self.name(Naming::Made { name: path.to_path_buf(), inode });
        self.open(path)
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.powered()?;
        let inode = *self.now.get(from).ok_or(ErrorKind::NotFound)?;
        self.dir_of(to)?;
        self.name(Naming::Renamed { from: from.to_path_buf(), to: to.to_path_buf(), inode });
        self.collect();
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.powered()?;
        if !self.now.contains_key(path) {
            return Err(ErrorKind::NotFound.into());
        }
        self.name(Naming::Removed { name: path.to_path_buf() });
        self.collect();
        Ok(())
    }

    pub(super) fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        if !self.dirs.contains(dir) {
            return Err(ErrorKind::NotFound.into());
        }
        let mut found: Vec<PathBuf> = self.now.keys().chain(&self.dirs).cloned().collect();
        found.retain(|path| path.parent() == Some(dir));
        found.sort();
        found.iter().map(|path| path.file_name().map(PathBuf::from).ok_or(ErrorKind::Other.into())).collect()
    }

    /// Directories are durable at once: they are made when a node starts for the first time, and lost by no crash.
    pub(super) fn create_dir(&mut self, dir: &Path) -> io::Result<()> {
        self.powered()?;
        self.dirs.extend(dir.ancestors().map(Path::to_path_buf));
        Ok(())
    }

    pub(super) fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        self.powered()?;
        if !self.dirs.contains(dir) {
            return Err(ErrorKind::NotFound.into());
        }
        self.spent += self.faults.sync_delay;
        if fails(&mut self.faults.failing_sync) {
            self.faults.failing_sync = None;
            self.pending.retain(|change| !change.touches(dir));
            return Err(broken());
        }
        let (done, left) =
            std::mem::take(&mut self.pending).into_iter().partition(|change| change.touches(dir));
        self.pending = left;
        let done: Vec<Naming> = done;
        done.into_iter().for_each(|change| change.apply(&mut self.durable));
        self.collect();
        Ok(())
    }

    fn dir_of(&self, path: &Path) -> io::Result<()> {
        let there = path.parent().is_some_and(|dir| self.dirs.contains(dir));
        if there { Ok(()) } else { Err(ErrorKind::NotFound.into()) }
    }

    fn name(&mut self, change: Naming) {
        change.clone().apply(&mut self.now);
        self.pending.push(change);
    }

    /// Frees what has no name, now or after a crash, and is not open.
    fn collect(&mut self) {
        let named: BTreeSet<u64> = self
            .now
            .values()
            .chain(self.durable.values())
            .chain(self.open.keys())
            .copied()
            .chain(self.pending.iter().filter_map(|change| match change {
                Naming::Made { inode, .. } | Naming::Renamed { inode, .. } => Some(*inode),
                Naming::Removed { .. } => None,
            }))
            .collect();
        self.inodes.retain(|inode, _| named.contains(inode));
    }

    // What is in files.

    pub(super) fn size(&self, inode: u64) -> u64 {
        self.inodes.get(&inode).map_or(0, |inode| inode.now.len() as u64)
    }

    pub(super) fn read(&mut self, inode: u64, into: &mut [u8], offset: u64) -> io::Result<usize> {
        if fails(&mut self.faults.failing_read) {
            self.faults.failing_read = None;
            return Err(broken());
        }
        let bytes = &self.inodes.get(&inode).ok_or(ErrorKind::NotFound)?.now;
        let from = (offset as usize).min(bytes.len());
        let count = into.len().min(bytes.len() - from);
        into[..count].copy_from_slice(&bytes[from..from + count]);
        self.spend(count);
        Ok(count)
    }

    pub(super) fn write(&mut self, inode: u64, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.powered()?;
        let fails = fails(&mut self.faults.failing_write);
        self.reserve(inode, offset..offset + bytes.len() as u64)?;
        self.spend(bytes.len());
        let file = self.inodes.get_mut(&inode).ok_or(ErrorKind::NotFound)?;
        if fails {
            // Whoever goes on writing in spite of it is told again.
            self.faults.failing_write = Some(1);
            file.write(offset as usize, &bytes[..bytes.len() / 2]);
            return Err(broken());
        }
        file.write(offset as usize, bytes);
        Ok(())
    }

    pub(super) fn sync(&mut self, inode: u64) -> io::Result<()> {
        self.powered()?;
        self.spent += self.faults.sync_delay;
        let fails = fails(&mut self.faults.failing_sync);
        let file = self.inodes.get_mut(&inode).ok_or(ErrorKind::NotFound)?;
        if fails {
            self.faults.failing_sync = None;
            file.forget_pending();
            return Err(broken());
        }
        file.sync();
        self.syncs += 1;
        Ok(())
    }

    pub(super) fn allocate(&mut self, inode: u64, size: u64) -> io::Result<()> {
        self.reserve(inode, 0..size)?;
        if self.size(inode) < size {
            self.set_size(inode, size)?;
        }
        Ok(())
    }

    pub(super) fn set_size(&mut self, inode: u64, size: u64) -> io::Result<()> {
        self.powered()?;
        let file = self.inodes.get_mut(&inode).ok_or(ErrorKind::NotFound)?;
        file.set_size(size as usize);
        file.space = file.space.min(size);
        Ok(())
    }

    fn reserve(&mut self, inode: u64, range: std::ops::Range<u64>) -> io::Result<()> {
        let used = self.used();
        let file = self.inodes.get_mut(&inode).ok_or(ErrorKind::NotFound)?;
        let more = file.growth(&range);
        if more > 0 && used.saturating_add(more) > self.faults.capacity {
            return Err(ErrorKind::StorageFull.into());
        }
        file.space += more;
        Ok(())
    }

    fn spend(&mut self, bytes: usize) {
        self.spent += self.faults.kib_delay * (bytes.div_ceil(1_024) as u32);
    }
}

fn broken() -> io::Error {
    // What the kernel gives for EIO.
    io::Error::from_raw_os_error(5)
}
