//! The client's end of a Unix socket.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use mesh_wire::code::Code;
use tokio::net::UnixStream;

use crate::buffers::SocketBuffers;
use crate::endpoint::{self, Endpoint};

/// Connects to `endpoint` and sets the stream's kernel buffers.
///
/// A Unix socket answers at once, so there is no timeout: a node that is there but says nothing is found by the
/// handshake that follows.
///
/// # Errors
/// See [`Error`].
///
/// # Cancel safety
/// Safe: a connection that was not handed out is closed.
pub async fn connect(endpoint: &Endpoint, buffers: SocketBuffers) -> Result<UnixStream, Error> {
    match endpoint {
        Endpoint::Unix(path) => {
            // Checks the length, which the system reports as an invalid argument.
            Endpoint::unix(path)?;
            let stream = UnixStream::connect(path).await.map_err(|source| Error::from_io(path, source))?;
            buffers.apply(&stream).map_err(|source| Error::from_io(path, source))?;
            Ok(stream)
        }
    }
}

/// Why a client can't connect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The endpoint can't be connected to at all.
    #[error(transparent)]
    Endpoint(#[from] endpoint::Error),
    /// There is no file at the path.
    #[error("there is no socket at {path:?}")]
    NotFound {
        /// The path.
        path: PathBuf,
    },
    /// There is a socket, but nobody listens on it.
    #[error("nothing listens on {path:?}")]
    NothingListening {
        /// The path.
        path: PathBuf,
    },
    /// There is a file that is no socket.
    #[error("{path:?} is not a socket")]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// This user may not open the socket.
    #[error("this user may not open {path:?}")]
    PermissionDenied {
        /// The path.
        path: PathBuf,
    },
    /// More connections wait to be accepted than the system holds.
    #[error("too many connections wait on {path:?}")]
    Busy {
        /// The path.
        path: PathBuf,
    },
    /// Anything else that the system says.
    #[error("can't connect to {path:?}")]
    Io {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound { path },
            // The system says the same of a dead socket and of a file that never was one.
            io::ErrorKind::ConnectionRefused if is_other_file(&path) => Self::NotASocket { path },
            io::ErrorKind::ConnectionRefused => Self::NothingListening { path },
            io::ErrorKind::PermissionDenied => Self::PermissionDenied { path },
            io::ErrorKind::WouldBlock => Self::Busy { path },
            _ => Self::Io { path, source },
        }
    }

    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Endpoint(error) => error.code(),
            Self::NotFound { .. } => Code::ConnectNoSuchSocket,
            Self::NothingListening { .. } => Code::ConnectNothingListening,
            Self::NotASocket { .. } => Code::SocketNotASocket,
            Self::PermissionDenied { .. } => Code::ConnectPermissionDenied,
            Self::Busy { .. } => Code::ConnectBusy,
            Self::Io { .. } => Code::ConnectFailed,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Endpoint(error) => error.hint(),
            Self::NotFound { path } | Self::NothingListening { path } => {
                format!(
                    "start a node there: mesh-node --socket {}; or name another one with --url or MESH_URL",
                    path.display()
                )
            }
            Self::NotASocket { .. } => "name the node's socket with --url or MESH_URL".to_owned(),
            Self::PermissionDenied { .. } => {
                "run as the node's user, or let its operator open it with socket.mode and socket.allow_uids"
                    .to_owned()
            }
            Self::Busy { .. } => "try again in a moment".to_owned(),
            Self::Io { path, .. } => format!("ask the node: mesh-node health --socket {}", path.display()),
        }
    }

    /// Whether the same call may succeed later without anybody changing anything here: when a node starts or catches up.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::NotFound { .. } | Self::NothingListening { .. } | Self::Busy { .. } | Self::Io { .. }
        )
    }
}

fn is_other_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.file_type().is_socket())
}
