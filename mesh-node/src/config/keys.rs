//! Every key: what it is called, what it takes, its default and what it means.

mod network;
mod storage;

use std::time::Duration;

use mesh_telemetry::logging::Format;
use mesh_transport::buffers::{BUFFER_BYTES_MAX, BUFFER_BYTES_MIN};
use mesh_transport::endpoint::SOCKET_PATH_BYTES;
use mesh_transport::peer::ALLOWED_IDS;
use mesh_wire::limits;

use super::form::{
    Address, Bytes, Choice, Count, Directory, Filter, HostNames, Ids, Label, Mode, OptionalLabel, Time,
};
use super::reader::Default::{Computed, Text};
use super::reader::Key;

pub(super) use network::*;
pub(super) use storage::*;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Longest path that is taken for a directory: the system's `PATH_MAX` without its final zero.
const PATH_BYTES: usize = 4095;
/// Most host names that may be allowed.
const ALLOWED_HOSTS: usize = 32;

const fn millis(min: u64, max: u64) -> Time {
    Time { min: Duration::from_millis(min), max: Duration::from_millis(max) }
}

pub(super) const NAME: Key<Label> = Key {
    path: "name",
    form: Label,
    default: Computed("the host's name"),
    flag: Some("--node"),
    doc: "Name of this node, unique in its cluster.",
};
pub(super) const CLUSTER: Key<Label> = Key {
    path: "cluster",
    form: Label,
    default: Text("mesh"),
    flag: Some("--cluster"),
    doc: "Name of the cluster that this node belongs to.",
};
pub(super) const ZONE: Key<OptionalLabel> = Key {
    path: "zone",
    form: OptionalLabel,
    default: Text(""),
    flag: Some("--zone"),
    doc: "Where this node stands, as a rack or a zone of a data centre: nodes of one zone may fail together. Copies of a \
          shard go to nodes of different zones, as far as there are some.",
};
pub(super) const DATA: Key<Directory> = Key {
    path: "data",
    form: Directory { most: PATH_BYTES },
    default: Computed("`$XDG_DATA_HOME/mesh`, else `~/.local/share/mesh`; for root `/var/lib/mesh`"),
    flag: Some("--data"),
    doc: "Directory with everything that this node keeps on disk. One node uses it at a time.",
};
pub(super) const THREADS: Key<Count> = Key {
    path: "threads",
    form: Count { min: 1, max: 64 },
    default: Text("1"),
    flag: Some("--threads"),
    doc: "Number of data threads. A link and all its subscriptions live on one of them. One is best for a node beside \
          an application, the number of cores for a node that serves many.",
};
pub(super) const BUSY_POLL: Key<Time> = Key {
    path: "busy_poll",
    form: Time { min: Duration::ZERO, max: Duration::from_millis(10) },
    default: Text("off"),
    flag: Some("--busy-poll"),
    doc: "How long a data thread keeps looking for more after the last activity before it sleeps. 50us halves the \
          time of a lone request and costs up to one core while there is traffic; nothing when idle.",
};
pub(super) const SOCKET_PATH: Key<Directory> = Key {
    path: "socket.path",
    form: Directory { most: SOCKET_PATH_BYTES },
    default: Computed(
        "`$XDG_RUNTIME_DIR/mesh/mesh.sock`, else `/run/mesh/mesh.sock`, else `mesh.sock` in `data`",
    ),
    flag: Some("--socket"),
    doc: "Unix socket that clients connect to.",
};
pub(super) const SOCKET_MODE: Key<Mode> = Key {
    path: "socket.mode",
    form: Mode,
    default: Text("0600"),
    flag: None,
    doc: "Permission bits of the socket. To let other users in, widen the mode and list them in `socket.allow_uids` or \
          `socket.allow_gids`: both have to agree.",
};
pub(super) const SOCKET_ALLOW_UIDS: Key<Ids> = Key {
    path: "socket.allow_uids",
    form: Ids { most: ALLOWED_IDS },
    default: Text(""),
    flag: None,
    doc: "Users that may connect, besides the node's own and root.",
};
pub(super) const SOCKET_ALLOW_GIDS: Key<Ids> = Key {
    path: "socket.allow_gids",
    form: Ids { most: ALLOWED_IDS },
    default: Text(""),
    flag: None,
    doc: "Groups whose members may connect, by their effective group; supplementary groups are not seen.",
};
pub(super) const SOCKET_BUFFER: Key<Bytes> = Key {
    path: "socket.buffer",
    form: Bytes { min: BUFFER_BYTES_MIN as u64, max: BUFFER_BYTES_MAX as u64 },
    default: Text("208KiB"),
    flag: None,
    doc: "Kernel buffer of each link for what the node sends. The kernel lowers it to `net.core.wmem_max`.",
};
pub(super) const HTTP_ADDRESS: Key<Address> = Key {
    path: "http.address",
    form: Address,
    default: Text("127.0.0.1:7480"),
    flag: Some("--http"),
    doc: "Where the admin HTTP server listens: health, metrics, API. It has no access control of its own: keep it on \
          loopback or behind a network policy.",
};
pub(super) const HTTP_ALLOW_HOSTS: Key<HostNames> = Key {
    path: "http.allow_hosts",
    form: HostNames { most: ALLOWED_HOSTS },
    default: Text(""),
    flag: None,
    doc: "Host names that requests to the admin HTTP server may carry besides `localhost` and IP addresses. Others are \
          refused, so that no web page can reach the server through a name that it made point here.",
};
pub(super) const LOG_FILTER: Key<Filter> = Key {
    path: "log.filter",
    form: Filter,
    default: Text(mesh_telemetry::logging::FILTER_DEFAULT),
    flag: Some("--log"),
    doc: "What is logged, on stderr. `MESH_LOG` sets it too, for every program of the project.",
};
pub(super) const LOG_FORMAT: Key<Choice<Format>> = Key {
    path: "log.format",
    form: Choice { of: &[Format::Text, Format::Json] },
    default: Text("text"),
    flag: None,
    doc: "What a log line looks like: for people, or one JSON object per line.",
};
pub(super) const LIMITS_MAX_BODY: Key<Bytes> = Key {
    path: "limits.max_body",
    form: Bytes { min: KIB, max: limits::BODY_BYTES_MAX as u64 },
    default: Text("8MiB"),
    flag: None,
    doc: "Largest message body that this node takes.",
};
pub(super) const LIMITS_MAX_LINKS: Key<Count> = Key {
    path: "limits.max_links",
    form: Count { min: 1, max: 1_048_576 },
    default: Text("16384"),
    flag: None,
    doc: "Most clients that may be connected at once, over whatever. Each but those over QUIC is an open file: mind `ulimit -n`.",
};
pub(super) const LIMITS_SUBSCRIPTIONS_PER_LINK: Key<Count> = Key {
    path: "limits.subscriptions_per_link",
    form: Count { min: 1, max: 4 * limits::SUBSCRIPTIONS_PER_LINK as u64 },
    default: Text("1048576"),
    flag: None,
    doc: "Most subscriptions of one client.",
};
pub(super) const LIMITS_REQUESTS_PER_LINK: Key<Count> = Key {
    path: "limits.requests_per_link",
    form: Count { min: 1, max: limits::REQUESTS_PER_LINK as u64 },
    default: Text("65536"),
    flag: None,
    doc: "Most requests that one client may have under way.",
};
pub(super) const LIMITS_HANDSHAKE_TIMEOUT: Key<Time> = Key {
    path: "limits.handshake_timeout",
    form: millis(10, 60_000),
    default: Text("5s"),
    flag: None,
    doc: "How long a client may take to say hello after it connected; over a network the exchange of certificates included.",
};
pub(super) const LIMITS_HANDSHAKES: Key<Count> = Key {
    path: "limits.handshakes",
    form: Count { min: 1, max: 65_536 },
    default: Text("256"),
    flag: None,
    doc: "Most handshakes over a network that each data thread has under way. Beyond a quarter of it QUIC clients first \
          have to show that their address is theirs.",
};
pub(super) const LIMITS_LINK_OUTBOX: Key<Bytes> = Key {
    path: "limits.link_outbox",
    form: Bytes { min: 64 * KIB, max: GIB },
    default: Text("4MiB"),
    flag: None,
    doc: "Bytes waiting to be written to one client beyond which its messages are kept pending, or dropped. One batch or large message may overshoot it; a client that has four times this and two bodies waiting is cut off.",
};
pub(super) const LIMITS_PENDING_MESSAGES: Key<Count> = Key {
    path: "limits.pending_messages",
    form: Count { min: 1, max: limits::PENDING_MESSAGES_MAX as u64 },
    default: Text("131072"),
    flag: None,
    doc: "Most messages that are kept for one subscription whose client is behind, where the client does not say.",
};
pub(super) const LIMITS_PENDING_BYTES: Key<Bytes> = Key {
    path: "limits.pending_bytes",
    form: Bytes { min: KIB, max: limits::PENDING_BYTES_MAX as u64 },
    default: Text("16MiB"),
    flag: None,
    doc: "Most bytes that are kept for one subscription whose client is behind, where the client does not say.",
};
pub(super) const DRAIN_DEADLINE: Key<Time> = Key {
    path: "drain.deadline",
    form: millis(0, 3_600_000),
    default: Text("20s"),
    flag: None,
    doc: "How long a node that is told to stop (SIGTERM, `mesh-node drain`) waits for handlers to finish and for \
          clients to read what they are owed.",
};
pub(super) const PACING_HIGH_WATER: Key<Bytes> = Key {
    path: "pacing.high_water",
    form: Bytes { min: 64 * KIB, max: 256 * MIB },
    default: Text("1MiB"),
    flag: None,
    doc: "When more than this waits to be written to a client, whoever publishes to it is paused until it has drained.",
};
pub(super) const PACING_STALL: Key<Time> = Key {
    path: "pacing.stall",
    form: millis(0, 1_000),
    default: Text("50ms"),
    flag: None,
    doc: "How long publishers are paused at most for one slow client. After that its messages are dropped, and counted, \
          until it has caught up.",
};
pub(super) const MATCH_CACHE_ENTRIES: Key<Count> = Key {
    path: "match_cache.entries",
    form: Count { min: 16, max: 1_048_576 },
    default: Text("4096"),
    flag: None,
    doc: "Subjects whose subscribers each data thread remembers, so that it need not look them up again.",
};
