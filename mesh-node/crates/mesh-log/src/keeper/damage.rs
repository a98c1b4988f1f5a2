//! What is not as it was written.

use std::{fmt, path::PathBuf};

use mesh_wire::code::Code;

use crate::id::GroupId;

/// A file of the store that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub kind: DamageKind,
    /// The groups that lost something; `None` when that can't be said.
    pub groups: Option<Vec<GroupId>>,
    /// What is lost, in words.
    pub lost: String,
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// A checkpoint can't be read: its group can't go on from here.
    Checkpoint,
    /// An index can't be read: what its segment has is not known.
    Index,
    /// The data of a segment is not there, or is shorter than its index says.
    Segment,
    /// A file has a format that is not known.
    Version,
}

impl Damage {
    /// The code of this kind of damage.
    #[must_use]
    pub fn code(&self) -> Code {
        match self.kind {
            DamageKind::Checkpoint => Code::CheckpointDamaged,
            DamageKind::Index => Code::IndexDamaged,
            DamageKind::Segment => Code::SegmentDamaged,
            DamageKind::Version => Code::StoreVersionUnsupported,
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.lost)
    }
}
