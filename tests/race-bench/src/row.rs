//! The rows of the race: what is raced, how much of it, and what we want to reach.

use std::fmt;

/// Bytes of a request's and a reply's body.
pub(crate) const REQUEST_SIZE: u32 = 128;

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What every contestant does.
    pub(crate) work: Work,
    /// What our processes talk over.
    pub(crate) carrier: Carrier,
    /// What we want to reach.
    pub(crate) goals: &'static [Goal],
}

/// What our processes talk over, and the floors with them. NATS has TCP only, and TLS over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// Unix sockets.
    Unix,
    /// QUIC on loopback, with certificates on both sides.
    Quic,
}

/// What is done, the same for every contestant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Work {
    /// One process publishes, each of some processes receives everything.
    Publish { size: u32, subscribers: u32, messages: u32 },
    /// One process publishes large messages, another receives them.
    Bulk { size: u32, messages: u32 },
    /// One process asks, another answers, through a server between them.
    Request { window: u32, requests: u32, busy_poll: bool },
    /// A server that nobody talks to.
    Idle,
    /// One process holds connections with one subscription each.
    Connections { count: u32 },
    /// One connection holds subscriptions.
    Subscriptions { count: u32 },
    /// One process appends records in batches to registers of so many nodes, each batch kept by a majority before it is
    /// acknowledged.
    Append { nodes: u32, registers: u32, size: u32, batch: u32, outstanding: u32, messages: u32 },
    /// The same, one record at a time.
    AppendOne { nodes: u32, appends: u32 },
    /// Nodes that replicate groups, and nothing to do: after all groups were found to rest so often in a row.
    IdleGroups { nodes: u32, groups: u32, looks: u32 },
    /// One process appends one record at a time to one of three nodes, while the leader's node is killed again and again.
    Elections { kills: u32 },
    /// The same, while the lead is handed from node to node.
    Transfers { count: u32 },
}

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Messages published and received by every subscriber, per second.
    MessagesPerSecond,
    /// Megabytes (millions) of bodies published and received per second.
    MegabytesPerSecond,
    /// Requests answered per second.
    RequestsPerSecond,
    /// Median microseconds from asking to the answer.
    MicrosP50,
    /// Resident MiB of the server.
    Mebibytes,
    /// Resident KiB that each connection adds to the server.
    KibibytesEach,
    /// Percent of a core that each server needs.
    PercentOfCore,
    /// Milliseconds without service that 99 of 100 interruptions stay below.
    MillisP99,
}

/// What we want to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// Our ratio to NATS, at least.
    TimesNats(f64),
    /// Our ratio to NATS over TLS, at least.
    TimesNatsTls(f64),
    /// Our value over the floor's, at most.
    TimesFloor(f64),
    /// Our value over the floor's, at least.
    OfFloor(f64),
    /// Our value, at most.
    AtMost(f64),
    /// Our value, at least.
    AtLeast(f64),
}

impl Unit {
    /// Whether more is better.
    pub(crate) fn more_is_better(self) -> bool {
        matches!(self, Self::MessagesPerSecond | Self::MegabytesPerSecond | Self::RequestsPerSecond)
    }

    /// How many times better `ours` is than `peer`.
    pub(crate) fn ratio(self, ours: f64, peer: f64) -> f64 {
        if self.more_is_better() { ours / peer } else { peer / ours }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MessagesPerSecond => "messages/s",
            Self::MegabytesPerSecond => "MB/s",
            Self::RequestsPerSecond => "requests/s",
            Self::MicrosP50 => "us p50",
            Self::Mebibytes => "MiB",
            Self::KibibytesEach => "KiB each",
            Self::PercentOfCore => "% of a core",
            Self::MillisP99 => "ms p99",
        })
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimesNats(times) => write!(f, ">= {times} x NATS"),
            Self::TimesNatsTls(times) => write!(f, ">= {times} x NATS over TLS"),
            Self::TimesFloor(times) => write!(f, "<= {times} x floor"),
            Self::OfFloor(times) => write!(f, ">= {times} x floor"),
            Self::AtMost(value) => write!(f, "<= {value}"),
            Self::AtLeast(value) => write!(f, ">= {value}"),
        }
    }
}

impl Work {
    /// What is counted.
    pub(crate) fn unit(self) -> Unit {
        match self {
            Self::Publish { .. } => Unit::MessagesPerSecond,
            Self::Bulk { .. } => Unit::MegabytesPerSecond,
            Self::Request { window: 1, .. } => Unit::MicrosP50,
            Self::Request { .. } => Unit::RequestsPerSecond,
            Self::Idle | Self::Subscriptions { .. } => Unit::Mebibytes,
            Self::Connections { .. } => Unit::KibibytesEach,
            Self::Append { .. } => Unit::MessagesPerSecond,
            Self::AppendOne { .. } => Unit::MicrosP50,
            Self::IdleGroups { .. } => Unit::PercentOfCore,
            Self::Elections { .. } | Self::Transfers { .. } => Unit::MillisP99,
        }
    }

