//! What a part must not be.

use mesh_log::id::LaneId;
use mesh_wire::code::Code;

/// Why a part, or a pull, is not what was agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lie {
    /// Pieces with a gap between them, or over each other.
    #[error("piece {first} of lane {} where {expected} should follow", lane.0)]
    Order {
        /// The lane.
        lane: LaneId,
        /// The piece's first number.
        first: u64,
        /// The number that should have followed.
        expected: u64,
    },
    /// A piece goes beyond what was asked for.
    #[error("a piece of lane {} up to {last}, {wanted} was the last one asked for", lane.0)]
    Beyond {
        /// The lane.
        lane: LaneId,
        /// The piece's last number.
        last: u64,
        /// The last one asked for.
        wanted: u64,
    },
    /// A piece without records or without bytes.
    #[error("an empty piece of lane {}", lane.0)]
    Empty {
        /// The lane.
        lane: LaneId,
    },
    /// More bytes than were asked for, or than the manifest says that there are.
    #[error("{bytes} bytes of lane {}, {max} were to come", lane.0)]
    TooMuch {
        /// The lane.
        lane: LaneId,
        /// How many came.
        bytes: u64,
        /// How many there should have been at most.
        max: u64,
    },
    /// Fewer bytes than the manifest says.
    #[error("{bytes} bytes of lane {}, the manifest says {expected}", lane.0)]
    TooLittle {
        /// The lane.
        lane: LaneId,
        /// How many came.
        bytes: u64,
        /// How many the manifest says.
        expected: u64,
    },
    /// The digest of a run of records is not that of the manifest.
    #[error("the digest of lane {} from {first} on is not that of the manifest", lane.0)]
    Digest {
        /// The lane.
        lane: LaneId,
        /// The run's first number.
        first: u64,
    },
    /// A lane that the manifest does not have, or that was not asked for.
    #[error("lane {} was not asked for", lane.0)]
    Lane {
        /// The lane.
        lane: LaneId,
    },
    /// A pull for numbers that were not offered, or for too many bytes.
    #[error("{first} to {last} of lane {} were not offered", lane.0)]
    NotOffered {
        /// The lane.
        lane: LaneId,
        /// The first number.
        first: u64,
        /// The last number.
        last: u64,
    },
}

impl Lie {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NotOffered { .. } => Code::SnapshotRefused,
            _ => Code::SnapshotLied,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same bytes can be right later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}
