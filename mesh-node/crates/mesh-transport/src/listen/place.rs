//! What stands where a socket is wanted, and making room for it.

use std::fs::{self, DirBuilder, FileType};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::Path;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use super::Error;

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path)?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino() })
    }
}

/// Makes the directory of `socket` with all above it, for this user alone; those whom the socket's `mode` lets in may
/// pass through it but not list it. A directory that is there stays as it is.
pub(super) fn make_directory(socket: &Path, mode: u32) -> Result<(), Error> {
    let Some(dir) = socket.parent().filter(|dir| !dir.as_os_str().is_empty()) else {
        return Ok(());
    };
    let group = if mode & 0o060 == 0 { 0 } else { 0o010 };
    let others = if mode & 0o006 == 0 { 0 } else { 0o001 };
    DirBuilder::new().recursive(true).mode(0o700 | group | others).create(dir).map_err(|source| {
        match Error::io("make the directory", dir, source) {
            Error::Io { path: dir, source, .. } => Error::NoDirectory { dir, source },
            denied => denied,
        }
    })
}

/// Leaves nothing at `path`: removes a socket that nobody listens on. To be called under the lock.
pub(super) fn clear(path: &Path) -> Result<(), Error> {
    let kind = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::io("look at", path, source)),
    };
    if !kind.is_socket() {
        return Err(Error::NotASocket { path: path.to_owned(), kind: name(kind) });
    }
    match probe(path) {
        // Nobody listens, or the file went away by itself.
        Err(Errno::CONNREFUSED | Errno::NOENT) => {}
        // Somebody does: also when his backlog is full or his socket is of another type.
        Ok(()) | Err(Errno::AGAIN | Errno::PROTOTYPE) => return Err(Error::InUse { path: path.to_owned() }),
        Err(errno) => return Err(Error::io("connect to", path, errno.into())),
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove the dead socket", path, error))
        }
        _ => Ok(()),
    }
}

fn probe(path: &Path) -> rustix::io::Result<()> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)
}

fn name(kind: FileType) -> &'static str {
    if kind.is_file() {
        "regular file"
    } else if kind.is_dir() {
        "directory"
    } else if kind.is_symlink() {
        "symbolic link"
    } else if kind.is_fifo() {
        "pipe"
    } else {
        "device"
    }
}
