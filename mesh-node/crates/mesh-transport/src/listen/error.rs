//! What can be in the way of listening and accepting.

use std::io;
use std::path::{Path, PathBuf};

use mesh_wire::code::Code;
use rustix::io::Errno;

use crate::endpoint::SOCKET_PATH_BYTES;

/// Why a node can't listen at a path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The path is empty or longer than [`SOCKET_PATH_BYTES`].
    #[error("the socket path {path:?} has {bytes} bytes, the system takes 1 to {SOCKET_PATH_BYTES}")]
    PathTooLong {
        /// The path.
        path: PathBuf,
        /// Its length in bytes.
        bytes: usize,
    },
    /// Another process listens there, or is about to.
    #[error("another process listens on {path:?}")]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// Something that is no socket stands there; it is left alone.
    #[error("{path:?} is a {kind}, not a socket")]
    NotASocket {
        /// The path.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// The directory of the socket can't be made.
    #[error("can't make the directory {dir:?}")]
    NoDirectory {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A dead socket stands there and can't be removed.
    #[error("can't remove the dead socket {path:?}")]
    Stale {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system does not let this user do it.
    #[error("this user may not {action} {path:?}")]
    PermissionDenied {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Anything else that the system says.
    #[error("can't {action} {path:?}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::PermissionDenied { action, path, source }
            }
            io::ErrorKind::AddrInUse => Self::InUse { path },
            _ => Self::Io { action, path, source },
        }
    }

    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::PathTooLong { .. } => Code::SocketPathTooLong,
            Self::InUse { .. } => Code::SocketInUse,
            Self::NotASocket { .. } => Code::SocketNotASocket,
            Self::NoDirectory { .. } => Code::SocketNoDirectory,
            Self::Stale { .. } => Code::SocketStale,
            Self::PermissionDenied { .. } => Code::SocketPermissionDenied,
            Self::Io { .. } => Code::SocketUnusable,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::PathTooLong { .. } => {
                "choose a shorter path: mesh-node --socket /run/mesh/mesh.sock".to_owned()
            }
            Self::InUse { path } => format!(
                "a node may be running already: mesh-node health --socket {0}; or choose another path with --socket",
                path.display()
            ),
            Self::NotASocket { path, .. } => {
                format!("move {} away, or choose another path with --socket", path.display())
            }
            Self::NoDirectory { .. } => "choose a path in a directory of your own with --socket".to_owned(),
            Self::Stale { path, .. } => {
                format!("remove it as its owner: rm {}; or choose another path with --socket", path.display())
            }
            Self::PermissionDenied { path, .. } => format!(
                "look at it with: ls -ld {0} {1}; or choose a place of your own: --socket \"$HOME/.mesh/mesh.sock\"",
                path.parent().unwrap_or(Path::new(".")).display(),
                path.display(),
            ),
            Self::Io { .. } => "choose another path with --socket".to_owned(),
        }
    }

    /// Whether the same call may succeed later without anybody changing anything: when the other process ends.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::InUse { .. })
    }
}

/// Why a connection could not be accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The process or the system has no file descriptor or memory left.
    #[error("no file descriptor or memory for another connection")]
    Exhausted(#[source] io::Error),
    /// This one connection was lost while it was accepted; the next one is not concerned.
    #[error("a connection was lost while it was accepted")]
    Lost(#[source] io::Error),
    /// The listening socket itself is broken.
    #[error("the listening socket is broken")]
    Broken(#[source] io::Error),
}

impl AcceptError {
    pub(crate) fn from_io(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => Self::Exhausted(error),
            Some(Errno::CONNABORTED | Errno::CONNRESET | Errno::PROTO | Errno::PERM | Errno::INTR) => {
                Self::Lost(error)
            }
            _ => Self::Broken(error),
        }
    }

    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Exhausted(_) => Code::AcceptExhausted,
            Self::Lost(_) | Self::Broken(_) => Code::SocketUnusable,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Exhausted(_) => {
                "raise the limit of open files (ulimit -n, LimitNOFILE=) or lower limits.max_links".to_owned()
            }
            Self::Lost(_) => "nothing: the client reconnects".to_owned(),
            Self::Broken(_) => "restart the node".to_owned(),
        }
    }

    /// Whether accepting again may succeed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        !matches!(self, Self::Broken(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_errors_by_what_they_concern() {
        let table = [
            (Errno::MFILE, Code::AcceptExhausted, true),
            (Errno::NFILE, Code::AcceptExhausted, true),
            (Errno::NOMEM, Code::AcceptExhausted, true),
            (Errno::CONNABORTED, Code::SocketUnusable, true),
            (Errno::BADF, Code::SocketUnusable, false),
            (Errno::INVAL, Code::SocketUnusable, false),
        ];
        for (errno, code, retryable) in table {
            let error = AcceptError::from_io(errno.into());
            assert_eq!((error.code(), error.is_retryable()), (code, retryable), "{errno:?}");
            assert!(!error.hint().is_empty());
        }
    }

    #[test]
    fn bind_errors_by_what_the_system_says() {
        let table = [
            (Errno::ACCESS, Code::SocketPermissionDenied, false),
            (Errno::PERM, Code::SocketPermissionDenied, false),
            (Errno::ROFS, Code::SocketPermissionDenied, false),
            (Errno::ADDRINUSE, Code::SocketInUse, true),
            (Errno::NOSPC, Code::SocketUnusable, false),
        ];
        for (errno, code, retryable) in table {
            let error = Error::io("bind", Path::new("/d/s"), errno.into());
            assert_eq!((error.code(), error.is_retryable()), (code, retryable), "{errno:?}");
            assert!(error.to_string().contains("/d/s"), "{error}");
            assert!(error.hint().contains("--socket"), "{}", error.hint());
        }
    }
}
