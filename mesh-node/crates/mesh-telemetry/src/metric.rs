//! Names of metrics: one table, from which the node registers and from which `docs/reference/metrics.md` is made.
//!
//! Prefix `mesh_`, base units in the name, counters end in `_total`. No metric has a subject, a client's name or
//! anything else that a client chooses as a label: the number of series is fixed when the program is built.

/// What kind of metric it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Only grows while the process lives.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts of observations below bounds.
    Histogram,
}

impl Kind {
    /// The word that the exposition format uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric: what it is called and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Full name, as it is scraped.
    pub name: &'static str,
    /// What kind it is.
    pub kind: Kind,
    /// What it means, in one sentence without a full stop.
    pub help: &'static str,
    /// The label that splits it, and every value that the label takes, if there is one.
    pub label: Option<Label>,
}

/// The label of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// What its values are.
    pub values: &'static str,
}

impl Metric {
    /// The name as libraries want it that add `_total` to counters themselves.
    #[must_use]
    pub fn base_name(&self) -> &'static str {
        match self.kind {
            Kind::Counter => self.name.strip_suffix("_total").unwrap_or(self.name),
            Kind::Gauge | Kind::Histogram => self.name,
        }
    }
}

/// Upper bounds of the buckets of [`REQUEST_DURATION`], in microseconds. The last bucket has no bound.
pub const DURATION_BOUNDS_US: [u64; 18] = [
    50, 100, 150, 200, 300, 500, 750, 1_000, 2_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000,
    1_000_000, 5_000_000, 30_000_000,
];

/// Version of the running program.
pub const BUILD_INFO: Metric = gauge(
    "mesh_build_info",
    "Always 1; its labels name the version and the protocol version",
    label("version", "the node's version, beside `protocol`"),
);
/// Open links.
pub const LINKS: Metric = gauge("mesh_links", "Client links that are open and past their handshake", None);
/// Open links by what carries them.
pub const CARRIER_LINKS: Metric = gauge(
    "mesh_carrier_links",
    "Client links that are open, by what carries them",
    label("carrier", "`unix`, `quic`, `tls`"),
);
/// Links that were opened.
pub const LINKS_OPENED: Metric =
    counter("mesh_links_opened_total", "Client links that were opened, handshake included", None);
/// Links that were closed.
pub const LINKS_CLOSED: Metric =
    counter("mesh_links_closed_total", "Client links that were closed, by either side", None);
/// Times that a link was marked slow.
pub const SLOW_LINKS: Metric = counter(
    "mesh_slow_links_total",
    "Times that a link did not read fast enough even for paused publishers and so began to lose messages",
    None,
);
/// Subscriptions.
pub const SUBSCRIPTIONS: Metric =
    gauge("mesh_subscriptions", "Subscriptions of all links, responders included", None);
/// Messages received.
pub const RECEIVE_MESSAGES: Metric = counter(
    "mesh_receive_messages_total",
    "Messages that clients sent to this node",
    label("kind", "`publish`, `request`, `reply`"),
);
/// Bytes received.
pub const RECEIVE_BYTES: Metric =
    counter("mesh_receive_bytes_total", "Bytes that this node read from clients, all frames included", None);
/// Messages sent.
pub const TRANSMIT_MESSAGES: Metric = counter(
    "mesh_transmit_messages_total",
    "Messages that this node sent on to clients: one for each receiver",
    label("kind", "`deliver`, `call`, `reply`"),
);
/// Bytes sent.
pub const TRANSMIT_BYTES: Metric =
    counter("mesh_transmit_bytes_total", "Bytes that this node wrote to clients, all frames included", None);
/// Dropped messages.
pub const DROPPED_MESSAGES: Metric = counter(
    "mesh_dropped_messages_total",
    "Messages that did not reach somebody who should have got them",
    label(
        "reason",
        "`overflow` (the subscriber is behind and its pending messages are full), `link_gone` (its link has just \
         closed), `no_subscription` (it has just unsubscribed), `mailbox_full` (its data thread is behind), \
         `late_reply` (nobody waits for the reply any more)",
    ),
);
/// Messages for nobody.
pub const UNROUTED_MESSAGES: Metric =
    counter("mesh_unrouted_messages_total", "Published messages that no subscription wanted", None);
