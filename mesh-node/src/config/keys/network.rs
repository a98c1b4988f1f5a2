//! Keys of what a node does over a network.

use super::super::form::{Address, Count, Finding, Label, Labels, OptionalPath, Place, Switch};
use super::super::reader::Default::{Computed, Text};
use super::super::reader::Key;
use super::PATH_BYTES;

/// The port for peers when nothing else is said.
pub(in crate::config) const PEER_PORT: u16 = 7401;
/// Most peers that may be named.
const PEERS: usize = 64;
/// Most services that may be operators.
const OPERATORS: usize = 32;

const FILE: OptionalPath = OptionalPath { most: PATH_BYTES };

pub(in crate::config) const LISTEN_ADDRESS: Key<Address> = Key {
    path: "listen.address",
    form: Address,
    default: Text("off"),
    flag: Some("--listen"),
    doc: "Where clients of other machines connect: QUIC on the UDP port, TLS on the TCP port of the same number. The \
          usual port is 7400. It takes certificates (`certs.dir`), or `listen.insecure_loopback`.",
};
pub(in crate::config) const LISTEN_INSECURE_LOOPBACK: Key<Switch> = Key {
    path: "listen.insecure_loopback",
    form: Switch,
    default: Text("off"),
    flag: Some("--insecure-loopback"),
    doc: "Takes clients without certificate or token, so that a laptop needs neither. Only with a loopback address: \
          everybody on this machine may then do everything but stop the node.",
};
pub(in crate::config) const LISTEN_OPERATORS: Key<Labels> = Key {
    path: "listen.operators",
    form: Labels { most: OPERATORS },
    default: Text(""),
    flag: None,
    doc: "Services that may tell the node to drain and stop over a network, by the names in their certificates or \
          tokens. On the Unix socket root and the node's own user always may.",
};
pub(in crate::config) const CERTS_DIR: Key<OptionalPath> = Key {
    path: "certs.dir",
    form: FILE,
    default: Text("off"),
    flag: Some("--certs"),
    doc: "Directory of certificates, as `mesh cert` fills it: `ca.pem`, `node-NAME.pem` and `node-NAME.key` with this \
          node's name, `crl.pem` if there is one; or `ca.crt`, `tls.crt` and `tls.key`, as cert-manager names them. It is \
          looked at every second: new files count at once, without a restart.",
};
pub(in crate::config) const CERTS_CA: Key<OptionalPath> = Key {
    path: "certs.ca",
    form: FILE,
    default: Text("off"),
    flag: None,
    doc: "The certificates that those of clients and peers have to descend from, PEM. With `certs.cert` and \
          `certs.key` instead of `certs.dir`.",
};
pub(in crate::config) const CERTS_CERT: Key<OptionalPath> = Key {
    path: "certs.cert",
    form: FILE,
    default: Text("off"),
    flag: None,
    doc: "This node's own certificate, PEM, with those between it and its CA. With `certs.ca` and `certs.key`.",
};
pub(in crate::config) const CERTS_KEY: Key<OptionalPath> = Key {
    path: "certs.key",
    form: FILE,
    default: Text("off"),
    flag: None,
    doc: "The key of `certs.cert`, PEM.",
};
pub(in crate::config) const CERTS_CRL: Key<OptionalPath> = Key {
    path: "certs.crl",
    form: FILE,
    default: Text("off"),
    flag: None,
    doc: "Lists of revoked certificates, PEM; with `certs.dir` it is `crl.pem` there. A link whose certificate gets on \
          it is closed.",
};
pub(in crate::config) const TOKENS_JWKS: Key<OptionalPath> = Key {
    path: "tokens.jwks",
    form: FILE,
    default: Text("off"),
    flag: Some("--client-tokens"),
    doc: "File with the public keys (JWKS) of tokens (JWT) that clients may show instead of a certificate. It is looked \
          at every second. Peers always show certificates.",
};
pub(in crate::config) const TOKENS_AUDIENCE: Key<Label> = Key {
    path: "tokens.audience",
    form: Label,
    default: Computed("the cluster's name"),
    flag: None,
    doc: "What the audience of a token has to name: a token for something else is refused.",
};
pub(in crate::config) const PEER_LISTEN: Key<Address> = Key {
    path: "peer.listen",
    form: Address,
    default: Text("off"),
    flag: Some("--peer-listen"),
    doc: "Where the other nodes of the cluster connect, over UDP. The usual port is 7401. It takes certificates.",
};
pub(in crate::config) const PEER_ADVERTISE: Key<Place> = Key {
    path: "peer.advertise",
    form: Place { port: PEER_PORT },
    default: Text("off"),
    flag: Some("--advertise"),
    doc: "Where the other nodes reach this one, when that is not what `peer.listen` says: behind a wildcard address, or \
          a name.",
};
pub(in crate::config) const PEER_MAX_PEERS: Key<Count> = Key {
    path: "peer.max_peers",
    form: Count { min: 1, max: 1024 },
    default: Text("64"),
    flag: None,
    doc: "Most nodes that this one has links with. A further one is refused, and tries again from time to time.",
};
pub(in crate::config) const DISCOVERY: Key<Finding> = Key {
    path: "discovery",
    form: Finding { port: PEER_PORT, most: PEERS },
    default: Text("standalone"),
    flag: Some("--discovery"),
    doc: "How this node finds the others of its cluster: not at all, or by a list of their peer addresses.",
};
