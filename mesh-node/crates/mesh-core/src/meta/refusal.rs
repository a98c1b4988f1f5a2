//! Why a command changed nothing.

use mesh_wire::{code::Code, name::Name};

use super::{DECLARATIONS_MAX, FormatError, GroupId, NODES_MAX, NodeNumber, Uuid};

/// Why a command changed nothing. Its words are part of the reply, so they are the same on every node of a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The cluster is not founded yet.
    #[error("the cluster is not founded yet")]
    NotFounded,
    /// The cluster is founded, by another command.
    #[error("the cluster is founded already, as {cluster}")]
    Founded {
        /// Its UUID.
        cluster: Uuid,
    },
    /// It can't be read.
    #[error("the command can't be read: {0}")]
    Format(#[from] FormatError),
    /// It says what can't be.
    #[error("{0}")]
    Invalid(&'static str),
    /// No node has this number.
    #[error("no node has the number {0}")]
    NodeUnknown(NodeNumber),
    /// The number is that of another name or data directory.
    #[error("node number {number} belongs to `{name}` with another data directory")]
    NodeTaken {
        /// The number.
        number: NodeNumber,
        /// Whose it is.
        name: Name,
    },
    /// A later start of the same node has told already.
    #[error("a later start of node {0} is known")]
    NodeOutdated(NodeNumber),
    /// The node can't read what may be written.
    #[error("it reads up to feature level {level}, the cluster writes level {needed}")]
    LevelTooLow {
        /// What it reads.
        level: u32,
        /// What is needed.
        needed: u32,
    },
    /// There would be fewer nodes than replicas.
    #[error("{nodes} nodes can't hold {replicas} replicas")]
    TooFewNodes {
        /// The nodes.
        nodes: usize,
        /// The replicas.
        replicas: u32,
    },
    /// As many nodes as there may be.
    #[error("there are {NODES_MAX} nodes already")]
    NodesFull,
    /// The node still has replicas.
    #[error("node {0} has replicas, or is not on its way out")]
    NodeInUse(NodeNumber),
    /// It was planned on what is not so any more.
    #[error("the plan for group {0} is outdated")]
    PlanOutdated(GroupId),
    /// Nothing is declared under this name.
    #[error("`{0}` is not declared")]
    NotDeclared(Name),
    /// As many declarations as there may be.
    #[error("there are {DECLARATIONS_MAX} declarations already")]
    DeclarationsFull,
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NotFounded => Code::ClusterNotFounded,
            Self::Founded { .. } => Code::ClusterFounded,
            Self::Format(_) | Self::Invalid(_) => Code::MetaCommandInvalid,
            Self::NodeUnknown(_) => Code::NodeNumberUnknown,
            Self::NodeTaken { .. } => Code::NodeNumberTaken,
            Self::NodeOutdated(_) => Code::NodeOutdated,
            Self::LevelTooLow { .. } => Code::FeatureLevelTooLow,
            Self::TooFewNodes { .. } => Code::TooFewNodes,
            Self::NodesFull => Code::TooManyNodes,
            Self::NodeInUse(_) => Code::NodeInUse,
            Self::PlanOutdated(_) => Code::PlacementOutdated,
            Self::NotDeclared(_) => Code::LaneUndeclared,
            Self::DeclarationsFull => Code::TooManyDeclarations,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same command can succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}
