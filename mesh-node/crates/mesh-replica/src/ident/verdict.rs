//! Whether a node may take part, and as whom.

use mesh_log::directory::Uuid;
use mesh_wire::code::Code;

use super::Ident;
use crate::id::NodeNumber;

/// What the meta group knows of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its number.
    pub number: NodeNumber,
    /// Its directory, once it has told.
    pub directory: Option<Uuid>,
    /// It lost its directory, or was told to leave: its number counts no more.
    pub gone: bool,
}

/// What this node knows of the others: the meta group as it is applied here, or the first members before that.
pub trait Registry {
    /// The node with this number.
    fn by_number(&self, number: NodeNumber) -> Option<Known>;
    /// The node with this directory.
    fn by_directory(&self, directory: Uuid) -> Option<Known>;
    /// The node of this name that counts.
    fn by_name(&self, name: &str) -> Option<Known>;
}

/// What follows from an [`Ident`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is this node: its messages are taken.
    Accept(NodeNumber),
    /// It has no number yet and may ask for one (JOIN).
    Join,
    /// None of its messages are taken.
    Refuse(Unfit),
}

/// Why a node can't take part as who it says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// It has another cluster's UUID.
    #[error("the node belongs to cluster {theirs}, this one to {own}")]
    OtherCluster {
        /// This node's.
        own: Uuid,
        /// Its.
        theirs: Uuid,
    },
    /// It uses a copy of this node's directory, or has its number.
    #[error("the node has this node's own number or a copy of its data directory")]
    Copied,
    /// The number it says is its own belongs to another directory: its own was lost, or put back from a copy.
    #[error("number {number} belongs to directory {known}, not to {theirs}")]
    Wiped {
        /// The number.
        number: NodeNumber,
        /// The directory that is known to have it.
        known: Uuid,
        /// The directory that it comes with.
        theirs: Uuid,
    },
    /// Its number was given up.
    #[error("number {number} is not of a member of the cluster any more")]
    Gone {
        /// The number.
        number: NodeNumber,
    },
    /// It can't read what the cluster writes.
    #[error("the node reads feature level {theirs} at most, the cluster has {own}")]
    LevelTooLow {
        /// The cluster's.
        own: u32,
        /// Its highest.
        theirs: u32,
    },
}

impl Unfit {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::OtherCluster { .. } => Code::DataDirOtherCluster,
            Self::Copied => Code::NodeNumberTaken,
            Self::Wiped { .. } => Code::NodeNumberTaken,
            Self::Gone { .. } => Code::NodeNumberUnknown,
            Self::LevelTooLow { .. } => Code::FeatureLevelTooLow,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same node can be taken later, as it is.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}

/// Judges who a peer of this (certified) name says it is.
#[must_use]
pub fn judge(own: &Ident, name: &str, theirs: &Ident, registry: &dyn Registry) -> Verdict {
    match refuse(own, theirs) {
        Some(unfit) => Verdict::Refuse(unfit),
        None => find(name, theirs, registry),
    }
}

fn refuse(own: &Ident, theirs: &Ident) -> Option<Unfit> {
    if let (Some(own), Some(theirs)) = (own.cluster, theirs.cluster)
        && own != theirs
    {
        return Some(Unfit::OtherCluster { own, theirs });
    }
    if own.directory == theirs.directory || (own.number.is_some() && own.number == theirs.number) {
        return Some(Unfit::Copied);
    }
    if theirs.level < own.cluster_level {
        return Some(Unfit::LevelTooLow { own: own.cluster_level, theirs: theirs.level });
    }
    None
}

fn find(name: &str, theirs: &Ident, registry: &dyn Registry) -> Verdict {
    // A directory that is known says who it is, whatever name it has now.
    if let Some(known) = registry.by_directory(theirs.directory) {
        return match theirs.number {
            _ if known.gone => Verdict::Refuse(Unfit::Gone { number: known.number }),
            // Its number was changed by hand, or it was given another one since.
            Some(number) if number != known.number => Verdict::Refuse(Unfit::Gone { number }),
            _ => Verdict::Accept(known.number),
        };
    }
    let Some(number) = theirs.number else {
        // One of the first members has not told its directory yet: its name is all that is known of it.
        return match registry.by_name(name) {
            Some(Known { number, directory: None, gone: false }) => Verdict::Accept(number),
            _ => Verdict::Join,
        };
    };
    match registry.by_number(number) {
        Some(Known { gone: true, .. }) => Verdict::Refuse(Unfit::Gone { number }),
        Some(Known { directory: Some(known), .. }) => {
            Verdict::Refuse(Unfit::Wiped { number, known, theirs: theirs.directory })
        }
        // This node may lag behind the meta group, which gave the number.
        _ => Verdict::Accept(number),
    }
}
