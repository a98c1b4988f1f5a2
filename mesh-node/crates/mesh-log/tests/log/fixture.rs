//! A log on a simulated disk, and short ways to say what is written.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use mesh_log::{
    id::{FileId, GroupId},
    location::Location,
    log::{Log, Options, Recovered, WriteError},
    payload::Payload,
    record::{Entry, EntryKind, HardState, Record},
    vfs::{Vfs, simulated::Disk},
};

pub(crate) const DIR: &str = "/data/log";
pub(crate) const IDENTITY: u128 = 0x1234_5678 << 64 | 7;

pub(crate) fn entry(group: u32, index: u64, term: u64, bytes: &[u8]) -> Record {
    let payload = Payload::new(Bytes::copy_from_slice(bytes));
    Record::Entry { group: GroupId(group), entry: Entry { term, index, kind: EntryKind::Commands, payload } }
}

/// An entry of so many bytes, which differ from those of other entries.
pub(crate) fn sized(group: u32, index: u64, term: u64, len: usize) -> Record {
    let bytes: Vec<u8> =
        (0..len).map(|at| (at as u64 + index * 31 + u64::from(group) * 7 + term) as u8).collect();
    entry(group, index, term, &bytes)
}

pub(crate) fn state(group: u32, term: u64, vote: u64, commit: u64) -> Record {
    Record::State { group: GroupId(group), state: HardState { term, vote, commit } }
}

pub(crate) fn cut(group: u32, index: u64, term: u64) -> Record {
    Record::Cut { group: GroupId(group), index, term }
}

pub(crate) fn removed(group: u32) -> Record {
    Record::Removed { group: GroupId(group) }
}

pub(crate) fn options() -> Options {
    Options { file_bytes: Options::FILE_BYTES_MIN, ..Options::new(IDENTITY) }
}

/// A log that can be closed and opened again.
pub(crate) struct Fixture {
    pub(crate) disk: Disk,
    pub(crate) options: Options,
    pub(crate) log: Option<Log>,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(options())
    }

    pub(crate) fn with(options: Options) -> Self {
        let mut fixture = Self { disk: Disk::new(), options, log: None };
        assert_eq!(fixture.open(), Recovered::default());
        fixture
    }

    pub(crate) fn log(&mut self) -> &mut Log {
        self.log.as_mut().unwrap()
    }

    pub(crate) fn open(&mut self) -> Recovered {
        self.log = None;
        let (log, recovered) =
            Log::open(Arc::new(self.disk.clone()), Path::new(DIR), self.options.clone()).unwrap();
        self.log = Some(log);
        recovered
    }

    /// Writes, durably.
    pub(crate) fn write(&mut self, records: &[Record]) -> Vec<Location> {
        let locations = self.log().append(records).unwrap();
        self.log().sync().unwrap();
        locations
    }

    pub(crate) fn try_write(&mut self, records: &[Record]) -> Result<Vec<Location>, WriteError> {
        let locations = self.log().append(records)?;
        self.log().sync()?;
        Ok(locations)
    }

    /// The process goes and comes back.
    pub(crate) fn restart(&mut self) -> Recovered {
        self.log = None;
        self.disk.kill();
        self.open()
    }

    /// The power goes, and everything that was not durable is lost.
    pub(crate) fn crash(&mut self) -> Recovered {
        self.log = None;
        self.disk.crash_losing_all();
        self.open()
    }

    pub(crate) fn files(&self) -> Vec<FileId> {
        let names = self.disk.list(Path::new(DIR)).unwrap();
        names
            .iter()
            .filter(|name| name.extension().is_some_and(|ending| ending == "wal"))
            .map(|name| FileId(u64::from_str_radix(&name.to_str().unwrap()[..16], 16).unwrap()))
            .collect()
    }

    pub(crate) fn read(&self, location: &Location) -> Vec<u8> {
        let bytes = self.disk.bytes(&path(location.file)).unwrap();
        bytes[location.offset as usize..][..location.len as usize].to_vec()
    }

    /// Changes a bit of what stands there.
    pub(crate) fn flip(&self, file: FileId, offset: u64) {
        assert!(self.disk.flip(&path(file), offset, 3));
    }
}

pub(crate) fn path(file: FileId) -> PathBuf {
    Path::new(DIR).join(format!("{:016x}.wal", file.0))
}

/// Index and term of the entries of a group.
pub(crate) fn entries(recovered: &Recovered, group: u32) -> Vec<(u64, u64)> {
    let group = recovered.groups.get(&GroupId(group));
    group.map_or_else(Vec::new, |group| {
        group.entries.iter().map(|(entry, _)| (entry.index, entry.term)).collect()
    })
}
