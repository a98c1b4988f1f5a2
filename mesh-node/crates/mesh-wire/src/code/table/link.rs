//! What can go wrong in the handshake and in single frames: 1001 to 1019.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::PrefaceBad,
        name: "preface_bad",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "The link did not start with the Mesh preface",
        cause: "Something other than a Mesh client connected to the node's socket.",
        hint: "Connect with a Mesh client, for instance `mesh --url unix://PATH check`; use the admin \
        HTTP address for HTTP.",
        explanation: "A client sends eight fixed bytes, `MESH\\r\\n\\x1a\\n`, before its first frame. The node saw \
        other bytes and closed the link before reading any further. Nothing else is affected.\n\n\
        The usual reasons are an HTTP or TLS client pointed at the socket, a health probe that \
        writes to it, or a proxy that changes line endings on the way.",
    },
    Entry {
        code: Code::VersionUnsupported,
        name: "version_unsupported",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "No protocol version in common",
        cause: "Client and node are too far apart in age.",
        hint: "Compare `mesh --version` with `mesh-node --version`, and update the older one.",
        explanation: "HELLO names the oldest and the newest protocol version that the client speaks; the node \
        takes the newest that both speak. There was none, so the link was closed. The message \
        names both ranges.\n\n\
        Update the older side. During a rolling update, update the nodes first: a node keeps \
        speaking the versions of the clients that are in use.",
    },
    Entry {
        code: Code::HelloExpected,
        name: "hello_expected",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A frame came before HELLO",
        cause: "The client sent a frame before it introduced itself.",
        hint: "Send HELLO as the first frame behind the preface; see docs/reference/protocol.md, \
        \"Opening a link\".",
        explanation: "A link starts with the preface and then HELLO. Any other frame before it is refused and \
        the link closed, because neither the version nor the identity of the client is known yet. \
        Only a client library that is being written meets this.",
    },
    Entry {
        code: Code::HelloRepeated,
        name: "hello_repeated",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "HELLO came twice on one link",
        cause: "The client introduced itself twice on one link.",
        hint: "Send HELLO once per link; open a new link to introduce another client.",
        explanation: "Version, features and identity are agreed once and then hold for the life of the link. A \
        second HELLO would change them under way, so it closes the link.",
    },
    Entry {
        code: Code::HandshakeTimeout,
        name: "handshake_timeout",
        kind: ErrorKind::Disconnected,
        retryable: true,
        title: "The handshake was not finished in time",
        cause: "The client connected and did not send a whole HELLO.",
        hint: "Nothing, if a port scanner or a probe did it; otherwise look why the client stalled \
        between connect and HELLO.",
        explanation: "A node waits a few seconds for the preface and HELLO and then closes the link, so that \
        connections that say nothing don't pile up.\n\n\
        A client that is stopped in a debugger, starved of CPU, or stuck before its first write \
        looks like this. The client library connects again by itself.",
    },
    Entry {
        code: Code::FeatureNotAgreed,
        name: "feature_not_agreed",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A frame used a feature that the link did not agree on",
        cause: "One side used an optional part of the protocol that the other did not offer.",
        hint: "Look at the features in WELCOME, and use only those; see docs/reference/protocol.md, \
        \"Opening a link\".",
        explanation: "HELLO offers features, WELCOME names those that both sides have. A frame that needs \
        another one is refused. This is a defect of a client library, or of the node.",
    },
    Entry {
        code: Code::FrameUndersize,
        name: "frame_undersize",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A frame's length is below the size of its header",
        cause: "The sender is not speaking the protocol, or lost its place in it.",
        hint: "Look at the client library that wrote it: `len` counts the whole frame, its 24 bytes of \
        header included.",
        explanation: "Every frame starts with its own length. A length below 24 can't be, so where the next \
        frame starts is unknown, and the link is closed. The bytes of this link are lost from here \
        on; other links don't notice.",
    },
    Entry {
        code: Code::FrameOversize,
        name: "frame_oversize",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A frame's length is over the limit",
        cause: "The sender put a body into one frame that it had to cut into chunks, or is not speaking \
        the protocol.",
        hint: "Send bodies over 256 KiB in CHUNK frames; see docs/reference/protocol.md, \"Large bodies\".",
        explanation: "A frame has at most 1 MiB, header included. The length is checked before anything is \
        reserved for it, so a wrong length costs nothing but the link that sent it.\n\n\
        Text sent to the socket by mistake ends here as well, since its first four bytes read as \
        an enormous length.",
    },
    Entry {
        code: Code::FrameTruncated,
        name: "frame_truncated",
        kind: ErrorKind::Protocol,
        retryable: true,
        title: "The link closed in the middle of a frame",
        cause: "The process at the other end died, or closed its socket while a frame was being written.",
        hint: "Look at the log of the other side for why it ended.",
        explanation: "The link ended after the first bytes of a frame and before its last. The part that came \
        was thrown away; nothing of that frame was acted on.",
    },
    Entry {
        code: Code::UnknownKind,
        name: "unknown_kind",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "Unknown frame kind",
        cause: "The sender speaks a newer version than was agreed, or is not speaking the protocol.",
        hint: "Send only the kinds of the version that WELCOME names; update the older side to use newer \
        ones.",
        explanation: "A frame's kind says what its fields mean. What an unknown kind wants can't be guessed, so \
        the link is closed. Additions to the protocol come with a feature bit or a version, so \
        that neither side has to guess.",
    },
    Entry {
        code: Code::UnexpectedKind,
        name: "unexpected_kind",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A frame of a kind that this side may not send now",
        cause: "The frame belongs to the other direction, or to another moment of the link.",
        hint: "See docs/reference/protocol.md, \"Kinds\": each says who sends it and when.",
        explanation: "The kind is known, but not from this side: a client sent DELIVER or WELCOME, or a node \
        sent SUBSCRIBE. The link is closed, since one of the two has lost track.",
    },
    Entry {
        code: Code::FrameMalformed,
        name: "frame_malformed",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "The parts of a frame do not fit into it",
        cause: "The lengths of extension area, subject and headers add up to more than the frame has.",
        hint: "Look at the client library that wrote it: `len` must cover the header and all four parts.",
        explanation: "A frame's header says how long its first three parts are; the rest is the body. Here they \
        reach beyond the end of the frame, so the link is closed.",
    },
    Entry {
        code: Code::ExtMalformed,
        name: "ext_malformed",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "The extension area of a frame can't be read",
        cause: "An extension entry is cut off, is longer than the area, or holds a value of the wrong \
        size.",
        hint: "Look at the client library that wrote it; see docs/reference/protocol.md, \"Extension \
        area\".",
        explanation: "The extension area is a list of entries, each with a tag, a length and a value. Unknown \
        tags are skipped, so new ones do no harm; entries that don't fit into the area, or known \
        ones whose value has the wrong size, do. The area has at most 1,024 bytes.",
    },
    Entry {
        code: Code::BodyMalformed,
        name: "body_malformed",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "The body of a control frame can't be read",
        cause: "The structured body of a control frame does not have the form of the agreed version.",
        hint: "Look at the client library that wrote it; see docs/reference/protocol.md, \"Bodies of control frames\".",
        explanation: "HELLO, WELCOME, SUBSCRIBE and ERROR carry a structured body whose form is frozen per \
        version. This one ended too early, or holds a value that its type does not have. Bodies of \
        messages are never looked into and can't cause this.",
    },
    Entry {
        code: Code::FieldOutOfRange,
        name: "field_out_of_range",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A field of a frame is out of its range",
        cause: "A number in a frame's header is out of the range that its kind allows.",
        hint: "Look at the message of this error for the field; see docs/reference/protocol.md for its \
        range.",
        explanation: "Some kinds use the fields `aux` and `id` for less than they could hold: a subscription id \
        has 32 bits, a credit is not zero. The frame was refused.",
    },
];
