//! How groups are opened.

use bytes::Bytes;
use mesh_log::{id::GroupId, log::RecoveredGroup};

use crate::members::Members;

/// What a group is opened with.
#[derive(Debug)]
pub struct GroupStart<M> {
    /// The group.
    pub group: GroupId,
    /// Its machine, empty.
    pub machine: M,
    /// Its first members, when it has never been anywhere: the same on each of them. `None` on a node that is to become a
    /// member of a group that is there already; it waits for a leader then.
    pub members: Option<Members>,
    /// The checkpoint that was found.
    pub checkpoint: Option<Bytes>,
    /// What the log had.
    pub recovered: Option<RecoveredGroup>,
}

/// Why a group can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It is open.
    #[error("group {0} is open already")]
    Open(GroupId),
    /// The checkpoint can't be read.
    #[error("the checkpoint of group {group} can't be read: {why}")]
    Checkpoint {
        /// The group.
        group: GroupId,
        /// What is wrong with it.
        why: String,
    },
}
