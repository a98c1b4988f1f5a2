//! What two nodes tell each other when a link between them opens.
//!
//! ```text
//!  the node that dialled                      the node that was dialled
//!    preface, PEER_HELLO  ─────────────────►
//!                         ◄─────────────────  PEER_WELCOME, or a fatal ERROR
//! ```
//! Both frames carry the same body. `aux` and `id` are used as in `HELLO` and `WELCOME`.

use serde::{Deserialize, Serialize};

/// Who a node is, in `PEER_HELLO` and `PEER_WELCOME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerHelloV1 {
    /// Name of the node, a [`crate::name::Name`]; that of its certificate.
    pub node: String,
    /// Name of its cluster, a [`crate::name::Name`]; that of its certificate.
    pub cluster: String,
    /// Start time of the node in microseconds since the epoch: of two processes under one name the newer one counts.
    pub incarnation: u64,
    /// Number of the link at the node that dialled it, rising from dial to dial; `PEER_WELCOME` repeats it.
    pub dial: u64,
    /// Where other nodes reach it, `host:port`; empty when they don't.
    pub address: String,
    /// Version of the node's software.
    pub version: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{BodyError, decode, encode};

    #[test]
    fn golden_bytes_of_version_1() {
        let hello = PeerHelloV1 {
            node: "n1".into(),
            cluster: "c".into(),
            incarnation: 128,
            dial: 3,
            address: "h:1".into(),
            version: "0".into(),
        };
        let want = b"\x02n1\x01c\x80\x01\x03\x03h:1\x010";
        assert_eq!(encode(&hello).unwrap(), want);
        assert_eq!(decode::<PeerHelloV1>(want).unwrap(), hello);
        for n in 0..want.len() {
            assert_eq!(decode::<PeerHelloV1>(&want[..n]), Err(BodyError::Malformed), "{n} bytes");
        }
        let longer = [&want[..], &[0]].concat();
        assert_eq!(decode::<PeerHelloV1>(&longer), Err(BodyError::Trailing(1)));
    }
}
