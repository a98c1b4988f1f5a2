//! Every limit of the protocol, in one place. Each is checked before anything is allocated for it.

/// Longest subject or pattern, in bytes.
pub const SUBJECT_BYTES: usize = 256;
/// Most tokens in a subject or pattern.
pub const SUBJECT_TOKENS: usize = 32;
/// Subjects under this prefix belong to the node.
pub const RESERVED_PREFIX: &str = "$mesh.";
/// Longest name of a queue, stream, group, service, node or cluster, in bytes.
pub const NAME_BYTES: usize = 128;
/// Most headers on one message.
pub const HEADERS: usize = 64;
/// Most bytes of all headers of one message together, encoded.
pub const HEADERS_BYTES: usize = 16 * 1024;
/// Largest message body by default, in bytes.
pub const BODY_BYTES_DEFAULT: usize = 8 * 1024 * 1024;
/// Largest message body that can be configured, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Largest frame, header included, in bytes.
pub const FRAME_BYTES: usize = 1024 * 1024;
/// Largest body part that a sender puts into one frame before it chunks, in bytes.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// Most chunked messages under way at once in one direction of one link.
pub const CHUNK_SERIES: usize = 4;
/// Most bytes of extension entries in one frame.
pub const EXT_BYTES: usize = 1024;
/// Longest message id, in bytes.
pub const MESSAGE_ID_BYTES: usize = 128;
/// Longest message or group key, in bytes.
pub const KEY_BYTES: usize = 128;
/// Most records in a batch.
pub const BATCH_RECORDS: usize = 4096;
/// Most bytes in a batch.
pub const BATCH_BYTES: usize = 1024 * 1024;
/// Largest prefetch or subscription credit, in messages.
pub const CREDIT_MAX: u32 = 65_535;
/// Most subscriptions on one link by default.
pub const SUBSCRIPTIONS_PER_LINK: usize = 1_048_576;
/// Most requests that one link may have under way.
pub const REQUESTS_PER_LINK: usize = 65_536;
/// Longest deadline of a request, in milliseconds: one hour.
pub const REQUEST_TIMEOUT_MS_MAX: u32 = 3_600_000;
/// Most messages that a node keeps pending for one subscription.
pub const PENDING_MESSAGES_MAX: u32 = 1_048_576;
/// Most bytes that a node keeps pending for one subscription.
pub const PENDING_BYTES_MAX: u32 = 256 * 1024 * 1024;
/// Longest delay or time to live, in milliseconds: 365 days.
pub const DELAY_MS_MAX: u64 = 365 * 24 * 3_600 * 1_000;
/// Shortest lease, in milliseconds.
pub const LEASE_MS_MIN: u64 = 1_000;
/// Longest lease, in milliseconds: 12 hours.
pub const LEASE_MS_MAX: u64 = 12 * 3_600 * 1_000;
/// Largest finite delivery limit.
pub const DELIVERIES_MAX: u32 = 1_000;
/// Highest priority.
pub const PRIORITY_MAX: u8 = 9;
/// Priority of a message that names none.
pub const PRIORITY_DEFAULT: u8 = 4;
/// Most partitions of a stream.
pub const PARTITIONS_MAX: u32 = 1_024;
/// Most bytes of records that a fetch may ask for. A batch that is larger than what was asked for comes alone.
pub const FETCH_BYTES_MAX: u32 = 1024 * 1024;
/// Most batches of one producer that may be under way in one lane.
pub const PRODUCER_WINDOW: usize = 4096;