    /// Whether something is kept.
    pub(crate) fn is_durable(self) -> bool {
        matches!(
            self,
            Self::Append { .. }
                | Self::AppendOne { .. }
                | Self::IdleGroups { .. }
                | Self::Elections { .. }
                | Self::Transfers { .. }
        )
    }

    /// Whether what the disk can do at best says something about it.
    pub(crate) fn is_bound_by_disk(self) -> bool {
        matches!(self, Self::Append { .. } | Self::AppendOne { .. })
    }

    /// So little of the same work that its figures mean nothing but that it runs.
    pub(crate) fn smoke(self) -> Self {
        match self {
            Self::Publish { size, subscribers, messages } => {
                Self::Publish { size, subscribers, messages: messages.min(2_000) }
            }
            Self::Bulk { size, messages } => Self::Bulk { size, messages: messages.min(200) },
            Self::Request { window, requests, busy_poll } => {
                Self::Request { window, requests: requests.min(1_000), busy_poll }
            }
            Self::Idle => Self::Idle,
            Self::Connections { count } => Self::Connections { count: count.min(20) },
            Self::Subscriptions { count } => Self::Subscriptions { count: count.min(1_000) },
            Self::Append { nodes, registers, size, batch, outstanding, messages } => {
                Self::Append { nodes, registers, size, batch, outstanding, messages: messages.min(8_192) }
            }
            Self::AppendOne { nodes, appends } => Self::AppendOne { nodes, appends: appends.min(100) },
            Self::IdleGroups { nodes, groups, .. } => {
                Self::IdleGroups { nodes, groups: groups.min(20), looks: 1 }
            }
            Self::Elections { kills } => Self::Elections { kills: kills.min(2) },
            Self::Transfers { count } => Self::Transfers { count: count.min(2) },
        }
    }

    /// The work in words.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Publish { size, subscribers, messages } => {
                format!("{messages} messages of {size} B from one process to {subscribers}")
            }
            Self::Bulk { size, messages } => {
                format!("{messages} messages of {size} B from one process to another")
            }
            Self::Request { window, requests, busy_poll } => {
                let polling = if busy_poll { ", our node busy-polls for 50 us" } else { "" };
                format!("{requests} requests of {REQUEST_SIZE} B, {window} outstanding{polling}")
            }
            Self::Idle => "a server that nobody talks to".into(),
            Self::Connections { count } => format!("{count} idle connections, one subscription each"),
            Self::Subscriptions { count } => format!("{count} subscriptions on one connection, in all"),
            Self::Append { nodes, registers, size, batch, outstanding, messages } => format!(
                "{messages} records of {size} B in batches of {batch}, {outstanding} outstanding, to {registers} \
                 registers of {nodes} node(s)"
            ),
            Self::AppendOne { nodes, appends } => {
                format!("{appends} records of 128 B, one at a time, to {nodes} node(s)")
            }
            Self::IdleGroups { nodes, groups, .. } => {
                format!("{groups} groups on {nodes} nodes and nothing to do")
            }
            Self::Elections { kills } => {
                format!(
                    "from kill -9 of the leader's node, of 3, to the next acknowledged append, {kills} times"
                )
            }
            Self::Transfers { count } => {
                format!(
                    "the longest wait for an acknowledgement while the lead moves among 3 nodes, {count} times"
                )
            }
        }
    }
}

const fn publish(
    name: &'static str,
    size: u32,
    subscribers: u32,
    messages: u32,
    goals: &'static [Goal],
) -> Row {
    unix(name, Work::Publish { size, subscribers, messages }, goals)
}

const fn request(name: &'static str, window: u32, requests: u32, goals: &'static [Goal]) -> Row {
    unix(name, Work::Request { window, requests, busy_poll: false }, goals)
}

const fn unix(name: &'static str, work: Work, goals: &'static [Goal]) -> Row {
    Row { name, work, carrier: Carrier::Unix, goals }
}

const fn quic(name: &'static str, work: Work, goals: &'static [Goal]) -> Row {
    Row { name, work, carrier: Carrier::Quic, goals }
}

/// So many records of a size in batches of 256, 4,096 of them outstanding.
const fn append(nodes: u32, registers: u32, size: u32, messages: u32) -> Work {
    Work::Append { nodes, registers, size, batch: 256, outstanding: 4_096, messages }
}

