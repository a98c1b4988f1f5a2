//! Identities: `spiffe://<cluster>/node/<id>` and `spiffe://<cluster>/service/<name>`.

use std::fmt;
use std::str::FromStr;

use mesh_wire::code::Code;
use mesh_wire::limits::NAME_BYTES;
use mesh_wire::name::{Name, NameError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const SCHEME: &str = "spiffe://";

/// The most bytes that an identity has as text; far below the 2,048 of the standard.
pub const ID_BYTES_MAX: usize = SCHEME.len() + NAME_BYTES + "/service/".len() + NAME_BYTES;

/// Whether somebody is a part of the cluster or uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A node.
    Node,
    /// A client.
    Service,
}

impl Kind {
    /// As it stands in an identity: `node` or `service`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Service => "service",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who somebody is, as text at most [`ID_BYTES_MAX`] bytes. Source: SPIFFE-ID, section 2.
///
/// All three parts are well-formed [`Name`]s; the last one is neither `.` nor `..`, which a path of SPIFFE forbids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId {
    cluster: Name,
    kind: Kind,
    name: Name,
}

impl SpiffeId {
    /// The identity of a node or service of a cluster.
    ///
    /// # Errors
    /// [`Error::Dots`] if the name is `.` or `..`.
    pub fn new(cluster: Name, kind: Kind, name: Name) -> Result<Self, Error> {
        if matches!(name.as_str(), "." | "..") {
            return Err(Error::Dots);
        }
        Ok(Self { cluster, kind, name })
    }

    /// The cluster, which SPIFFE calls the trust domain.
    pub fn cluster(&self) -> &Name {
        &self.cluster
    }

    /// A node or a service.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The id of the node or the name of the service.
    pub fn name(&self) -> &Name {
        &self.name
    }
}

impl FromStr for SpiffeId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.len() > ID_BYTES_MAX {
            return Err(Error::TooLong { bytes: text.len() });
        }
        let path = text.strip_prefix(SCHEME).ok_or(Error::Scheme)?;
        let mut parts = path.split('/');
        let (Some(cluster), Some(kind), Some(name), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Error::Path);
        };
        let kind = match kind {
            "node" => Kind::Node,
            "service" => Kind::Service,
            _ => return Err(Error::Path),
        };
        Self::new(cluster.parse()?, kind, name.parse()?)
    }
}

/// `spiffe://demo/node/a`
impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}/{}", self.cluster, self.kind, self.name)
    }
}

impl Serialize for SpiffeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SpiffeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Why a text is no identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More bytes than [`ID_BYTES_MAX`].
    #[error("the identity has {bytes} bytes, {ID_BYTES_MAX} are allowed")]
    TooLong {
        /// How many bytes it has.
        bytes: usize,
    },
    /// It does not start with `spiffe://`.
    #[error("an identity starts with spiffe://")]
    Scheme,
    /// It is not of the form cluster, kind, name.
    #[error("an identity is spiffe://CLUSTER/node/ID or spiffe://CLUSTER/service/NAME")]
    Path,
    /// The name is `.` or `..`.
    #[error("`.` and `..` are no names in an identity")]
    Dots,
    /// The cluster or the name is not a name.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl Error {
    /// The stable code of this error.
    pub fn code(&self) -> Code {
        match self {
            Self::TooLong { .. } => Code::NameTooLong,
            Self::Scheme | Self::Path | Self::Dots => Code::NameMalformed,
            Self::Name(error) => error.code(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same text can be accepted later: no.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_read_as_they_are_written() {
        for text in ["spiffe://demo/node/a", "spiffe://demo.eu-1/service/mail_v2", "spiffe://a/node/node"] {
            let id: SpiffeId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<SpiffeId>(&json).unwrap(), id);
        }
        let id: SpiffeId = "spiffe://demo/service/mail".parse().unwrap();
        assert_eq!((id.cluster().as_str(), id.kind(), id.name().as_str()), ("demo", Kind::Service, "mail"));
    }

    #[test]
    fn anything_else_is_refused() {
        for (text, error) in [
            ("", Error::Scheme),
            ("demo/node/a", Error::Scheme),
            ("SPIFFE://demo/node/a", Error::Scheme),
            ("https://demo/node/a", Error::Scheme),
            ("spiffe:/demo/node/a", Error::Scheme),
            ("spiffe://", Error::Path),
            ("spiffe://demo", Error::Path),
            ("spiffe://demo/node", Error::Path),
            ("spiffe://demo/a", Error::Path),
            ("spiffe://demo/node/a/", Error::Path),
            ("spiffe://demo/node/a/b", Error::Path),
            ("spiffe://demo/Node/a", Error::Path),
            ("spiffe://demo/ns/a", Error::Path),
            ("spiffe://demo//node/a", Error::Path),
            ("spiffe://demo/node/", Error::Name(NameError::Empty)),
            ("spiffe:///node/a", Error::Name(NameError::Empty)),
            ("spiffe://demo/node/A", Error::Name(NameError::ForbiddenByte { byte: b'A', at: 0 })),
            ("spiffe://demo/node/a?b", Error::Name(NameError::ForbiddenByte { byte: b'?', at: 1 })),
            ("spiffe://demo/node/%61", Error::Name(NameError::ForbiddenByte { byte: b'%', at: 0 })),
            ("spiffe://demo:80/node/a", Error::Name(NameError::ForbiddenByte { byte: b':', at: 4 })),
            ("spiffe://u@demo/node/a", Error::Name(NameError::ForbiddenByte { byte: b'@', at: 1 })),
            ("spiffe://demo/node/.", Error::Dots),
            ("spiffe://demo/service/..", Error::Dots),
        ] {
            assert_eq!(text.parse::<SpiffeId>(), Err(error), "{text}");
        }
    }

    #[test]
    fn bytes_at_the_limit() {
        let longest = "x".repeat(NAME_BYTES);
        let text = format!("spiffe://{longest}/service/{longest}");
        assert_eq!(text.len(), ID_BYTES_MAX);
        assert_eq!(text.parse::<SpiffeId>().unwrap().to_string(), text);
        let error = format!("{text}x").parse::<SpiffeId>().unwrap_err();
        assert_eq!(error, Error::TooLong { bytes: ID_BYTES_MAX + 1 });
        assert_eq!(error.code(), Code::NameTooLong);
        let error = format!("spiffe://a/node/{longest}x").parse::<SpiffeId>().unwrap_err();
        assert_eq!(error, Error::Name(NameError::TooLong { bytes: NAME_BYTES + 1 }));
        assert_eq!(Error::Path.code(), Code::NameMalformed);
    }
}