/// Credits for nothing.
pub const STALE_CREDITS: Metric =
    counter("mesh_stale_credits_total", "Credits for subscriptions that were gone when they arrived", None);
/// Requests by how they ended.
pub const REQUESTS: Metric = counter(
    "mesh_requests_total",
    "Requests by how they ended",
    label("outcome", "`reply`, `no_responders`, `deadline`, `cancelled`, `refused`, `disconnected`"),
);
/// Requests under way.
pub const REQUESTS_IN_FLIGHT: Metric =
    gauge("mesh_requests_in_flight", "Requests that were sent on to a responder and have not ended", None);
/// Duration of requests.
pub const REQUEST_DURATION: Metric = histogram(
    "mesh_request_duration_seconds",
    "Time from a request's arrival at the node to its first reply, for requests that were replied to",
);
/// Errors.
pub const ERRORS: Metric = counter(
    "mesh_errors_total",
    "Errors that this node told its clients about",
    label("code", "an error code such as `MESH-1042`; see `mesh explain`"),
);
/// Internal errors.
pub const INTERNAL_ERRORS: Metric = counter(
    "mesh_internal_errors_total",
    "Defects of the node that it noticed itself: please report them",
    None,
);
/// Routing snapshots.
pub const ROUTING_SNAPSHOTS: Metric = counter(
    "mesh_routing_snapshots_total",
    "Versions of the routing table that were published to the data threads",
    None,
);
/// Look-ups in the match cache.
pub const MATCH_CACHE_LOOKUPS: Metric = counter(
    "mesh_match_cache_lookups_total",
    "Look-ups of a subject in a data thread's match cache",
    label("result", "`hit`, `miss`"),
);
/// Pacing stalls.
pub const PACING_STALLS: Metric = counter(
    "mesh_pacing_stalls_total",
    "Times that reading from a publisher was paused because a subscriber was behind",
    None,
);
/// Bytes queued.
pub const QUEUED_BYTES: Metric = gauge("mesh_queued_bytes", "Bytes that wait to be written to clients", None);
/// Resident memory.
pub const PROCESS_MEMORY: Metric =
    gauge("mesh_process_resident_memory_bytes", "Resident memory of the process", None);
/// CPU time.
pub const PROCESS_CPU: Metric =
    counter("mesh_process_cpu_seconds_total", "CPU time of the process, in user and kernel mode", None);
/// Open file descriptors.
pub const PROCESS_FDS: Metric =
    gauge("mesh_process_open_fds", "File descriptors that the process has open", None);
/// Most file descriptors.
pub const PROCESS_FDS_MAX: Metric =
    gauge("mesh_process_max_fds", "File descriptors that the process may have open", None);
/// Start time.
pub const PROCESS_START: Metric = gauge(
    "mesh_process_start_time_seconds",
    "When the process started, in seconds since 1970-01-01 UTC",
    None,
);

/// Handshakes that were turned away.
pub const HANDSHAKES_TURNED_AWAY: Metric = counter(
    "mesh_handshakes_turned_away_total",
    "Clients on a network that were let into no handshake because many were under way",
    label(
        "how",
        "`retry` (asked to prove their address first, and welcome then), `refuse` (told that there is no room)",
    ),
);
/// New certificates.
pub const CERTIFICATES_RELOADS: Metric =
    counter("mesh_certificates_reloads_total", "Times that new certificates were taken into use", None);
/// Bad new certificates.
pub const CERTIFICATES_FAILURES: Metric = counter(
    "mesh_certificates_failures_total",
    "Times that new certificates were bad, so that the old ones stayed in use",
    None,
);
/// The end of the own certificate.
pub const CERTIFICATES_NOT_AFTER: Metric = gauge(
    "mesh_certificates_not_after_seconds",
    "When the node's own certificate ends, in seconds since 1970-01-01 UTC; 0 without one",
    None,
);
/// New keys of tokens.
pub const TOKEN_KEYS_RELOADS: Metric =
    counter("mesh_token_keys_reloads_total", "Times that new keys of tokens were taken into use", None);
/// Bad new keys of tokens.
pub const TOKEN_KEYS_FAILURES: Metric = counter(
    "mesh_token_keys_failures_total",
    "Times that new keys of tokens were bad, so that the old ones stayed in use",
    None,
);
/// Links with peers.
pub const PEER_LINKS: Metric = gauge("mesh_peer_links", "Links with other nodes that are up", None);
/// Links with peers that came up.
pub const PEER_LINKS_OPENED: Metric =
    counter("mesh_peer_links_opened_total", "Links with other nodes that came up", None);
