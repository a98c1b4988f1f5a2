//! Which file was begun last. A file that is gone can't say itself that it was there, and when it was the newest, no other
//! one can: without this the log would end in good order before it.
//!
//! ```text
//!   log/begun   0                        4096                     8192
//!               ├─ slot ─ zeros ─────────┼─ slot ─ zeros ─────────┤
//!   slot        "MESHBEGN" version(4) CRC32C(4) file(8) identity(16)          little-endian
//! ```
//! A slot is written before the first block of a file and synced together with it, so one `fdatasync` more for each file,
//! and only where the other slot is durable: a torn one leaves the file before it. Whatever is lost of the two by a crash,
//! nothing is taken for damage that is none: a file has its name durably before it is begun, and keeps it until the next
//! one is durable.

use std::{
    fmt,
    io::{self, IoSlice},
    path::Path,
};

use super::{OpenError, work::is_full};
use crate::{
    files::replace,
    id::FileId,
    location::{u32_at, u64_at},
    vfs::{File, Vfs},
    wal::ALIGN,
};

/// The name of the file, beside those of the log.
pub(crate) const NAME: &str = "begun";

const MAGIC: [u8; 8] = *b"MESHBEGN";
const VERSION: u32 = 1;
/// Bytes of a slot that mean something.
const BYTES: usize = 40;
const SLOTS: [u64; 2] = [0, ALIGN];

/// The file that says which one was begun last.
pub(crate) struct Begun {
    /// None where there is no room for it.
    file: Option<Box<dyn File>>,
    identity: u128,
    newest: Option<FileId>,
    /// The slot that may be written.
    slot: usize,
    dirty: bool,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").field("newest", &self.newest).finish_non_exhaustive()
    }
}

/// Which file was begun last, as far as that can be read.
///
/// # Errors
/// When the system refuses, or it is of another version.
pub(crate) fn read(vfs: &dyn Vfs, dir: &Path, identity: u128) -> Result<Option<FileId>, OpenError> {
    let path = dir.join(NAME);
    let slots = slots(vfs, &path).map_err(OpenError::io(&path))?;
    let [a, b] = slots.map(|slot| decode(&slot, identity));
    for slot in [&a, &b] {
        if let Err(found) = slot {
            return Err(OpenError::Version { path, found: *found, known: VERSION });
        }
    }
    Ok(a.ok().flatten().max(b.ok().flatten()))
}

fn slots(vfs: &dyn Vfs, path: &Path) -> io::Result<[[u8; BYTES]; 2]> {
    let mut slots = [[0; BYTES]; 2];
    match vfs.open(path, true) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => {
            let file = opened?;
            for (slot, at) in slots.iter_mut().zip(SLOTS) {
                file.read_at(slot, at)?;
            }
        }
    }
    Ok(slots)
}

impl Begun {
    /// Goes on with what is there, and makes sure that it durably says at least `newest`.
    pub(crate) fn open(
        vfs: &dyn Vfs,
        dir: &Path,
        identity: u128,
        newest: Option<FileId>,
    ) -> Result<Self, OpenError> {
        let path = dir.join(NAME);
        let found = slots(vfs, &path).map_err(OpenError::io(&path))?;
        let found = found.map(|slot| decode(&slot, identity).ok().flatten());
        let slot = usize::from(found[0] > found[1]);
        let mut this = Self { file: None, identity, newest: found[0].max(found[1]), slot, dirty: false };
        if this.newest.is_none() {
            // It was never there, or nothing of it can be read.
            let mut bytes = vec![0; SLOTS.len() * ALIGN as usize];
            if let Some(newest) = newest {
                bytes[..BYTES].copy_from_slice(&encode(newest, identity));
            }
            match replace(vfs, &path, &[&bytes]) {
                Err(error) if is_full(&error) => return Ok(this),
                written => written.map_err(OpenError::io(&path))?,
            }
            (this.newest, this.slot) = (newest, usize::from(newest.is_some()));
        }
        this.file = Some(vfs.open(&path, false).map_err(OpenError::io(&path))?);
        if let Some(newest) = newest.filter(|newest| Some(*newest) > this.newest) {
            this.begin(newest).and_then(|()| this.sync()).map_err(OpenError::io(&path))?;
        }
        Ok(this)
    }

    /// The file that was begun last.
    pub(crate) fn newest(&self) -> Option<FileId> {
        self.newest
    }

    /// A file is begun. Durable after [`Begun::sync`].
    pub(crate) fn begin(&mut self, id: FileId) -> io::Result<()> {
        self.newest = Some(id);
        let Some(file) = &self.file else { return Ok(()) };
        self.dirty = true;
        file.write_at(&mut [IoSlice::new(&encode(id, self.identity))], SLOTS[self.slot])
    }

