//! Everything that is counted by adding to it.

use mesh_telemetry::metric::{self, Metric};

/// Something that a thread counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Counter {
    /// Links opened.
    LinksOpened,
    /// Links closed.
    LinksClosed,
    /// Links marked slow.
    SlowLinks,
    /// Bytes read from clients.
    InBytes,
    /// Bytes written to clients.
    OutBytes,
    /// Messages published by clients.
    Published,
    /// Requests sent by clients.
    Requests,
    /// Replies sent by clients.
    Replies,
    /// Messages sent on to subscriptions, one for each.
    Delivered,
    /// Requests sent on to responders, one for each.
    Calls,
    /// Replies sent on to requesters.
    RepliesSent,
    /// Messages dropped because a subscription's pending messages were full.
    DroppedOverflow,
    /// Messages dropped because the link has just gone.
    DroppedLinkGone,
    /// Messages dropped because the subscription has just gone.
    DroppedNoSubscription,
    /// Messages dropped because the mailbox of the link's actor was full.
    DroppedMailboxFull,
    /// Replies that nobody waited for any more.
    LateReplies,
    /// Published messages that nobody wanted.
    Unrouted,
    /// Credits for subscriptions that were gone.
    StaleCredits,
    /// Requests cancelled by their client.
    RequestsCancelled,
    /// Defects that the node noticed itself.
    InternalErrors,
    /// Snapshots of the routing table.
    Snapshots,
    /// Look-ups that the match cache answered.
    CacheHits,
    /// Look-ups that it did not.
    CacheMisses,
    /// Times that a publisher was paused.
    PacingStalls,
    /// Handshakes that were asked to prove their address first.
    HandshakesRetried,
    /// Handshakes that were refused because too many were under way.
    HandshakesRefused,
    /// Requests to keep records.
    Puts,
    /// Requests for records.
    Fetches,
    /// Requests for something to put to.
    Declares,
    /// Requests sent on to the node that leads their group.
    Forwarded,
    /// Batches of messages to other nodes that there was no room for.
    MessagesLost,
    /// Batches of records that became durable.
    LogBatches,
    /// Files of the log that became full.
    LogSealed,
    /// Times that there was no room for a file of the log.
    LogFull,
    /// Pieces of records that were found damaged.
    LogDamaged,
    /// Damaged pieces that nobody had an intact copy of.
    LogLost,
}

impl Counter {
    /// Every counter, in the order of their discriminants.
    pub const ALL: [Self; 36] = [
        Self::LinksOpened,
        Self::LinksClosed,
        Self::SlowLinks,
        Self::InBytes,
        Self::OutBytes,
        Self::Published,
        Self::Requests,
        Self::Replies,
        Self::Delivered,
        Self::Calls,
        Self::RepliesSent,
        Self::DroppedOverflow,
        Self::DroppedLinkGone,
        Self::DroppedNoSubscription,
        Self::DroppedMailboxFull,
        Self::LateReplies,
        Self::Unrouted,
        Self::StaleCredits,
        Self::RequestsCancelled,
        Self::InternalErrors,
        Self::Snapshots,
        Self::CacheHits,
        Self::CacheMisses,
        Self::PacingStalls,
        Self::HandshakesRetried,
        Self::HandshakesRefused,
        Self::Puts,
        Self::Fetches,
        Self::Declares,
        Self::Forwarded,
        Self::MessagesLost,
        Self::LogBatches,
        Self::LogSealed,
        Self::LogFull,
        Self::LogDamaged,
        Self::LogLost,
    ];

    /// The metric that this is part of, and the value of its label where it has one.
    pub(super) const fn metric(self) -> (&'static Metric, Option<&'static str>) {
        match self {
            Self::LinksOpened => (&metric::LINKS_OPENED, None),
            Self::LinksClosed => (&metric::LINKS_CLOSED, None),
            Self::SlowLinks => (&metric::SLOW_LINKS, None),
            Self::InBytes => (&metric::RECEIVE_BYTES, None),
            Self::OutBytes => (&metric::TRANSMIT_BYTES, None),
            Self::Published => (&metric::RECEIVE_MESSAGES, Some("publish")),
            Self::Requests => (&metric::RECEIVE_MESSAGES, Some("request")),
            Self::Replies => (&metric::RECEIVE_MESSAGES, Some("reply")),
            Self::Delivered => (&metric::TRANSMIT_MESSAGES, Some("deliver")),
            Self::Calls => (&metric::TRANSMIT_MESSAGES, Some("call")),
            Self::RepliesSent => (&metric::TRANSMIT_MESSAGES, Some("reply")),
            Self::DroppedOverflow => (&metric::DROPPED_MESSAGES, Some("overflow")),
            Self::DroppedLinkGone => (&metric::DROPPED_MESSAGES, Some("link_gone")),
            Self::DroppedNoSubscription => (&metric::DROPPED_MESSAGES, Some("no_subscription")),
            Self::DroppedMailboxFull => (&metric::DROPPED_MESSAGES, Some("mailbox_full")),
            Self::LateReplies => (&metric::DROPPED_MESSAGES, Some("late_reply")),
            Self::Unrouted => (&metric::UNROUTED_MESSAGES, None),
            Self::StaleCredits => (&metric::STALE_CREDITS, None),
            Self::RequestsCancelled => (&metric::REQUESTS, Some("cancelled")),
            Self::InternalErrors => (&metric::INTERNAL_ERRORS, None),
            Self::Snapshots => (&metric::ROUTING_SNAPSHOTS, None),
            Self::CacheHits => (&metric::MATCH_CACHE_LOOKUPS, Some("hit")),
            Self::CacheMisses => (&metric::MATCH_CACHE_LOOKUPS, Some("miss")),
            Self::PacingStalls => (&metric::PACING_STALLS, None),
            Self::HandshakesRetried => (&metric::HANDSHAKES_TURNED_AWAY, Some("retry")),
            Self::HandshakesRefused => (&metric::HANDSHAKES_TURNED_AWAY, Some("refuse")),
            Self::Puts => (&metric::GROUP_COMMANDS, Some("put")),
            Self::Fetches => (&metric::GROUP_COMMANDS, Some("fetch")),
            Self::Declares => (&metric::GROUP_COMMANDS, Some("declare")),
            Self::Forwarded => (&metric::GROUP_FORWARDED, None),
            Self::MessagesLost => (&metric::GROUP_MESSAGES_LOST, None),
            Self::LogBatches => (&metric::LOG_WRITES, None),
            Self::LogSealed => (&metric::LOG_SEALED, None),
            Self::LogFull => (&metric::LOG_FULL, None),
            Self::LogDamaged => (&metric::LOG_DAMAGED, None),
            Self::LogLost => (&metric::LOG_LOST, None),
        }
    }
}