/// Links with peers that ended.
pub const PEER_LINKS_CLOSED: Metric = counter(
    "mesh_peer_links_closed_total",
    "Links with other nodes that ended",
    label("code", "why, such as `MESH-6054`; `none` in good order"),
);
/// Links of peers that were refused.
pub const PEER_LINKS_REFUSED: Metric = counter(
    "mesh_peer_links_refused_total",
    "Links that others opened on the port for peers and that were refused",
    label("code", "why, such as `MESH-6009`"),
);
/// Dials.
pub const PEER_DIALS: Metric = counter("mesh_peer_dials_total", "Times that another node was dialled", None);
/// Dials that came to nothing.
pub const PEER_DIALS_FAILED: Metric = counter(
    "mesh_peer_dials_failed_total",
    "Times that another node was dialled in vain",
    label("code", "why, such as `MESH-5002`"),
);
/// How far away peers are.
pub const PEER_RTT: Metric = gauge(
    "mesh_peer_rtt_seconds",
    "Longest way to a peer and back, of all peers, as last measured in each lane; 0 before that",
    label("class", "`control`, `raft`, `request`, `publish`, `bulk`, `snapshot`"),
);
/// Replicated groups.
pub const GROUPS: Metric = gauge(
    "mesh_group_replicas",
    "Replicas of groups on this node",
    label("role", "`leader`, `follower`, `learner`"),
);
/// Groups with something amiss.
pub const GROUP_STATES: Metric = gauge(
    "mesh_group_states",
    "Replicas of groups on this node in a certain state",
    label("state", "`leaderless`, `resting`, `quarantined`"),
);
/// How far followers are behind.
pub const GROUP_LAG: Metric = gauge(
    "mesh_group_lag_entries",
    "Entries that the member lacks that is furthest behind, of groups that this node leads",
    None,
);
/// Memory of the groups' logs.
pub const GROUP_LOG_BYTES: Metric =
    gauge("mesh_group_log_bytes", "Bytes of the groups' logs that are held in memory", None);
/// Requests of the durable plane.
pub const GROUP_WAITING: Metric =
    gauge("mesh_group_requests_waiting", "Requests to groups that are not answered yet", None);
/// Commands.
pub const GROUP_COMMANDS: Metric = counter(
    "mesh_group_commands_total",
    "Requests to groups that this node has taken from clients",
    label("kind", "`put`, `fetch`, `declare`"),
);
/// Requests that others answer.
pub const GROUP_FORWARDED: Metric = counter(
    "mesh_group_forwarded_total",
    "Requests that were sent on to the node that leads their group",
    None,
);
/// Messages that were lost.
pub const GROUP_MESSAGES_LOST: Metric = counter(
    "mesh_group_batches_dropped_total",
    "Batches of messages to other nodes that there was no room for; consensus repeats them",
    None,
);
/// Messages of other nodes that were not taken.
pub const GROUP_MESSAGES_REFUSED: Metric = counter(
    "mesh_group_messages_refused_total",
    "Messages of other nodes about groups that were not taken; nothing changed by them",
    label("code", "why, such as `MESH-7052`"),
);
/// Writes to the log.
pub const LOG_WRITES: Metric =
    counter("mesh_log_batches_total", "Batches of records that became durable in the log", None);
/// Files of the log.
pub const LOG_SEALED: Metric =
    counter("mesh_log_files_sealed_total", "Files of the log that became full", None);
/// A full disk.
pub const LOG_FULL: Metric =
    counter("mesh_log_full_total", "Times that there was no room for a file of the log", None);
/// Damage.
pub const LOG_DAMAGED: Metric =
    counter("mesh_log_damaged_pieces_total", "Pieces of records on this disk that were found damaged", None);
