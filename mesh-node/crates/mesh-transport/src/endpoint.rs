//! Where a link goes: the parsed form of `--url`, `MESH_URL` and `Client::builder().endpoint(…)`.

mod authority;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use mesh_wire::code::Code;

pub use self::authority::{Authority, HOST_BYTES, Host, Malformed, PORT_DEFAULT};

/// Longest path of a Unix socket, in bytes: `sun_path` holds 108 with its final zero.
pub const SOCKET_PATH_BYTES: usize = 107;
/// Longest endpoint that is parsed at all, in bytes.
pub const ENDPOINT_BYTES: usize = 1024;

/// Schemes that are planned but that no release speaks so far.
const PLANNED: [&str; 2] = ["mesh", "tcp"];

const SPELL: &str =
    "write the node's socket as unix:///run/mesh/mesh.sock, or its address as quic://node-1.example:7400";

/// An address that a link can be opened to.
///
/// Written as `unix:///run/mesh/mesh.sock`; `unix://run/mesh.sock` is relative to the working directory. The path is
/// taken as it stands, nothing in it is unescaped. Over a network: `quic://HOST:PORT` or, where UDP is blocked,
/// `tls://HOST:PORT`; without a port it is [`PORT_DEFAULT`].
///
/// ```
/// use mesh_transport::endpoint::Endpoint;
///
/// let endpoint: Endpoint = "unix:///run/mesh/mesh.sock".parse()?;
/// assert_eq!(endpoint, Endpoint::Unix("/run/mesh/mesh.sock".into()));
/// assert_eq!(endpoint.to_string(), "unix:///run/mesh/mesh.sock");
/// let endpoint: Endpoint = "quic://node-1.example".parse()?;
/// assert_eq!(endpoint.to_string(), "quic://node-1.example:7400");
/// # Ok::<(), mesh_transport::endpoint::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// A Unix stream socket at this path.
    Unix(PathBuf),
    /// QUIC over UDP to this host and port.
    Quic(Authority),
    /// TLS over TCP to this host and port.
    Tls(Authority),
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
            Self::Quic(_) | Self::Tls(_) => None,
        }
    }

    /// The host and port, for an endpoint that has them.
    #[must_use]
    pub fn authority(&self) -> Option<&Authority> {
        match self {
            Self::Unix(_) => None,
            Self::Quic(authority) | Self::Tls(authority) => Some(authority),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Quic(authority) => write!(f, "quic://{authority}"),
            Self::Tls(authority) => write!(f, "tls://{authority}"),
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
            "quic" | "tls" => {
                let authority = Authority::parse(rest, PORT_DEFAULT)
                    .map_err(|wrong| Error::Authority { text: text.to_owned(), wrong })?;
                Ok(if scheme == "quic" { Self::Quic(authority) } else { Self::Tls(authority) })
            }
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
    /// The host or the port can't be read.
    #[error("{text:?} is no address: {wrong}")]
    Authority {
        /// What was given.
        text: String,
        /// What is wrong with it.
        wrong: Malformed,
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
            Self::Empty | Self::TooLong { .. } | Self::UnknownScheme { .. } => SPELL.to_owned(),
            Self::NoScheme { text } if text.contains('/') => format!("did you mean unix://{text} ?"),
            Self::NoScheme { text } if Authority::parse(text, PORT_DEFAULT).is_ok() => {
                format!("did you mean quic://{text} ? A node on this machine: unix:///run/mesh/mesh.sock")
            }
            Self::NoScheme { .. } => SPELL.to_owned(),
            Self::NotSupportedYet { .. } => SPELL.to_owned(),
            Self::Authority { wrong: Malformed::NoBrackets | Malformed::Ipv6, .. } => {
                "write it as quic://[2001:db8::7]:7400".to_owned()
            }
            Self::Authority { .. } => {
                "write it as quic://node-1.example:7400 or quic://192.0.2.7:7400".to_owned()
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
            ("localhost:7400", Code::EndpointInvalid, "quic://localhost:7400"),
            ("http://localhost", Code::EndpointInvalid, "unix:///run"),
            ("tcp://localhost:7400", Code::EndpointNotSupported, "quic://"),
            ("quic://", Code::EndpointInvalid, "quic://node"),
            ("quic:///run/mesh.sock", Code::EndpointInvalid, "quic://node"),
            ("quic://::1", Code::EndpointInvalid, "quic://[2001"),
            ("tls://node:0", Code::EndpointInvalid, "quic://node"),
        ];
        for (text, code, hint) in table {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert_eq!(error.code(), code, "{text:?}");
            assert!(error.hint().contains(hint), "{text:?}: {}", error.hint());
            assert!(!error.is_retryable());
        }
    }

    #[test]
    fn network_endpoints_go_both_ways() {
        for (text, shown) in [
            ("quic://node", "quic://node:7400"),
            ("quic://[::1]:7", "quic://[::1]:7"),
            ("tls://192.0.2.7:7401", "tls://192.0.2.7:7401"),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), shown);
            assert_eq!(shown.parse::<Endpoint>().unwrap(), endpoint);
            assert_eq!(endpoint.socket_path(), None);
            assert!(endpoint.authority().is_some());
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