    /// Makes that durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if let Some(file) = self.file.as_ref().filter(|_| self.dirty) {
            file.sync_data()?;
            (self.dirty, self.slot) = (false, 1 - self.slot);
        }
        Ok(())
    }
}

fn encode(id: FileId, identity: u128) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[16..24].copy_from_slice(&id.0.to_le_bytes());
    bytes[24..].copy_from_slice(&identity.to_le_bytes());
    let crc = checksum(&bytes);
    bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// What a slot says: nothing where it is not what was written, or another log's. The version where that is another one.
fn decode(bytes: &[u8; BYTES], identity: u128) -> Result<Option<FileId>, u32> {
    if bytes[..8] != MAGIC || u32_at(bytes, 12) != checksum(bytes) {
        return Ok(None);
    }
    match u32_at(bytes, 8) {
        VERSION => Ok((bytes[24..] == identity.to_le_bytes()).then(|| FileId(u64_at(bytes, 16)))),
        other => Err(other),
    }
}

fn checksum(bytes: &[u8; BYTES]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::vfs::simulated::{Disk, Faults};

    const DIR: &str = "/log";

    fn disk() -> Arc<Disk> {
        let disk = Arc::new(Disk::new());
        disk.create_dir(Path::new(DIR)).unwrap();
        disk
    }

    fn open(disk: &Disk, newest: Option<u64>) -> Begun {
        Begun::open(disk, Path::new(DIR), 7, newest.map(FileId)).unwrap()
    }

    fn is(disk: &Disk) -> Option<u64> {
        read(disk, Path::new(DIR), 7).unwrap().map(|id| id.0)
    }

    #[test]
    fn it_says_what_was_begun_last_and_is_synced() {
        let disk = disk();
        assert_eq!(is(&disk), None);
        let mut begun = open(&disk, None);
        assert_eq!(is(&disk), None);
        for id in 1..=5 {
            begun.begin(FileId(id)).unwrap();
            begun.sync().unwrap();
            begun.begin(FileId(id + 100)).unwrap();
            disk.crash_losing_all();
            assert_eq!(is(&disk), Some(id));
            begun = open(&disk, Some(id - 1));
            assert_eq!(begun.newest(), Some(FileId(id)));
        }
        drop(open(&disk, Some(9)));
        disk.crash_losing_all();
        assert_eq!(is(&disk), Some(9));
        assert_eq!(read(&*disk, Path::new(DIR), 8).unwrap(), None, "another log's");
    }

    #[test]
    fn no_bit_says_another_file_and_the_other_slot_is_never_touched() {
        let disk = disk();
        let mut begun = open(&disk, Some(1));
        for id in 2..=3 {
            begun.begin(FileId(id)).unwrap();
            begun.sync().unwrap();
        }
        let path = Path::new(DIR).join(NAME);
        for at in 0..2 * ALIGN {
            for bit in 0..8 {
                assert!(disk.flip(&path, at, bit));
                assert!([Some(2), Some(3)].contains(&is(&disk)), "byte {at}, bit {bit}");
                assert!(disk.flip(&path, at, bit));
            }
        }
        // Twice without a sync: the durable one stays.
        begun.begin(FileId(4)).unwrap();
        begun.begin(FileId(5)).unwrap();
        assert_eq!(is(&disk), Some(5));
        disk.crash_losing_all();
        assert_eq!(is(&disk), Some(3));
    }

    #[test]
    fn it_is_made_again_when_nothing_of_it_can_be_read() {
        let disk = disk();
        drop(open(&disk, Some(4)));
        let path = Path::new(DIR).join(NAME);
        disk.open(&path, false).unwrap().set_size(0).unwrap();
        assert_eq!(is(&disk), None);
        drop(open(&disk, Some(4)));
        disk.crash_losing_all();
        assert_eq!(is(&disk), Some(4));
    }

    #[test]
    fn another_version_is_named_and_a_full_disk_is_no_reason_to_stop() {
        let disk = disk();
        drop(open(&disk, Some(4)));
        let path = Path::new(DIR).join(NAME);
        let mut slot = encode(FileId(4), 7);
        slot[8] = 2;
        let crc = checksum(&slot);
        slot[12..16].copy_from_slice(&crc.to_le_bytes());
        disk.open(&path, false).unwrap().write_at(&mut [IoSlice::new(&slot)], 0).unwrap();
        let error = read(&*disk, Path::new(DIR), 7).unwrap_err();
        assert!(matches!(error, OpenError::Version { found: 2, .. }), "{error}");

        disk.remove(&path).unwrap();
        disk.set_faults(Faults { capacity: disk.used(), ..Faults::default() });
        let mut begun = open(&disk, Some(4));
        begun.begin(FileId(5)).unwrap();
        begun.sync().unwrap();
        assert_eq!((begun.newest(), is(&disk)), (Some(FileId(5)), None));
    }
}
