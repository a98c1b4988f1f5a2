//! A full file of the log until it is released.

use crate::{id::GroupId, location::Piece, log::Sealed};

/// A full file.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) groups: Vec<(GroupId, u64)>,
    pub(super) bytes: u64,
    pub(super) only_keep: bool,
    pub(super) phase: Phase,
}

/// How far it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing was done yet, or it is to be looked at again.
    Full,
    /// Its index is being written.
    Keeping,
    /// Pieces are being moved.
    Moving { left: Vec<(GroupId, Vec<Piece>)>, under_way: bool },
    /// Nothing that is wanted needs it as a file of the log.
    Settled { kept: bool },
    /// Waits to be tried again.
    Failed,
}

impl Waiting {
    pub(super) fn new(sealed: &Sealed) -> Self {
        Self { groups: sealed.groups.clone(), bytes: sealed.bytes, only_keep: false, phase: Phase::Full }
    }
}
