//! What the node tells about itself, as JSON.
//!
//! Plain data: who gathers it is [`super::Inspect`], who asks for it [`super::Api`]. Fields are added, never renamed.

use std::time::SystemTime;

use serde::{Serialize, Serializer};

/// The node as a whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct NodeInfo {
    /// Name of the node.
    pub(crate) name: String,
    /// Name of its cluster.
    pub(crate) cluster: String,
    /// Version of the program.
    pub(crate) version: &'static str,
    /// Newest version of the protocol that it speaks.
    pub(crate) protocol: u16,
    /// Start time in microseconds since 1970: another one after every restart.
    pub(crate) incarnation: u64,
    /// Process id.
    pub(crate) pid: u32,
    /// `starting`, `ready`, `draining` or `stopped`.
    pub(crate) state: &'static str,
    /// Seconds since it started.
    pub(crate) uptime_seconds: f64,
    /// What clients on this machine connect to.
    pub(crate) socket: String,
    /// Where clients on a network connect: QUIC on the UDP port, TLS on the TCP port.
    pub(crate) listen: Option<String>,
    /// Where the other nodes of the cluster connect.
    pub(crate) peer: Option<String>,
    /// Address of the admin HTTP server.
    pub(crate) http: Option<String>,
    /// Number of data threads.
    pub(crate) threads: usize,
    /// Links that are open.
    pub(crate) links: u64,
    /// Subscriptions of all links.
    pub(crate) subscriptions: u64,
    /// Requests that have not ended.
    pub(crate) requests_in_flight: u64,
    /// Bytes that wait to be written to clients.
    pub(crate) queued_bytes: u64,
    /// Resident memory of the process.
    pub(crate) memory_bytes: u64,
    /// Counts since the start.
    pub(crate) totals: Totals,
    /// The same per second.
    pub(crate) rates: Rates,
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Totals {
    /// Messages that clients sent: published, requests, replies.
    pub(crate) messages_in: u64,
    /// Messages sent on to clients, one for each receiver.
    pub(crate) messages_out: u64,
    /// Bytes read from clients.
    pub(crate) bytes_in: u64,
    /// Bytes written to clients.
    pub(crate) bytes_out: u64,
    /// Requests sent by clients.
    pub(crate) requests: u64,
    /// Messages that did not reach somebody who should have got them.
    pub(crate) dropped: u64,
}

/// Counts per second, over the time since somebody last asked, but at least a second.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(crate) struct Rates {
    /// How long that was.
    pub(crate) over_seconds: f64,
    /// See [`Totals::messages_in`].
    pub(crate) messages_in: f64,
    /// See [`Totals::messages_out`].
    pub(crate) messages_out: f64,
    /// See [`Totals::bytes_in`].
    pub(crate) bytes_in: f64,
    /// See [`Totals::bytes_out`].
    pub(crate) bytes_out: f64,
    /// See [`Totals::requests`].
    pub(crate) requests: f64,
    /// See [`Totals::dropped`].
    pub(crate) dropped: f64,
}

/// Certificates and keys of tokens, and what became of their files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CertificatesInfo {
    /// Who the node is by its certificate; none when it has none.
    pub(crate) identity: Option<String>,
    /// When that ends.
    #[serde(serialize_with = "rfc3339_or_none")]
    pub(crate) not_after: Option<SystemTime>,
    /// What is not wrong and should be mended.
    pub(crate) warnings: Vec<String>,
    /// The files; none when none are named.
    pub(crate) files: Option<FilesInfo>,
    /// The file with the keys of tokens; none when no tokens are taken.
    pub(crate) token_keys: Option<FilesInfo>,
}

/// Files that are looked at every second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FilesInfo {
    /// When what is in use was read.
    #[serde(serialize_with = "rfc3339")]
    pub(crate) loaded: SystemTime,
    /// Times that new contents were taken into use since the start.
    pub(crate) reloads: u64,
    /// Times that new contents were bad, so that the old ones stayed.
    pub(crate) failures: u64,
    /// What is wrong with the files as they are now.
    pub(crate) failing: Option<FailingInfo>,
}

/// Why files are not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FailingInfo {
    /// The code, such as `MESH-6022`.
    pub(crate) code: String,
    /// What is wrong.
    pub(crate) message: String,
    /// Since when.
    #[serde(serialize_with = "rfc3339")]
    pub(crate) since: SystemTime,
}

