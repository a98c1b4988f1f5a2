//! What a client meets on its own side: 5001 to 5039.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::ConnectNoSuchSocket,
        name: "connect_no_such_socket",
        kind: ErrorKind::Disconnected,
        retryable: true,
        title: "There is no socket to connect to",
        cause: "No node has been started there, or it uses another path.",
        hint: "Start one: `mesh-node`; or say where it is: `export MESH_URL=unix:///path/to/mesh.sock`.",
        explanation: "The socket file does not exist. A client looks at `MESH_URL`, then its context, then \
        `$XDG_RUNTIME_DIR/mesh/mesh.sock`, `/run/mesh/mesh.sock` and the data directory of the \
        user. A node prints where it listens when it starts.\n\n\
        Usual causes: no node is running, it was started with another `--socket` or by another \
        user, or `XDG_RUNTIME_DIR` differs between the two (under sudo, in containers and in cron \
        jobs it often does).",
    },
    Entry {
        code: Code::ConnectNothingListening,
        name: "connect_nothing_listening",
        kind: ErrorKind::Disconnected,
        retryable: true,
        title: "Nothing listens there",
        cause: "No node listens on the socket or the port: it is gone, or was never started with it.",
        hint: "Start it: `mesh-node`, or `mesh-node --listen ADDR --certs DIR` for clients on other machines.",
        explanation: "The socket file exists, but no process listens on it: the node was killed, or has crashed; \
        its log tells. A new one removes the old file by itself.\n\n\
        Over a network the machine answered that no process has the port. A node listens on one only when it \
        was told to: `--listen ADDR`.",
    },
    Entry {
        code: Code::ConnectPermissionDenied,
        name: "connect_permission_denied",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "No permission to connect to the socket",
        cause: "The socket belongs to another user.",
        hint: "Run the command as the node's user, or give your group access to the socket in the node's \
        configuration.",
        explanation: "The mode of the socket file, or of a directory above it, keeps this user out. `ls -l PATH` \
        shows whom it lets in.",
    },
    Entry {
        code: Code::ConnectBusy,
        name: "connect_busy",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "The node did not accept the connection in time",
        cause: "More clients are connecting than the node gets to accept.",
        hint: "Try again in a moment; the client library does so by itself.",
        explanation: "The queue of connections that wait to be accepted is full. This happens when thousands \
        connect at once, and passes. If it stays, the node hangs or has run out of open files: \
        look at its log.",
    },
    Entry {
        code: Code::ConnectFailed,
        name: "connect_failed",
        kind: ErrorKind::Disconnected,
        retryable: true,
        title: "The connection failed",
        cause: "The operating system refused the connection; the cause has its words.",
        hint: "Run `mesh check`, which tries each step on its own.",
        explanation: "Connecting failed for a reason that has no code of its own.",
    },
    Entry {
        code: Code::ConnectTimeout,
        name: "connect_timeout",
        kind: ErrorKind::Deadline,
        retryable: true,
        title: "Connecting took too long",
        cause: "Nothing answered, or the node did not finish the handshake in time.",
        hint: "See whether the node is healthy: `mesh-node health --socket PATH`; over a network also try `tls://` \
        where `quic://` is silent.",
        explanation: "The connection was made, or was being made, and no WELCOME came in time. The node hangs, \
        or is so loaded that it doesn't get to new links.\n\n\
        Over a network it is mostly a firewall or a wrong address: packets go out and nothing comes back. Many \
        networks let no UDP through, which `quic://` needs; `tls://` on the same port needs TCP only. `mesh check` \
        tries each address by itself.",
    },
    Entry {
        code: Code::PeerNotMesh,
        name: "peer_not_mesh",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "What answered is not a Mesh node",
        cause: "Something else listens on this socket or port.",
        hint: "Check the address in `MESH_URL`, in the context, or behind `--url`: `mesh context ls`.",
        explanation: "The answer to HELLO is not a frame of the protocol. Most often the address is that of \
        another program.",
    },
    Entry {
        code: Code::HostUnresolved,
        name: "host_unresolved",
        kind: ErrorKind::Disconnected,
        retryable: true,
        title: "The name of the node's host has no address",
        cause: "The name is misspelt, or the name service does not know it or does not answer.",
        hint: "Try the name: `getent hosts NAME`; or use the address: `quic://192.0.2.7:7400`.",
        explanation: "Before a client can connect to `quic://NAME:PORT` the operating system has to find the \
        address of NAME. It found none, or did not answer in time. In Kubernetes the name of a node of \
        another namespace needs the namespace: `NAME.NAMESPACE.svc`.",
    },
    Entry {
        code: Code::Disconnected,
        name: "disconnected",
        kind: ErrorKind::Disconnected,
        retryable: true,
        title: "The connection to the node was lost",
        cause: "The node was stopped or restarted, or closed the link.",
        hint: "Repeat the operation if doing it twice does no harm; look at the node's log for why.",
        explanation: "The connection was lost while the operation was under way, so its outcome is not known. \
        The client library connects again and restores subscriptions by itself; it doesn't repeat \
        what was under way, except for calls marked as idempotent.",
    },
    Entry {
        code: Code::NotConnected,
        name: "not_connected",
        kind: ErrorKind::Disconnected,
        retryable: true,
        title: "The client is not connected",
        cause: "The connection is down, and the client is trying to get it back.",
        hint: "Try again when it is back: await the client's connection events; or let sends wait by an \
        option of the client.",
        explanation: "What is sent at most once fails at once while the client is disconnected: waiting without \
        anybody knowing would surprise more than an error. Nothing was sent, so trying again is \
        safe.",
    },
    Entry {
        code: Code::ReconnectGaveUp,
        name: "reconnect_gave_up",
        kind: ErrorKind::Disconnected,
        retryable: false,
        title: "The client gave up reconnecting",
        cause: "No node answered in all the attempts that the client was configured for.",
        hint: "See whether the node runs: `mesh check`; then make a new client.",
        explanation: "By default a client tries to connect again for ever, with growing pauses. This one was \
        given a limit, and reached it. It is closed now, and all of its subscriptions have ended.",
    },
    Entry {
        code: Code::ClientClosed,
        name: "client_closed",
        kind: ErrorKind::Cancelled,
        retryable: false,
        title: "The client is closed",
        cause: "The client was drained, closed or dropped.",
        hint: "Keep the client for as long as it is used; make a new one with `Client::from_env()`.",
        explanation: "Operations on a client that was closed fail with this. Clones share one connection: \
        closing one closes all of them.",
    },
    Entry {
        code: Code::OutboxFull,
        name: "outbox_full",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "The client's outbox is full",
        cause: "More is being sent than the node takes.",
        hint: "Await the send instead of trying it, or send less at once.",
        explanation: "What waits to be written to the socket is bounded. The node reads more slowly from a \
        client whose messages find slow receivers, and pushes back in this way. Nothing of this \
        message was sent.",
    },
    Entry {
        code: Code::EncodeFailed,
        name: "encode_failed",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "The body could not be encoded",
        cause: "The value has a type that the encoding can't express.",
        hint: "Look at the cause; for JSON, keys of maps have to be strings.",
        explanation: "The body could not be made from the value that was given, so nothing was sent.",
    },
    Entry {
        code: Code::DecodeFailed,
        name: "decode_failed",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "The body could not be decoded",
        cause: "The bytes are not what the type expects.",
        hint: "Compare the types on both sides; see the bytes with `mesh sub SUBJECT --json`.",
        explanation: "The message came whole, but its body could not be read into the type that was asked for; \
        the cause names the place. Usual causes are a field that only one side has, or a body that \
        was written in another encoding.",
    },
    Entry {
        code: Code::EncodingUnsupported,
        name: "encoding_unsupported",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "The body is in an encoding that this client can't read",
        cause: "The body is marked with an encoding that this build does not have.",
        hint: "Switch on the feature of the client crate, for instance `json`, or take the body as bytes.",
        explanation: "Bodies may be marked with how they are encoded. This one is marked with an encoding that \
        is unknown here or was not built in. The bytes themselves are always available.",
    },
    Entry {
        code: Code::ServiceInvalid,
        name: "service_invalid",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "The service is not set up properly",
        cause: "A handler is there twice, or a name of the service or of a method is not valid.",
        hint: "Correct what the message names, in the code that calls `serve`.",
        explanation: "A service is checked before it is announced, so that it never runs in part. The message \
        names what is wrong.",
    },
];
