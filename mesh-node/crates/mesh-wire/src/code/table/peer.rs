//! What can go wrong between two nodes: 6070 to 6079.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::PeerDuplicate,
        name: "peer_duplicate",
        kind: ErrorKind::Conflict,
        retryable: true,
        title: "The two nodes have another link already",
        cause: "Both nodes dialled each other at the same time, or one has several addresses of the other.",
        hint: "Nothing: one link stays. `mesh node ls`, or `/api/v1/peers`, shows it.",
        explanation: "Two nodes have exactly one link with each other. When both dial at once there are two for a \
        moment; both sides then keep the one that was dialled by the node whose name sorts first, and close the other \
        one with this code. Of two that the same node dialled, the later one stays.\n\n\
        It is counted and shows in the log at level debug. It is a sign of trouble only when it goes on: then look for \
        an address in `--discovery` that leads to different nodes in turn, a load balancer for instance.",
    },
    Entry {
        code: Code::PeerIsSelf,
        name: "peer_is_self",
        kind: ErrorKind::Conflict,
        retryable: false,
        title: "The node reached itself",
        cause: "One of the addresses in `--discovery` is the node's own.",
        hint: "Nothing: the address is not dialled again. The same list may be given to every node.",
        explanation: "A list of all nodes of a cluster holds the node's own address as well, and a node can't tell by \
        the text alone which one that is. It dials it once, is answered by its own name and incarnation, and leaves it \
        alone from then on.",
    },
    Entry {
        code: Code::PeerIdTaken,
        name: "peer_id_taken",
        kind: ErrorKind::Conflict,
        retryable: true,
        title: "A newer process runs under the same node name",
        cause: "Two nodes were started with the same `--node`, and the other one was started later.",
        hint: "Give each node a name and a certificate of its own: `--node ID`, `mesh cert issue DIR --node ID`.",
        explanation: "A node is known by its name. When a second process says that it is the same node, the one that \
        started later counts: that is what a node looks like that was killed and came back before its death was \
        noticed. The older process is refused with this code for as long as the newer one is there.\n\n\
        Two machines with a copy of the same configuration look the same. Both run, but only the later one has peers; \
        the log of the others names the address of each. A node whose clock was set back is refused as well, until \
        its previous link is found dead, within 5 seconds.",
    },
    Entry {
        code: Code::PeerUnknown,
        name: "peer_unknown",
        kind: ErrorKind::NotFound,
        retryable: false,
        title: "No such peer",
        cause: "The node has no link with a node of this name, and no address of one.",
        hint: "List the peers that it has: `mesh node ls`, `/api/v1/peers`, or a request to `$mesh.peers`.",
        explanation: "A node knows its peers by the addresses in `--discovery` and by the links that others have \
        opened to it. A name is learnt with the first link, so a peer that was never up has only an address.\n\n\
        Look at the node's log for why it does not come up: each failed attempt to reach an address is named there \
        with its code when the reason changes.",
    },
    Entry {
        code: Code::TooManyPeers,
        name: "too_many_peers",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "The node has links with as many peers as it may",
        cause: "The cluster has more nodes than `peer.max_peers` allows for.",
        hint: "Raise `peer.max_peers` on every node, and restart them one after the other.",
        explanation: "Each link with a peer costs memory for its windows and lanes, so their number is bounded. A \
        further node is refused with this code and tries again from time to time; the peers that are there don't \
        notice.",
    },
];