/// One client link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LinkInfo {
    /// Its id on this node, never used again.
    pub(crate) id: u64,
    /// The client's name, as it says.
    pub(crate) name: String,
    /// Who it is, as the system, its certificate or its token vouches: `unix:uid=1000,pid=42`,
    /// `spiffe://prod/service/orders`; `loopback:ADDRESS` where nobody vouches.
    pub(crate) identity: String,
    /// What carries it: `unix`, `quic`, `tls`.
    pub(crate) carrier: &'static str,
    /// Its address, over a network.
    pub(crate) remote: Option<String>,
    /// How long the way there and back takes, in microseconds, where the carrier measures it.
    pub(crate) rtt_us: Option<u64>,
    /// When its certificate ends, if it has one.
    #[serde(serialize_with = "rfc3339_or_none")]
    pub(crate) certificate_not_after: Option<SystemTime>,
    /// When its token ends, if it has one.
    #[serde(serialize_with = "rfc3339_or_none")]
    pub(crate) token_expires: Option<SystemTime>,
    /// The client's library and its version, as it says.
    pub(crate) library: String,
    /// When it connected.
    #[serde(serialize_with = "rfc3339")]
    pub(crate) since: SystemTime,
    /// Number of its subscriptions, responders included.
    pub(crate) subscriptions: u64,
    /// Messages that it sent.
    pub(crate) messages_in: u64,
    /// Bytes that it sent.
    pub(crate) bytes_in: u64,
    /// Messages that it was sent.
    pub(crate) messages_out: u64,
    /// Bytes that it was sent.
    pub(crate) bytes_out: u64,
    /// Bytes that wait for it.
    pub(crate) queued_bytes: u64,
    /// Messages that it should have got and did not.
    pub(crate) dropped: u64,
    /// Whether it is so far behind that publishers do not wait for it.
    pub(crate) slow: bool,
}

/// One subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct SubscriptionInfo {
    /// The link that it is on.
    pub(crate) link: u64,
    /// Its id on that link.
    pub(crate) id: u32,
    /// What it wants.
    pub(crate) pattern: String,
    /// The group that it shares messages with.
    pub(crate) group: Option<String>,
    /// `events` or `responder`.
    pub(crate) mode: &'static str,
    /// Messages that its client has room for.
    pub(crate) credit: u32,
    /// Messages that wait for room.
    pub(crate) pending: u32,
    /// Messages that it was sent.
    pub(crate) delivered: u64,
    /// Messages that it should have got and did not.
    pub(crate) dropped: u64,
}

/// A responder that belongs to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResponderInfo {
    /// Name of the service.
    pub(crate) service: String,
    /// Its version, as the client says.
    pub(crate) version: String,
    /// What it does, as the client says.
    pub(crate) description: String,
    /// The link that it is on.
    pub(crate) link: u64,
    /// Name of that link's client.
    pub(crate) client: String,
    /// What became of its requests.
    pub(crate) endpoint: EndpointInfo,
}

/// A service: everybody who answers under its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ServiceInfo {
    /// Its name.
    pub(crate) name: String,
    /// Its version: that of the newest link where they differ.
    pub(crate) version: String,
    /// What it does, from the same link.
    pub(crate) description: String,
    /// Who answers.
    pub(crate) instances: Vec<InstanceInfo>,
}

/// One link that answers for a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct InstanceInfo {
    /// The link.
    pub(crate) link: u64,
    /// Name of its client.
    pub(crate) client: String,
    /// The version that it says it is.
    pub(crate) version: String,
    /// What it answers.
    pub(crate) endpoints: Vec<EndpointInfo>,
}

/// What one responder answers, and how it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct EndpointInfo {
    /// The pattern of the requests that it takes.
    pub(crate) subject: String,
    /// The group that it shares them with.
    pub(crate) group: Option<String>,
    /// Requests that it is working on.
    pub(crate) in_flight: u32,
    /// Requests that it was given.
    pub(crate) requests: u64,
    /// Requests that it answered with an error.
    pub(crate) errors: u64,
    /// Time that half of the replies stayed below, in microseconds, rounded up to a power of two.
    pub(crate) p50_us: u64,
    /// Time that 99 of 100 replies stayed below, in microseconds, rounded up to a power of two.
    pub(crate) p99_us: u64,
}

fn rfc3339_or_none<S: Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339(time, serializer),
        None => serializer.serialize_none(),
    }
}

fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_millis(*time))
}
