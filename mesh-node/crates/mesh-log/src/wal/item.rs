//! The table of records in a block: one line of 40 bytes for each.
//!
//! ```text
//!  0      1        4       8        16       24       32      36      40
//!  ├ kind ┼─ zeros ┼ group ┼─ term ─┼─ index ┼─ extra ┼─ len ─┼─ crc ─┤
//! ```
//! | kind | what | term | index | extra | len, crc |
//! |---|---|---|---|---|---|
//! | 1 | entry: commands | its term | its index | 0 | of its payload |
//! | 2 | entry: change of members | its term | its index | 0 | of its payload |
//! | 3 | state | term | commit | vote | 0 |
//! | 4 | cut | term | index | 0 | 0 |
//! | 5 | removed | 0 | 0 | 0 | 0 |
//! | 6 | standing (in the first block of a file): the last entry | term | index | 1: removed, 2: suspect | 0 |

use super::fields::{u32_at, u64_at};
use crate::{
    id::GroupId,
    record::{Entry, EntryKind, HardState, Record},
};

/// Bytes of a line.
pub const BYTES: usize = 40;

const COMMANDS: u8 = 1;
const MEMBERS: u8 = 2;
const STATE: u8 = 3;
const CUT: u8 = 4;
const REMOVED: u8 = 5;
const STANDING: u8 = 6;
const FLAG_REMOVED: u64 = 1;
const FLAG_SUSPECT: u64 = 2;

/// A line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// An entry, whose payload stands behind the table.
    Entry {
        /// Whose.
        group: GroupId,
        /// Its term.
        term: u64,
        /// Its index.
        index: u64,
        /// What it is.
        kind: EntryKind,
        /// Bytes of its payload.
        len: u32,
        /// CRC32C of its payload.
        crc: u32,
    },
    /// The state of a replica.
    State {
        /// Whose.
        group: GroupId,
        /// The state.
        state: HardState,
    },
    /// Where the log of a group begins.
    Cut {
        /// Whose.
        group: GroupId,
        /// The last index that is not needed.
        index: u64,
        /// Its term.
        term: u64,
    },
    /// A group has no replica here any more.
    Removed {
        /// Whose.
        group: GroupId,
    },
    /// What there is of a group where a file begins. Its state and its cut come before.
    Standing {
        /// Whose.
        group: GroupId,
        /// Index and term of its last entry.
        last: (u64, u64),
        /// Whether it has no replica here.
        removed: bool,
        /// Whether something of it was lost.
        suspect: bool,
    },
}

impl Item {
    /// The line of a record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        match record {
            Record::Entry { group, entry: Entry { term, index, kind, payload } } => Self::Entry {
                group: *group,
                term: *term,
                index: *index,
                kind: *kind,
                // The log takes no record that does not fit into one of its files, of which none is that large.
                len: u32::try_from(payload.len()).unwrap_or(u32::MAX),
                crc: payload.crc(),
            },
            Record::State { group, state } => Self::State { group: *group, state: *state },
            Record::Cut { group, index, term } => Self::Cut { group: *group, index: *index, term: *term },
            Record::Removed { group } => Self::Removed { group: *group },
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn group(&self) -> GroupId {
        match self {
            Self::Entry { group, .. }
            | Self::State { group, .. }
            | Self::Cut { group, .. }
            | Self::Removed { group }
            | Self::Standing { group, .. } => *group,
        }
    }

    /// Bytes of its payload.
    #[must_use]
    pub fn payload_len(&self) -> usize {
        match self {
            Self::Entry { len, .. } => *len as usize,
            _ => 0,
        }
    }

    /// As bytes, at the end of what is there.
    pub fn encode(&self, into: &mut Vec<u8>) {
        let (kind, term, index, extra, len, crc) = match *self {
            Self::Entry { term, index, kind, len, crc, .. } => {
                let kind = match kind {
                    EntryKind::Commands => COMMANDS,
                    EntryKind::Members => MEMBERS,
                };
                (kind, term, index, 0, len, crc)
            }
            Self::State { state, .. } => (STATE, state.term, state.commit, state.vote, 0, 0),
            Self::Cut { index, term, .. } => (CUT, term, index, 0, 0, 0),
            Self::Removed { .. } => (REMOVED, 0, 0, 0, 0, 0),
            Self::Standing { last: (index, term), removed, suspect, .. } => {
                let removed = if removed { FLAG_REMOVED } else { 0 };
                let suspect = if suspect { FLAG_SUSPECT } else { 0 };
                (STANDING, term, index, removed | suspect, 0, 0)
            }
        };
        let mut bytes = [0; BYTES];
        bytes[0] = kind;
        bytes[4..8].copy_from_slice(&self.group().0.to_le_bytes());
        bytes[8..16].copy_from_slice(&term.to_le_bytes());
        bytes[16..24].copy_from_slice(&index.to_le_bytes());
        bytes[24..32].copy_from_slice(&extra.to_le_bytes());
        bytes[32..36].copy_from_slice(&len.to_le_bytes());
        bytes[36..40].copy_from_slice(&crc.to_le_bytes());
        into.extend_from_slice(&bytes);
    }

    /// Of the bytes of a line; `None` when they are none that this version writes.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; BYTES] = bytes.first_chunk()?;
        let group = GroupId(u32_at(bytes, 4));
        let (term, index, extra) = (u64_at(bytes, 8), u64_at(bytes, 16), u64_at(bytes, 24));
        let (len, crc) = (u32_at(bytes, 32), u32_at(bytes, 36));
        let item = match bytes[0] {
            COMMANDS => Self::Entry { group, term, index, kind: EntryKind::Commands, len, crc },
            MEMBERS => Self::Entry { group, term, index, kind: EntryKind::Members, len, crc },
            STATE => Self::State { group, state: HardState { term, vote: extra, commit: index } },
            CUT => Self::Cut { group, index, term },
            REMOVED => Self::Removed { group },
            STANDING => Self::Standing {
                group,
                last: (index, term),
                removed: extra & FLAG_REMOVED != 0,
                suspect: extra & FLAG_SUSPECT != 0,
            },
            _ => return None,
        };
        Some(item)
    }
}
