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
    /// Whether nothing is lost by it.
    #[must_use]
    pub fn is_harmless(&self) -> bool {
        self.groups.as_ref().is_some_and(Vec::is_empty)
    }

    /// The group whose state is lost, if it is a checkpoint. Other damage is of records, which are known to be missing and
    /// can be fetched while the group goes on.
    #[must_use]
    pub fn lost_state(&self) -> Option<GroupId> {
        let is_checkpoint = self.path.extension().is_some_and(|extension| extension == "ckpt");
        self.groups.as_ref().filter(|_| is_checkpoint)?.first().copied()
    }

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
