//! How files fail.

use std::{
    io,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::Duration,
};

/// How files fail, from now on. Shared by all of them, and changed at any time.
#[derive(Debug, Default)]
pub struct Faults {
    sync_delay_ms: AtomicU64,
    /// Syncs, and writes, until one fails; 0 for never.
    syncs_left: AtomicU64,
    writes_left: AtomicU64,
    /// Each of so many reads has a flipped bit; 0 for none.
    flip_every: AtomicU64,
    reads: AtomicU64,
    full: AtomicBool,
    forgets: AtomicBool,
}

/// Faults that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no fault: fail-sync=N, fail-write=N, flip-read=N, sync-delay=500ms, full, forget-unsynced")]
pub struct FaultsError(String);

impl Faults {
    /// None.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Takes the place of all faults.
    ///
    /// `fail-sync=N` and `fail-write=N`: the Nth from now on fails, and every later one. `sync-delay=500ms`: each sync
    /// takes that much longer. `full`: there is no room for anything new. `forget-unsynced`: what is not synced is in the
    /// memory of the process only. `flip-read=N`: a bit of each Nth read is flipped.
    ///
    /// # Errors
    /// A fault that there is not; nothing has changed then.
    pub fn set<'a>(&self, faults: impl IntoIterator<Item = &'a str> + Clone) -> Result<(), FaultsError> {
        let new = Self::none();
        for fault in faults {
            new.add(fault).ok_or_else(|| FaultsError(fault.to_owned()))?;
        }
        let numbers = [
            (&self.sync_delay_ms, &new.sync_delay_ms),
            (&self.syncs_left, &new.syncs_left),
            (&self.writes_left, &new.writes_left),
            (&self.flip_every, &new.flip_every),
        ];
        numbers.into_iter().for_each(|(to, from)| to.store(from.load(Relaxed), Relaxed));
        for (to, from) in [(&self.full, &new.full), (&self.forgets, &new.forgets)] {
            to.store(from.load(Relaxed), Relaxed);
        }
        Ok(())
    }

    fn add(&self, fault: &str) -> Option<()> {
        let (name, value) = fault.split_once('=').unwrap_or((fault, ""));
        let number = || value.parse::<u64>().ok().filter(|number| *number > 0);
        match name {
            "fail-sync" => self.syncs_left.store(number()?, Relaxed),
            "fail-write" => self.writes_left.store(number()?, Relaxed),
            "flip-read" => self.flip_every.store(number()?, Relaxed),
            "sync-delay" => self.sync_delay_ms.store(value.strip_suffix("ms")?.parse().ok()?, Relaxed),
            "full" => self.full.store(true, Relaxed),
            "forget-unsynced" => self.forgets.store(true, Relaxed),
            _ => return None,
        }
        Some(())
    }

    pub(super) fn forgets(&self) -> bool {
        self.forgets.load(Relaxed)
    }

    pub(super) fn room(&self) -> io::Result<()> {
        if self.full.load(Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    pub(super) fn write(&self) -> io::Result<()> {
        count_down(&self.writes_left)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        let delay = self.sync_delay_ms.load(Relaxed);
        if delay > 0 {
            thread::sleep(Duration::from_millis(delay));
        }
        count_down(&self.syncs_left)
    }

    pub(super) fn flip(&self, bytes: &mut [u8]) {
        let every = self.flip_every.load(Relaxed);
        if every > 0 && (self.reads.fetch_add(1, Relaxed) + 1).is_multiple_of(every) {
            let middle = bytes.len() / 2;
            if let Some(byte) = bytes.get_mut(middle) {
                *byte ^= 0x10;
            }
        }
    }
}

/// At 1 it fails, and stays there.
fn count_down(left: &AtomicU64) -> io::Result<()> {
    let counted = left.fetch_update(Relaxed, Relaxed, |left| (left > 1).then(|| left - 1));
    match counted {
        Err(1) => Err(io::Error::other("a fault that was asked for")),
        _ => Ok(()),
    }
}
