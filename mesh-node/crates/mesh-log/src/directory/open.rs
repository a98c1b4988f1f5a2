//! How a data directory is made and opened.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use rustix::fs::{FlockOperation, flock};

use super::{
    DataDir, DataFile, Error, Founders, Names, Uuid,
    data_file::{BYTES_MAX, FORMAT, NAME, Unreadable},
};

/// What only a directory has that was in use.
const PARTS: [&str; 3] = ["log", "seg", "checkpoint"];

impl DataDir {
    /// Opens the data directory of a node, and makes it when there is nothing yet.
    ///
    /// # Errors
    /// [`Error`]: in use, read-only, of another version, cluster or node, half copied, damaged.
    pub fn open(path: &Path, names: &Names) -> Result<Self, Error> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(refused(path))?;
        let lock = lock(path)?;
        let data = match read(path)? {
            Some(data) => {
                belongs(path, &data, names)?;
                data
            }
            None => make(path, names)?,
        };
        is_whole(path, &data)?;
        is_writable(path)?;
        Ok(Self { path: path.to_owned(), data, _lock: lock })
    }

    /// Opens a data directory whosoever it is, for work on it while no node runs.
    ///
    /// # Errors
    /// [`Error`]; [`Error::NotOne`] when there is none.
    pub fn open_offline(path: &Path) -> Result<Self, Error> {
        let data = read(path)?.ok_or_else(|| Error::NotOne { path: path.to_owned() })?;
        Ok(Self { path: path.to_owned(), data, _lock: lock(path)? })
    }

    /// Writes down the UUID of the cluster that the directory belongs to from now on.
    ///
    /// # Errors
    /// [`Error::OtherClusterUuid`] when it has another one; those of the system.
    pub fn set_cluster(&mut self, uuid: Uuid) -> Result<(), Error> {
        match self.data.cluster {
            Some(found) if found == uuid => return Ok(()),
            Some(found) => {
                return Err(Error::OtherClusterUuid { path: self.path.clone(), found, wanted: uuid });
            }
            None => {}
        }
        let data = DataFile { cluster: Some(uuid), ..self.data.clone() };
        write(&self.path, &data)?;
        self.data = data;
        Ok(())
    }

    /// Writes down the number that the node has in its cluster: what it votes under, so it is durable before it votes.
    ///
    /// # Errors
    /// [`Error::OtherNumber`] when it has another one; those of the system.
    pub fn set_number(&mut self, number: u64) -> Result<(), Error> {
        match self.data.number {
            Some(found) if found == number => return Ok(()),
            Some(found) => {
                return Err(Error::OtherNumber { path: self.path.clone(), found, wanted: number });
            }
            None => {}
        }
        let data = DataFile { number: Some(number), ..self.data.clone() };
        write(&self.path, &data)?;
        self.data = data;
        Ok(())
    }

    /// Writes down, durably, whose directories founded the cluster: once for all, but for whether it has begun.
    ///
    /// # Errors
    /// [`Error::OtherFounders`] when others are there, or the cluster is not to have begun any more; those of the system.
    pub fn set_founders(&mut self, founders: Founders) -> Result<(), Error> {
        match &self.data.founders {
            Some(found) if *found == founders => return Ok(()),
            Some(found) if found.begun || found.directories != founders.directories => {
                return Err(Error::OtherFounders { path: self.path.clone() });
            }
            _ => {}
        }
        let data = DataFile { founders: Some(founders), ..self.data.clone() };
        write(&self.path, &data)?;
        self.data = data;
        Ok(())
    }

    /// Writes down, durably, that the node has no number, which only one may that is in no cluster yet and has promised
    /// nothing to other founders.
    ///
    /// # Errors
    /// When the system refuses, or the directory belongs to a cluster or to a founder.
    pub fn forget_number(&mut self) -> Result<(), Error> {
        if self.data.founders.is_some() {
            return Err(Error::OtherFounders { path: self.path.clone() });
        }
        if let (Some(_), Some(found)) = (self.data.cluster, self.data.number) {
            return Err(Error::OtherNumber { path: self.path.clone(), found, wanted: 0 });
        }
        let data = DataFile { number: None, ..self.data.clone() };
        write(&self.path, &data)?;
        self.data = data;
        Ok(())
    }
}

