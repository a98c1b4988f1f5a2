//! What nodes tell each other of their subscriptions.
//!
//! A node gathers the subscriptions of all its clients by pattern, part and group ([`Local`]) and tells each peer: the
//! whole at first, in parts, then what changed, under numbers without a gap ([`Cursor`]). A peer keeps what it was told
//! ([`Remote`]) and puts it into its routing table; when a number is missing it asks for the whole again.
//!
//! ```text
//!   subscribe ─► Local ─┬─ Cursor of peer b ─ Update ─►  Remote (at b) ─► routing table of b
//!   and leave           └─ Cursor of peer c ─ Update ─►  Remote (at c)        │
//!                              ▲                                              │ published
//!                              └──────────── acknowledgement: number ◄────────┘
//! ```
//! A change says how an interest is now and not what happened to it, so a state that was told twice, or that is newer
//! than its number, does no harm, and a thousand changes of one interest are one.

mod cursor;
mod local;
mod remote;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use mesh_wire::{name::Name, subject::Pattern};

pub use self::cursor::Cursor;
pub use self::local::{Local, RECENT_CHANGES};
pub use self::remote::{Bounds, Flood, Remote, Route, Told};
use crate::routing::Mode;

/// An interest of one node, as that node numbers it: not used again while the node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterestId(pub u32);

/// What clients of a node want: subscriptions that are alike are one interest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Subjects.
    pub pattern: Pattern,
    /// Whether they get messages or answer requests.
    pub mode: Mode,
    /// Whom they share with.
    pub group: Option<Name>,
}

impl Key {
    /// Bytes that an interest counts for, on the wire and against a peer's bound.
    pub(crate) fn bytes(&self) -> usize {
        let group = self.group.as_ref().map_or(0, |group| group.as_str().len());
        ENTRY_BYTES + self.pattern.as_str().len() + group
    }
}

/// What an interest costs beside its texts.
const ENTRY_BYTES: usize = 16;

/// An interest and how many subscriptions it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub id: InterestId,
    /// What is wanted.
    pub key: Arc<Key>,
    /// Subscriptions; 1 for events outside a group, however many there are, since a message crosses once.
    pub weight: u32,
}

/// How an interest is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is there.
    Set(Entry),
    /// It is not there (any more).
    Gone(InterestId),
}

impl Change {
    /// Bytes that it counts for.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Set(entry) => entry.key.bytes(),
            Self::Gone(_) => ENTRY_BYTES,
        }
    }
}

/// Which part of the whole an update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The last interest of the part before, whose ids were all lower; 0 in the first part. What was told before the
    /// first part counts no more once the last one is there.
    pub after: InterestId,
    /// The last interest that the part covers.
    pub upto: InterestId,
    /// The whole has been told.
    pub last: bool,
}

impl Part {
    /// Whether the whole begins here.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.after == InterestId(0)
    }
}

/// What one node tells another at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Set in parts of the whole; `None`: changes since `from`.
    pub part: Option<Part>,
    /// The number up to which the receiver must know all; in parts of the whole the same as `to`.
    pub from: u64,
    /// The number up to which it knows all then.
    pub to: u64,
    /// In the order of their numbers, or of their ids in the whole.
    pub changes: Vec<Change>,
}
