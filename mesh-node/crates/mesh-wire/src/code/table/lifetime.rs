//! What ends a link, and the one for errors of our own: 1050 to 1099.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::NodeDraining,
        name: "node_draining",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "The node is draining",
        cause: "The node is being stopped or taken out of service.",
        hint: "Wait, or connect to another node; the client library does so by itself.",
        explanation: "A node that drains finishes what is under way, and takes no new links, subscriptions to \
        answer requests, or incoming requests. What the local application still sends goes out \
        until the very end.",
    },
    Entry {
        code: Code::NodeStopped,
        name: "node_stopped",
        kind: ErrorKind::Disconnected,
        retryable: true,
        title: "The node closed the link because it stops",
        cause: "The node finished draining or was told to stop at once.",
        hint: "Start the node again: `mesh-node`; clients connect again by themselves.",
        explanation: "This is the reason in the GOODBYE that a node sends last. Subscriptions are restored by \
        the client library as soon as a node answers on the same address. Messages published in \
        between are lost: the message plane delivers at most once.",
    },
    Entry {
        code: Code::LinkIdle,
        name: "link_idle",
        kind: ErrorKind::Disconnected,
        retryable: true,
        title: "The other side of the link went silent",
        cause: "Pings were not answered in time.",
        hint: "Look whether the process at the other end hangs, or whether the machine was asleep.",
        explanation: "Both sides ping a link on which nothing else moves, and close it when nothing comes back. \
        A process that is stopped, in a debugger, or so short of CPU that it doesn't get to its \
        socket looks like this.",
    },
    Entry {
        code: Code::LinkStalled,
        name: "link_stalled",
        kind: ErrorKind::Disconnected,
        retryable: true,
        title: "The link was closed because the client stopped reading",
        cause: "The client did not read from its socket while data for it piled up.",
        hint: "Look why the client does not read: a blocked event loop, most often.",
        explanation: "What waits for a client that doesn't read is bounded. First its subscriptions drop \
        according to their policies, which is counted; what can't be dropped, such as replies, is \
        bounded too, and beyond that the link is closed. Other clients are not slowed down.\n\n\
        Don't block the event loop of the process: hand long work to other threads.",
    },
    Entry {
        code: Code::TooManyLinks,
        name: "too_many_links",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "The node holds as many links as it may",
        cause: "As many clients are connected as the node is configured or able to hold.",
        hint: "Share one client among the tasks of a process; see who is connected with `mesh node info`.",
        explanation: "A client is cheap to clone, and all clones share one link. A process that connects for \
        each message instead runs into this limit, and is slow besides. If there really are that \
        many clients, raise the limit of the node, and the limit of open files of its process with \
        it.",
    },
    Entry {
        code: Code::PeerNotAllowed,
        name: "peer_not_allowed",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "This user may not use the node",
        cause: "The process that connected runs as a user whom the node does not let in.",
        hint: "Run the client as the node's user, or allow its user or group in the node's configuration \
        (`mesh-node --print-config`).",
        explanation: "The kernel tells a node which user is at the other end of a Unix socket. By default only \
        the node's own user and root are let in, whatever the mode of the socket file says.",
    },
    Entry {
        code: Code::TokenRefused,
        name: "token_refused",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The token was refused",
        cause: "The token that the client showed is not one that the node takes.",
        hint: "Set the right one in `MESH_TOKEN` or in the context: `mesh context ls`.",
        explanation: "The client sent a token with its HELLO, or none where one is needed, and the node refused \
        it. The link was closed before anything else was looked at.",
    },
    Entry {
        code: Code::PermissionDenied,
        name: "permission_denied",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The client may not do this",
        cause: "The identity of the client does not include what it tried to do.",
        hint: "Ask whoever runs the node to allow it, or connect as somebody else.",
        explanation: "The client is known, and may not publish, subscribe or request on this subject, or may not \
        use this request of the node. Nothing happened.",
    },
    Entry {
        code: Code::InternalError,
        name: "internal_error",
        kind: ErrorKind::Internal,
        retryable: false,
        title: "An internal error",
        cause: "A defect in Mesh.",
        hint: "Please report it, with the log around it and what was done before.",
        explanation: "Something happened that should not be possible. The node goes on where it can: what was \
        refused with this code had no effect.",
    },
];