/// What the system says, told apart by what can be done about it.
fn refused(path: &Path) -> impl Fn(io::Error) -> Error {
    let path = path.to_owned();
    move |source| match source.kind() {
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            Error::ReadOnly { path: path.clone(), source }
        }
        _ => Error::Io { path: path.clone(), source },
    }
}

fn lock(path: &Path) -> Result<File, Error> {
    let name = path.join("lock");
    let lock = File::options().create(true).truncate(false).write(true).mode(0o600).open(name);
    let lock = lock.map_err(refused(path))?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::InUse { path: path.to_owned() }),
        Err(errno) => Err(refused(path)(errno.into())),
    }
}

fn read(path: &Path) -> Result<Option<DataFile>, Error> {
    let name = path.join(NAME);
    let mut text = Vec::new();
    match File::open(&name) {
        Ok(file) => {
            file.take(BYTES_MAX as u64 + 1).read_to_end(&mut text).map_err(refused(&name))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(&name)(error)),
    }
    if text.len() > BYTES_MAX {
        return Err(Error::Damaged { path: name, what: "it is too long" });
    }
    match DataFile::parse(&text) {
        Ok(data) => Ok(Some(data)),
        Err(Unreadable::Format(found)) => Err(Error::Version { path: path.to_owned(), found, known: FORMAT }),
        Err(Unreadable::Damaged(what)) => Err(Error::Damaged { path: name, what }),
    }
}

fn belongs(path: &Path, data: &DataFile, names: &Names) -> Result<(), Error> {
    let path = path.to_owned();
    if data.cluster_name != names.cluster {
        return Err(Error::OtherCluster {
            path,
            found: data.cluster_name.clone(),
            wanted: names.cluster.clone(),
        });
    }
    if data.node_name != names.node {
        return Err(Error::OtherNode { path, found: data.node_name.clone(), wanted: names.node.clone() });
    }
    Ok(())
}

/// A directory that holds records must not be taken for a new one because a file was not copied: it would get another
/// UUID, forget its votes and serve nothing of what it has.
fn make(path: &Path, names: &Names) -> Result<DataFile, Error> {
    // An empty one was made here, and the file was not written yet.
    let in_use = |part: &&&str| fs::read_dir(path.join(part)).is_ok_and(|mut names| names.next().is_some());
    if let Some(part) = PARTS.iter().find(in_use) {
        let what = format!("there is {part}/ but no file DATA");
        return Err(Error::Incomplete { path: path.to_owned(), what });
    }
    let data = DataFile {
        format: FORMAT,
        directory: Uuid::random().map_err(refused(path))?,
        cluster: None,
        number: None,
        cluster_name: names.cluster.clone(),
        node_name: names.node.clone(),
        founders: None,
    };
    // The parts first: from the moment that DATA is there, one that is missing was lost.
    for part in PARTS {
        DirBuilder::new().recursive(true).mode(0o700).create(path.join(part)).map_err(refused(path))?;
    }
    write(path, &data)?;
    Ok(data)
}

fn is_whole(path: &Path, data: &DataFile) -> Result<(), Error> {
    let incomplete = |what: String| Err(Error::Incomplete { path: path.to_owned(), what });
    if let Some(part) = PARTS.iter().find(|part| !path.join(part).is_dir()) {
        return incomplete(format!("{part}/ is missing"));
    }
    // How the cluster is called was learned from the log, which never is without a file from then on.
    let is_file = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.path().extension().is_some_and(|extension| extension == "wal"))
    };
    let has_log = fs::read_dir(path.join("log")).is_ok_and(|mut entries| entries.any(is_file));
    if data.cluster.is_some() && !has_log {
        return incomplete("there is no file of the log".to_owned());
    }
    Ok(())
}

fn is_writable(path: &Path) -> Result<(), Error> {
    let file = path.join(NAME);
    File::options().write(true).open(&file).map_err(refused(path)).map(|_| ())
}

/// As a whole or not at all, and durable.
fn write(path: &Path, data: &DataFile) -> Result<(), Error> {
    let (new, name) = (path.join("DATA.new"), path.join(NAME));
    let work = || -> io::Result<()> {
        let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        file.write_all(data.to_text().as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &name)?;
        File::open(path)?.sync_all()
    };
    work().map_err(refused(path))
}