/// Every row, in the table's order.
pub(crate) const ROWS: &[Row] = &[
    publish("pubsub-128-1to1", 128, 1, 5_000_000, &[Goal::TimesNats(2.5)]),
    publish("pubsub-1024-1to1", 1024, 1, 1_500_000, &[Goal::TimesNats(2.0)]),
    publish("pubsub-128-1to4", 128, 4, 1_500_000, &[Goal::TimesNats(2.0)]),
    publish("pubsub-1024-1to4", 1024, 4, 500_000, &[Goal::TimesNats(2.0)]),
    request("request-1", 1, 30_000, &[Goal::TimesNats(1.0), Goal::TimesFloor(1.15)]),
    unix(
        "request-1-busypoll",
        Work::Request { window: 1, requests: 30_000, busy_poll: true },
        &[Goal::TimesNats(2.0)],
    ),
    request("request-64", 64, 300_000, &[]),
    request("request-256", 256, 500_000, &[Goal::TimesNats(2.0)]),
    unix("idle-memory", Work::Idle, &[Goal::AtMost(20.0)]),
    unix("connection-memory", Work::Connections { count: 1_000 }, &[Goal::AtMost(16.0)]),
    unix("connection-memory-10k", Work::Connections { count: 10_000 }, &[Goal::AtMost(16.0)]),
    unix("subscription-memory", Work::Subscriptions { count: 1_000_000 }, &[Goal::AtMost(400.0)]),
    quic(
        "quic-pubsub-128-1to1",
        Work::Publish { size: 128, subscribers: 1, messages: 5_000_000 },
        &[Goal::TimesNats(1.5), Goal::TimesNatsTls(2.0)],
    ),
    quic(
        "quic-request-1",
        Work::Request { window: 1, requests: 30_000, busy_poll: false },
        &[Goal::TimesFloor(1.25)],
    ),
    quic("quic-bulk", Work::Bulk { size: 65_536, messages: 30_000 }, &[Goal::OfFloor(0.7)]),
    quic("quic-link-memory", Work::Connections { count: 2_000 }, &[Goal::AtMost(64.0)]),
    unix("log-1node", append(1, 1, 128, 8_000_000), &[Goal::AtLeast(1e6)]),
    unix("log-1node-1024", append(1, 1, 1024, 2_000_000), &[Goal::OfFloor(0.7)]),
    unix("log-3nodes", append(3, 1, 128, 4_000_000), &[Goal::AtLeast(4e5)]),
    // At least 1.2 times `log-3nodes` of the same run.
    unix("log-3nodes-16groups", append(3, 16, 128, 4_000_000), &[Goal::AtLeast(4e5)]),
    unix("log-latency", Work::AppendOne { nodes: 1, appends: 10_000 }, &[Goal::TimesFloor(1.25)]),
    unix("log-latency-3nodes", Work::AppendOne { nodes: 3, appends: 10_000 }, &[Goal::TimesFloor(1.5)]),
    // Leads are moved once they are 20 s old: after six looks nobody moves any more.
    unix("log-idle-groups", Work::IdleGroups { nodes: 3, groups: 1_000, looks: 6 }, &[Goal::AtMost(2.0)]),
    unix("log-election", Work::Elections { kills: 50 }, &[Goal::AtMost(1_000.0)]),
    unix("log-transfer", Work::Transfers { count: 50 }, &[Goal::AtMost(50.0)]),
];

/// The rows of these names, in the table's order.
///
/// # Errors
/// When there is none of a name.
pub(crate) fn select(names: &[String]) -> anyhow::Result<Vec<Row>> {
    for name in names {
        anyhow::ensure!(
            ROWS.iter().any(|row| row.name == name),
            "no row is called {name:?}; `--list` lists them all"
        );
    }
    Ok(ROWS
        .iter()
        .filter(|row| names.is_empty() || names.iter().any(|name| name == row.name))
        .copied()
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), ROWS.len());
    }

    #[test]
    fn a_row_over_quic_says_so() {
        for row in ROWS {
            assert_eq!(row.carrier == Carrier::Quic, row.name.starts_with("quic-"), "{}", row.name);
        }
    }

    #[test]
    fn no_names_select_all_and_an_unknown_one_is_refused() {
        assert_eq!(select(&[]).unwrap().len(), ROWS.len());
        let some = select(&["request-64".into(), "pubsub-128-1to1".into()]).unwrap();
        assert_eq!(some.iter().map(|row| row.name).collect::<Vec<_>>(), ["pubsub-128-1to1", "request-64"]);
        assert!(select(&["request-65".into()]).is_err());
    }

    #[test]
    fn a_ratio_above_one_is_better_in_every_unit() {
        assert_eq!(Unit::MessagesPerSecond.ratio(30.0, 10.0), 3.0);
        assert_eq!(Unit::MicrosP50.ratio(10.0, 30.0), 3.0);
        assert_eq!(Unit::Mebibytes.ratio(10.0, 5.0), 0.5);
    }

    #[test]
    fn smoke_keeps_the_shape() {
        for row in ROWS {
            assert_eq!(row.work.smoke().unit(), row.work.unit());
        }
    }
}
