//! What a node does over a network: its addresses, its certificates, its peers.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use mesh_transport::endpoint::Authority;
use mesh_wire::name::Name;

/// Links of clients over a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Where the node takes them: QUIC on the UDP port, TLS on the TCP port of the same number; `None` is off.
    pub address: Option<SocketAddr>,
    /// Whether clients on this machine need neither certificate nor token.
    pub insecure_loopback: bool,
    /// Services that may stop the node.
    pub operators: Vec<Name>,
}

/// Where certificates are read from: a directory, or files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certs {
    /// A directory with all of them, under the names that `mesh cert` gives.
    pub dir: Option<PathBuf>,
    /// The certificates that others have to descend from.
    pub ca: Option<PathBuf>,
    /// The node's own certificate, with those between it and its CA.
    pub cert: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
    /// Certificates that were revoked.
    pub crl: Option<PathBuf>,
}

impl Certs {
    /// Whether any are named.
    #[must_use]
    pub fn are_named(&self) -> bool {
        self.dir.is_some() || self.cert.is_some()
    }
}

/// Tokens of clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The keys that they are signed with; `None`: no tokens are taken.
    pub jwks: Option<PathBuf>,
    /// The audience that they have to name.
    pub audience: Name,
}

/// This node as its peers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Where it takes the links of its peers, over UDP; `None` is off.
    pub listen: Option<SocketAddr>,
    /// Where its peers reach it, when that is not the address that it listens on.
    pub advertise: Option<Authority>,
    /// Most nodes that it has links with.
    pub max_peers: usize,
}

/// How a node finds its peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discovery {
    /// It has none.
    Standalone,
    /// They are at these addresses; its own may be among them.
    Static(Vec<Authority>),
}

/// As it is written in a configuration.
impl fmt::Display for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standalone => f.write_str("standalone"),
            Self::Static(peers) => {
                let peers: Vec<String> = peers.iter().map(Authority::to_string).collect();
                write!(f, "static:{}", peers.join(","))
            }
        }
    }
}
