//! The node's end of a Unix socket: taking the place, accepting, refusing strangers, leaving no file behind.
//!
//! ```text
//!  bind:  path length ─► directory ─► lock on PATH.lock ─► what is at PATH?
//!                                                            nothing ────────────────┐
//!                                                            a dead socket ─► remove ┤
//!                                                            a live socket ─► InUse  │
//!                                                            anything else ─► NotASocket
//!                                       listen ◄─ chmod ◄─ bind ◄────────────────────┘
//! ```
//!
//! The lock is held for as long as the listener lives, so of two starters exactly one gets the place, and a dead
//! socket is never removed under somebody who has just taken it.

mod error;
mod lock;
mod place;

use std::fs::{self, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use tokio::net::{UnixListener, UnixStream};

use crate::buffers::SocketBuffers;
use crate::endpoint::{Endpoint, SOCKET_PATH_BYTES};
use crate::peer::{Admission, Peer, Refused};

pub use error::{AcceptError, Error};
use lock::Lock;
use place::FileId;

/// Mode of the socket when nothing else is said: nobody but the node's own user may open it.
pub const MODE_DEFAULT: u32 = 0o600;
/// Connections that may wait to be accepted; the kernel lowers it to `net.core.somaxconn`.
pub const BACKLOG: i32 = 4096;

/// Where and for whom a node listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnixListenerOptions {
    /// Path of the socket. Its directory is made when it is not there.
    pub path: PathBuf,
    /// Permission bits of the socket; only the lowest nine count.
    pub mode: u32,
    /// Users that may connect besides the node's own and root, at most [`crate::peer::ALLOWED_IDS`].
    pub allowed_uids: Vec<u32>,
    /// Groups whose members may connect, by their effective group id, at most [`crate::peer::ALLOWED_IDS`].
    pub allowed_gids: Vec<u32>,
    /// Kernel buffers of each accepted connection.
    pub buffers: SocketBuffers,
}

impl UnixListenerOptions {
    /// A socket at `path` that only the node's own user may open.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            mode: MODE_DEFAULT,
            allowed_uids: Vec::new(),
            allowed_gids: Vec::new(),
            buffers: SocketBuffers::default(),
        }
    }
}

/// One accepted connection.
#[derive(Debug)]
pub enum Incoming {
    /// The peer may use the node.
    Admitted(UnixStream, Peer),
    /// The peer may not: tell it why and close. Nothing that it sends counts.
    Refused(UnixStream, Refused),
}

/// A listening Unix socket. Dropping it removes the socket's file, if it is still the one that was bound.
#[derive(Debug)]
pub struct Listener {
    inner: UnixListener,
    path: PathBuf,
    file: FileId,
    admission: Admission,
    buffers: SocketBuffers,
    // Dropped last: the place is free only when the socket's file is gone.
    _lock: Lock,
}

impl Listener {
    /// Takes the place and listens.
    ///
    /// Nobody can connect before the mode is set, whatever the umask: the socket starts to listen after that.
    ///
    /// # Errors
    /// See [`Error`]: each says what is in the way and what to do. Nothing is removed but a dead socket.
    ///
    /// # Panics
    /// Outside a Tokio runtime with I/O enabled.
    pub fn bind(options: UnixListenerOptions) -> Result<Self, Error> {
        let UnixListenerOptions { path, mode, allowed_uids, allowed_gids, buffers } = options;
        let mode = mode & 0o777;
        let bytes = path.as_os_str().len();
        if bytes == 0 || bytes > SOCKET_PATH_BYTES {
            return Err(Error::PathTooLong { path, bytes });
        }
        place::make_directory(&path, mode)?;
        let lock = Lock::take(&path)?;
        place::clear(&path)?;
        let socket = bind_socket(&path, mode).map_err(|source| Error::io("bind", &path, source))?;
        let file = FileId::at(&path).map_err(|source| Error::io("look at", &path, source))?;
        let inner =
            UnixListener::from_std(socket.into()).map_err(|source| Error::io("listen on", &path, source))?;
        Ok(Self {
            inner,
            path,
            file,
            admission: Admission::new(allowed_uids, allowed_gids),
            buffers,
            _lock: lock,
        })
    }

    /// Waits for the next connection and looks at who made it.
    ///
    /// # Errors
    /// [`AcceptError`]. A retryable one means: wait a moment and accept again.
    ///
    /// # Cancel safety
    /// Safe: a connection that was not handed out stays in the backlog.
    pub async fn accept(&self) -> Result<Incoming, AcceptError> {
        let (stream, _) = self.inner.accept().await.map_err(AcceptError::from_io)?;
        // A peer that is gone before it was looked at, or a socket that takes no option, concerns one connection only.
        let peer: Peer = stream.peer_cred().map_err(AcceptError::Lost)?.into();
        Ok(match self.admission.check(peer) {
            Ok(()) => {
                self.buffers.apply(&stream).map_err(AcceptError::Lost)?;
                Incoming::Admitted(stream, peer)
            }
            Err(refused) => Incoming::Refused(stream, refused),
        })
    }

    /// Path of the socket.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What a client connects to.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::Unix(self.path.clone())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Whoever replaced the file owns it now. A file that can't be removed is found dead by the next start.
        if FileId::at(&self.path).is_ok_and(|file| file == self.file) {
            fs::remove_file(&self.path).ok();
        }
    }
}

fn bind_socket(path: &Path, mode: u32) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    let listening = fs::set_permissions(path, Permissions::from_mode(mode))
        .and_then(|()| rustix::net::listen(&socket, BACKLOG).map_err(io::Error::from));
    if let Err(error) = listening {
        fs::remove_file(path).ok();
        return Err(error);
    }
    Ok(socket)
}

#[cfg(test)]
mod tests;
