//! What a log held when it was opened.

use std::collections::BTreeMap;

use crate::{
    id::{FileId, GroupId},
    location::Location,
    record::{Entry, HardState},
};

/// What a log held when it was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// All groups that it has ever heard of.
    pub groups: BTreeMap<GroupId, RecoveredGroup>,
    /// Where it is not what was written. Unless it is empty, the groups that it concerns are marked as `suspect`; when
    /// it can't be said which those are, all are, and there may be more groups than these.
    pub damage: Vec<Damage>,
    /// Damage by which no group loses anything: checkpoints have passed it, or it was accepted.
    pub harmless: Vec<Damage>,
    /// Files before the one that is written to, by rising id: nobody has released them yet.
    pub sealed: Vec<Sealed>,
    /// Bytes behind the last block that counts which had been written and never acknowledged; they are not read again.
    pub torn_bytes: u64,
}

/// What a log held of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecoveredGroup {
    /// The last state.
    pub state: HardState,
    /// Index and term of the last entry that a checkpoint has; 0 and 0 at first.
    pub cut: (u64, u64),
    /// Whether the group has no replica here any more.
    pub removed: bool,
    /// Whether something that was promised may be missing here: a vote, or entries behind these.
    pub suspect: bool,
    /// Indices of entries that are lost, or can't be used because those before them are: the first and the last that is
    /// known of.
    pub lost: Option<(u64, u64)>,
    /// The entries behind the cut, without a gap, and where their bytes stand.
    pub entries: Vec<(Entry, Location)>,
}

/// Something durable that can't be read as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: FileId,
    /// From where, in bytes.
    pub offset: u64,
    /// How many bytes, to where the log can be read again.
    pub len: u64,
    /// What is wrong.
    pub what: DamageKind,
    /// The groups that lost something; none when that can't be said.
    pub groups: Option<Vec<GroupId>>,
}

/// What is wrong with a part of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamageKind {
    /// A block or its table of records.
    Block,
    /// Bytes of an entry.
    Payload,
    /// A file is not there.
    Missing,
    /// A file is shorter than it was made: half copied.
    Short,
    /// The head of a file is not one of this log.
    Head,
}

impl DamageKind {
    /// One word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Payload => "payload",
            Self::Missing => "missing",
            Self::Short => "short",
            Self::Head => "head",
        }
    }
}

/// A file that is full, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The file.
    pub file: FileId,
    /// The last index of each group that has entries in it.
    pub groups: Vec<(GroupId, u64)>,
    /// Bytes of the entries in it.
    pub bytes: u64,
}
