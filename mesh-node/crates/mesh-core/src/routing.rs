//! Who wants a subject: the routing table, its immutable snapshots and its one writer.
//!
//! Most patterns have no wildcard and are found by one probe of a hash trie with the whole subject; only patterns
//! with a wildcard live in a trie of tokens. Both are persistent: a [`Table`] is cloned in a few reference counts,
//! and a change copies no more than the path to what it changes (ADR 0010).
//!
//! ```text
//!                 ┌─ exact: hash trie ── "orders.eu.created" ─► who
//!  Table ─────────┤
//!                 └─ wild:  token trie ─ orders ─┬─ * ─ created ─► who       orders.*.created
//!                                                └─ > ─► who                 orders.>
//!  TableWriter ── insert, remove ─► its own Table ── at most every 1 ms ─► snapshot ─► readers
//! ```
//!
//! Each change stamps the first token of its pattern, so a reader's cache drops what hangs on that token and keeps
//! the rest (ADR 0011).

pub(crate) mod hash;
mod hash_trie;
mod id;
mod interest;
mod routes;
mod table;
mod token_trie;
mod version;
mod writer;

pub use self::id::{LinkId, Mode, SubscriptionId, Target};
pub use self::routes::{Group, Routes};
pub use self::table::Table;
pub use self::version::Stamp;
pub use self::writer::{PUBLISH_INTERVAL, TableWriter};

#[cfg(test)]
mod tests;
