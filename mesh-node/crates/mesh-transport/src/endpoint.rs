//! Where a link goes: the parsed form of `--url`, `MESH_URL` and `Client::builder().endpoint(…)`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use mesh_wire::code::Code;

/// Longest path of a Unix socket, in bytes: `sun_path` holds 108 with its final zero.
pub const SOCKET_PATH_BYTES: usize = 107;
/// Longest endpoint that is parsed at all, in bytes.
pub const ENDPOINT_BYTES: usize = 1024;

/// Schemes that are planned but that no release speaks so far.
const PLANNED: [&str; 4] = ["quic", "tls", "mesh", "tcp"];

/// An address that a link can be opened to.
///
/// Written as `unix:///run/mesh/mesh.sock`; `unix://run/mesh.sock` is relative to the working directory. The path is
/// taken as it stands, nothing in it is unescaped.
///
/// ```
/// use mesh_transport::endpoint::Endpoint;
///
/// let endpoint: Endpoint = "unix:///run/mesh/mesh.sock".parse()?;
/// assert_eq!(endpoint, Endpoint::Unix("/run/mesh/mesh.sock".into()));
/// assert_eq!(endpoint.to_string(), "unix:///run/mesh/mesh.sock");
/// # Ok::<(), mesh_transport::endpoint::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// A Unix stream socket at this path.
    Unix(PathBuf),
}

impl Endpoint {
    /// An endpoint for the socket at `path`.
    ///
    /// # Errors
    /// [`Error::Empty`] and [`Error::PathTooLong`].
    pub fn unix(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let bytes = path.as_os_str().len();
        match bytes {
            0 => Err(Error::Empty),
            1..=SOCKET_PATH_BYTES => Ok(Self::Unix(path)),
            _ => Err(Error::PathTooLong { path, bytes }),
        }
    }

    /// The socket's path, for an endpoint that has one.
    #[must_use]
    pub fn socket_path(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.len() > ENDPOINT_BYTES {
            return Err(Error::TooLong { bytes: text.len() });
        }
        if text.is_empty() {
            return Err(Error::Empty);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(Error::NoScheme { text: text.to_owned() });
        };
        match scheme {
            "unix" => Self::unix(rest),
            _ if PLANNED.contains(&scheme) => Err(Error::NotSupportedYet { scheme: scheme.to_owned() }),
            _ => Err(Error::UnknownScheme { scheme: scheme.to_owned() }),
        }
    }
}

/// Why a text is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing was given, or nothing behind `unix://`.
    #[error("the endpoint is empty")]
    Empty,
    /// Longer than [`ENDPOINT_BYTES`].
    #[error("the endpoint has {bytes} bytes, at most {ENDPOINT_BYTES} are read")]
    TooLong {
        /// Length of what was given, in bytes.
        bytes: usize,
    },
    /// No `scheme://` in front.
    #[error("{text:?} has no scheme")]
    NoScheme {
        /// What was given.
        text: String,
    },
    /// A scheme that Mesh does not know.
    #[error("unknown scheme {scheme:?}")]
    UnknownScheme {
        /// The scheme that was given.
        scheme: String,
    },
    /// A scheme that is planned.
    #[error("{scheme}:// is not supported yet")]
    NotSupportedYet {
        /// The scheme that was given.
        scheme: String,
    },
    /// The socket's path is longer than [`SOCKET_PATH_BYTES`].
    #[error("the socket path {path:?} has {bytes} bytes, the system takes at most {SOCKET_PATH_BYTES}")]
    PathTooLong {
        /// The path that was given.
        path: PathBuf,
        /// Its length in bytes.
        bytes: usize,
    },
}

impl Error {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NotSupportedYet { .. } => Code::EndpointNotSupported,
            Self::PathTooLong { .. } => Code::SocketPathTooLong,
            _ => Code::EndpointInvalid,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Empty | Self::TooLong { .. } | Self::UnknownScheme { .. } => {
                "write the node's socket as unix:///run/mesh/mesh.sock".to_owned()
            }
            Self::NoScheme { text } if text.contains('/') => format!("did you mean unix://{text} ?"),
            Self::NoScheme { .. } => "write the node's socket as unix:///run/mesh/mesh.sock".to_owned(),
            Self::NotSupportedYet { .. } => {
                "connect to a node on this machine by its Unix socket, as unix:///run/mesh/mesh.sock"
                    .to_owned()
            }
            Self::PathTooLong { .. } => {
                "use a shorter path, such as /run/mesh/mesh.sock, or one relative to the working directory"
                    .to_owned()
            }
        }
    }

    /// Whether the same text may be accepted later: never.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_what_they_mean() {
        let table = [
            ("unix:///run/mesh/mesh.sock", "/run/mesh/mesh.sock"),
            ("unix://mesh.sock", "mesh.sock"),
            ("unix://./a b%20c.sock", "./a b%20c.sock"),
            ("unix:///a://b", "/a://b"),
        ];
        for (text, path) in table {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.socket_path(), Some(Path::new(path)), "{text}");
            assert_eq!(endpoint.to_string(), text);
        }
    }

    #[test]
    fn texts_that_are_refused() {
        let table = [
            ("", Code::EndpointInvalid, "unix:///run"),
            ("unix://", Code::EndpointInvalid, "unix:///run"),
            ("/run/mesh.sock", Code::EndpointInvalid, "unix:///run/mesh.sock"),
            ("localhost", Code::EndpointInvalid, "unix:///run"),
            ("http://localhost", Code::EndpointInvalid, "unix:///run"),
            ("quic://localhost:7400", Code::EndpointNotSupported, "Unix socket"),
            ("tls://localhost:7400", Code::EndpointNotSupported, "Unix socket"),
        ];
        for (text, code, hint) in table {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert_eq!(error.code(), code, "{text:?}");
            assert!(error.hint().contains(hint), "{text:?}: {}", error.hint());
            assert!(!error.is_retryable());
        }
    }

    #[test]
    fn a_path_is_bounded_by_what_the_system_takes() {
        let longest = "p".repeat(SOCKET_PATH_BYTES);
        assert!(format!("unix://{longest}").parse::<Endpoint>().is_ok());
        let error = format!("unix://{longest}p").parse::<Endpoint>().unwrap_err();
        assert_eq!(error.code(), Code::SocketPathTooLong);
        assert!(error.to_string().contains("108 bytes"), "{error}");
    }

    #[test]
    fn an_endpoint_is_bounded_before_it_is_read() {
        let longest = "x".repeat(ENDPOINT_BYTES);
        assert!(matches!(longest.parse::<Endpoint>(), Err(Error::NoScheme { .. })));
        let longer = "x".repeat(ENDPOINT_BYTES + 1);
        assert_eq!(longer.parse::<Endpoint>(), Err(Error::TooLong { bytes: ENDPOINT_BYTES + 1 }));
    }
}
