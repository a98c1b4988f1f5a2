//! Why there is no link.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mesh_wire::code::Code;

use crate::dialled::Failure;
use crate::endpoint::{self, Authority, Endpoint};
use crate::link::Closed;

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
    /// The endpoint is no Unix socket, where only one can be used.
    #[error("{endpoint} is not a Unix socket")]
    NotASocketEndpoint {
        /// The endpoint.
        endpoint: Endpoint,
    },
    /// There is no CA, and the endpoint is not on this machine.
    #[error("there is no CA to verify {endpoint} with")]
    CaRequired {
        /// The endpoint.
        endpoint: Endpoint,
    },
    /// The host has no address.
    #[error("the host {host:?} has no address: {cause}")]
    Unresolved {
        /// The host.
        host: String,
        /// What the system said.
        cause: String,
    },
    /// No process has the port.
    #[error("nothing listens at {endpoint} ({address})")]
    PortClosed {
        /// The endpoint.
        endpoint: Endpoint,
        /// The address that was tried.
        address: SocketAddr,
    },
    /// No answer in time.
    #[error("{endpoint} did not answer within {within:?}")]
    Timeout {
        /// The endpoint.
        endpoint: Endpoint,
        /// How long it was waited for.
        within: Duration,
    },
    /// The handshake failed: a certificate, the protocol, or there is no room.
    #[error("no link with {endpoint}: {cause}")]
    Handshake {
        /// The endpoint.
        endpoint: Endpoint,
        /// The code of what is wrong.
        code: Code,
        /// What is wrong.
        cause: String,
    },
    /// Anything else that the system says about a network.
    #[error("can't connect to {endpoint} ({address})")]
    Network {
        /// The endpoint.
        endpoint: Endpoint,
        /// The address that was tried.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
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
    pub(super) fn unresolved(authority: &Authority, cause: impl ToString) -> Self {
        Self::Unresolved { host: authority.host_text(), cause: cause.to_string() }
    }

    pub(super) fn dialling(endpoint: &Endpoint, address: SocketAddr, failure: Failure) -> Self {
        let endpoint = endpoint.clone();
        match failure {
            Failure::NothingListens => Self::PortClosed { endpoint, address },
            Failure::Handshake(Closed { code, cause }) => {
                Self::Handshake { endpoint, code: code.unwrap_or(Code::Disconnected), cause }
            }
            Failure::Io(source) => Self::Network { endpoint, address, source },
        }
    }

    pub(super) fn from_io(path: &Path, source: io::Error) -> Self {
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
            Self::NotASocketEndpoint { .. } => Code::EndpointNotSupported,
            Self::CaRequired { .. } => Code::CaRequired,
            Self::Unresolved { .. } => Code::HostUnresolved,
            Self::PortClosed { .. } => Code::ConnectNothingListening,
            Self::Timeout { .. } => Code::ConnectTimeout,
            Self::Handshake { code, .. } => *code,
            Self::Network { .. } | Self::Io { .. } => Code::ConnectFailed,
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
            Self::NotASocketEndpoint { .. } => {
                "name the node's Unix socket, as unix:///run/mesh/mesh.sock".to_owned()
            }
            Self::PortClosed { endpoint, .. } => match endpoint.authority() {
                Some(authority) => format!(
                    "start a node there: mesh-node --listen {}:{} --certs DIR; or check the port",
                    if authority.is_loopback() { "127.0.0.1" } else { "0.0.0.0" },
                    authority.port()
                ),
                None => self.code().hint().to_owned(),
            },
            Self::Timeout { endpoint: Endpoint::Quic(authority), .. } => format!(
                "check the address, and that UDP gets through; where it is blocked, try tls://{authority}"
            ),
            Self::CaRequired { .. }
            | Self::Unresolved { .. }
            | Self::Timeout { .. }
            | Self::Handshake { .. }
            | Self::Network { .. } => self.code().hint().to_owned(),
            Self::Io { path, .. } => format!("ask the node: mesh-node health --socket {}", path.display()),
        }
    }

    /// Whether the same call may succeed later without anybody changing anything here: when a node starts or catches up.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotFound { .. }
            | Self::NothingListening { .. }
            | Self::Busy { .. }
            | Self::Unresolved { .. }
            | Self::PortClosed { .. }
            | Self::Timeout { .. }
            | Self::Network { .. }
            | Self::Io { .. } => true,
            Self::Handshake { code, .. } => code.is_retryable(),
            _ => false,
        }
    }
}

fn is_other_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.file_type().is_socket())
}