/// The search for damage.
pub const LOG_SCRUBBED: Metric = counter(
    "mesh_log_scrubbed_bytes_total",
    "Bytes of records in segments that were read to find damage before anybody needs them",
    None,
);
/// The search for damage.
pub const LOG_SCRUB_LAST_PASS: Metric = gauge(
    "mesh_log_scrub_last_pass_timestamp_seconds",
    "When all segments had last been read to find damage, in seconds since 1970; 0 before the first time",
    None,
);
/// Damaged pieces that nobody had an intact copy of.
pub const LOG_LOST: Metric = counter(
    "mesh_log_lost_pieces_total",
    "Damaged pieces of which no replica that could be reached gave an intact copy, each time that they were asked for",
    None,
);
/// Every metric, in the order in which they are documented and scraped.
pub const ALL: [&Metric; 57] = [
    &BUILD_INFO,
    &LINKS,
    &CARRIER_LINKS,
    &LINKS_OPENED,
    &LINKS_CLOSED,
    &SLOW_LINKS,
    &SUBSCRIPTIONS,
    &RECEIVE_MESSAGES,
    &RECEIVE_BYTES,
    &TRANSMIT_MESSAGES,
    &TRANSMIT_BYTES,
    &DROPPED_MESSAGES,
    &UNROUTED_MESSAGES,
    &STALE_CREDITS,
    &REQUESTS,
    &REQUESTS_IN_FLIGHT,
    &REQUEST_DURATION,
    &ERRORS,
    &INTERNAL_ERRORS,
    &ROUTING_SNAPSHOTS,
    &MATCH_CACHE_LOOKUPS,
    &PACING_STALLS,
    &QUEUED_BYTES,
    &HANDSHAKES_TURNED_AWAY,
    &CERTIFICATES_RELOADS,
    &CERTIFICATES_FAILURES,
    &CERTIFICATES_NOT_AFTER,
    &TOKEN_KEYS_RELOADS,
    &TOKEN_KEYS_FAILURES,
    &PEER_LINKS,
    &PEER_LINKS_OPENED,
    &PEER_LINKS_CLOSED,
    &PEER_LINKS_REFUSED,
    &PEER_DIALS,
    &PEER_DIALS_FAILED,
    &PEER_RTT,
    &GROUPS,
    &GROUP_STATES,
    &GROUP_LAG,
    &GROUP_LOG_BYTES,
    &GROUP_WAITING,
    &GROUP_COMMANDS,
    &GROUP_FORWARDED,
    &GROUP_MESSAGES_LOST,
    &GROUP_MESSAGES_REFUSED,
    &LOG_WRITES,
    &LOG_SEALED,
    &LOG_FULL,
    &LOG_DAMAGED,
    &LOG_LOST,
    &LOG_SCRUBBED,
    &LOG_SCRUB_LAST_PASS,
    &PROCESS_MEMORY,
    &PROCESS_CPU,
    &PROCESS_FDS,
    &PROCESS_FDS_MAX,
    &PROCESS_START,
];

const fn label(name: &'static str, values: &'static str) -> Option<Label> {
    Some(Label { name, values })
}

const fn counter(name: &'static str, help: &'static str, label: Option<Label>) -> Metric {
    Metric { name, kind: Kind::Counter, help, label }
}

const fn gauge(name: &'static str, help: &'static str, label: Option<Label>) -> Metric {
    Metric { name, kind: Kind::Gauge, help, label }
}

const fn histogram(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram, help, label: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_follow_the_conventions() {
        for metric in ALL {
            let Metric { name, kind, help, label } = metric;
            assert!(name.starts_with("mesh_"), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert_eq!(*kind == Kind::Counter, name.ends_with("_total"), "{name}");
            assert!(!name.ends_with("_us") && !name.ends_with("_ms"), "{name}: base units only");
            assert!(!help.is_empty() && !help.ends_with('.'), "{name}");
            let label = label.map_or("", |label| label.name);
            assert!(
                !["subject", "pattern", "client", "link", "service"].contains(&label),
                "{name}: unbounded label"
            );
        }
    }

    #[test]
    fn each_name_is_there_once() {
        let names: HashSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn a_counter_loses_its_ending_where_libraries_add_it() {
        assert_eq!(LINKS_OPENED.base_name(), "mesh_links_opened");
        assert_eq!(LINKS.base_name(), "mesh_links");
    }

    #[test]
    fn duration_buckets_start_at_50_us_and_grow() {
        assert_eq!(DURATION_BOUNDS_US[0], 50);
        assert!(DURATION_BOUNDS_US.is_sorted_by(|a, b| a < b));
    }
}
