//! Links over a network: 6050 to 6069.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::LaneUnknown,
        name: "lane_unknown",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A lane of a class that there is not",
        cause: "The first byte of a stream is no class of traffic.",
        hint: "Use the client library; if you write your own: the first byte of a stream is its class, 0 to 4.",
        explanation: "Over QUIC a link has a stream for each class of traffic and direction, and the first byte of \
        the stream says which class it is. This one said a number that this version does not know. The link was \
        closed.\n\n\
        Usual causes: a client of one's own, or a program that speaks another protocol under the name of ours.",
    },
    Entry {
        code: Code::LaneRepeated,
        name: "lane_repeated",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A second lane of one class",
        cause: "The other side opened a stream for a class that has one.",
        hint: "Use the client library; if you write your own: one stream per class and direction, for the whole link.",
        explanation: "Order holds within a lane, so there is one for each class and direction, from its first \
        frame to the end of the link: it is never closed and opened again. A second one would bring frames out of \
        order. The link was closed.",
    },
    Entry {
        code: Code::LaneSilent,
        name: "lane_silent",
        kind: ErrorKind::Protocol,
        retryable: true,
        title: "A lane was opened and nothing came on it",
        cause: "The other side opened a stream and did not send the byte that says what it is for.",
        hint: "Nothing, if the network was bad just then: the link is opened again. Else look at who is at the other end.",
        explanation: "A stream that was opened costs memory on the side that has to hold it, so it must say within \
        seconds what it is for. A link whose streams stay silent is closed: it is either broken or made to hold \
        memory.",
    },
    Entry {
        code: Code::LaneForbidden,
        name: "lane_forbidden",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "The other side broke the rules for lanes",
        cause: "A stream in both directions, too many streams, a datagram, more bytes than it may send, or no control first.",
        hint: "Use the client library; if you write your own: at most one one-way stream per class, control first.",
        explanation: "A link over QUIC consists of at most six one-way streams in each direction, and the first \
        one is that of class control. Streams in both directions and datagrams are switched off, and a side sends no \
        more than the other has made room for. Whoever does otherwise breaks the protocol, and the link is closed.",
    },
    Entry {
        code: Code::LinkDead,
        name: "link_dead",
        kind: ErrorKind::Disconnected,
        retryable: true,
        title: "Nothing was heard from the other side",
        cause: "For almost five seconds nothing arrived over the network, not even a sign of life.",
        hint: "Look at the network between the two: `mesh check`; the client library connects again by itself.",
        explanation: "Both sides of a link over a network send a sign of life every second. When nothing at all \
        arrives, the link is closed before five seconds are over, and the other side is told, in case it still \
        hears.\n\n\
        Usual causes: a cable, a firewall or a route that lets packets through in one direction only; a machine \
        that was suspended, or a process that was stopped; a network so overloaded that every packet is lost.",
    },
    Entry {
        code: Code::LinkReset,
        name: "link_reset",
        kind: ErrorKind::Disconnected,
        retryable: true,
        title: "The link was cut off",
        cause: "The other side does not know the link any more: it was restarted, or it was killed.",
        hint: "Nothing: the client library connects again. If it comes back often, look at the log of the node.",
        explanation: "The other end of the link is gone without a word: the answer to a packet was a reset, or the \
        connection ended in the middle. That is how the end of a process looks that was killed or has crashed. \
        Something between the two, such as a firewall that forgets connections, can do the same.",
    },
    Entry {
        code: Code::TlsHandshakeFailed,
        name: "tls_handshake_failed",
        kind: ErrorKind::Disconnected,
        retryable: false,
        title: "The TLS handshake failed",
        cause: "The two sides found no common ground for a reason that has no code of its own.",
        hint: "Check that the port is that of a Mesh node, and that nothing between the two ends TLS itself.",
        explanation: "Links over a network are encrypted with TLS 1.3 only. Faults of certificates have codes of \
        their own (6001 to 6011); this is for the rest: an older version of TLS, a proxy that looks into \
        connections, a program that speaks something else on the port.",
    },
    Entry {
        code: Code::AlpnMismatch,
        name: "alpn_mismatch",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "What answers speaks another protocol than Mesh",
        cause: "It speaks TLS, but not the protocol \"mesh/1\".",
        hint: "Check the address and the port: a node listens for clients on 7400, when started with `--listen`.",
        explanation: "In the TLS handshake both sides say which protocol they are going to speak; that of Mesh is \
        called \"mesh/1\". The other side offered none that we speak. Usually the port belongs to something else: \
        an HTTP server, for instance.",
    },
    Entry {
        code: Code::CaRequired,
        name: "ca_required",
        kind: ErrorKind::Config,
        retryable: false,
        title: "There is no CA to verify the node with",
        cause: "No certificates are configured, and the node is not on this machine.",
        hint: "Name a directory with the CA of the cluster: `--certs DIR`, `MESH_CERTS=DIR`, or `mesh context add --certs`.",
        explanation: "A node proves who it is with a certificate of its cluster's CA, and a client needs the CA's \
        certificate (ca.pem) to verify it. Only for a node on this machine (127.0.0.1, ::1, localhost) may it be \
        left out: nobody can get in between there.\n\n\
        `mesh cert init` makes a CA for development; its ca.pem is what clients need, with a certificate of their \
        own where the node asks for one.",
    },
];
