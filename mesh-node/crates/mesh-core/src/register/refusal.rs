//! Why a command changed nothing.

use mesh_wire::code::Code;

/// Why a command changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It can't be read, or says what can't be.
    #[error("the command can't be read or done")]
    Invalid,
    /// The batch is not well-formed.
    #[error("the batch is malformed (MESH-{code})")]
    Batch {
        /// The number of the code that says how.
        code: u16,
    },
    /// The producer has a later epoch.
    #[error("the producer is in epoch {epoch} already")]
    Fenced {
        /// That epoch.
        epoch: u32,
    },
    /// The batch does not follow what came before.
    #[error("the producer's next sequence is {expected}")]
    Gap {
        /// What comes next.
        expected: u64,
    },
    /// The batch was taken once, and its numbers are not remembered any more.
    #[error("the batch is older than what is remembered; the producer's next sequence is {expected}")]
    Forgotten {
        /// What comes next.
        expected: u64,
    },
    /// As many producers as are remembered.
    #[error("as many producers as may be are remembered")]
    ProducersFull,
    /// As many lanes as there may be.
    #[error("the shard has as many lanes as it may have")]
    LanesFull,
    /// The lane is declared no more.
    #[error("the lane is declared no more")]
    Undeclared,
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Invalid => Code::ShardCommandInvalid,
            Self::Batch { code } => Code::from_number((*code).into()).unwrap_or(Code::BatchMalformed),
            Self::Fenced { .. } => Code::ProducerFenced,
            Self::Gap { .. } => Code::SequenceGap,
            Self::Forgotten { .. } => Code::SequenceForgotten,
            Self::ProducersFull => Code::TooManyProducers,
            Self::LanesFull => Code::TooManyLanes,
            Self::Undeclared => Code::LaneUndeclared,
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
