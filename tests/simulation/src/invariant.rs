//! What must hold, whatever happens. Each one looks at what the nodes did from outside, with a memory that no fault reaches.

use std::fmt;

use crate::time::Time;

pub mod acknowledged;
pub mod applied;
pub mod committed;
pub mod leader;
pub mod liveness;
pub mod matching;
pub mod model;
pub mod reads;
pub mod recovery;

/// Their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Invariant {
    /// [`leader`]
    OneLeaderPerTerm,
    /// [`matching`]
    LogMatching,
    /// [`committed`]
    CommittedStaysCommitted,
    /// [`applied`]
    AppliedInOrderAndOnce,
    /// [`acknowledged`]
    NoAckWithoutQuorum,
    /// [`recovery`]
    DurableIsRecovered,
    /// [`model`]
    StateEqualsModel,
    /// [`reads`]
    NoStaleRead,
    /// [`liveness`]
    Liveness,
    /// What a node says can be said in frames, and be read from them.
    MessagesAreRead,
    /// Nothing panics.
    NoPanic,
}

impl Invariant {
    /// What it says.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneLeaderPerTerm => "one leader per term",
            Self::LogMatching => "log matching",
            Self::CommittedStaysCommitted => "what is committed stays committed",
            Self::AppliedInOrderAndOnce => "applied in order and once",
            Self::NoAckWithoutQuorum => "no acknowledgement without a quorum's fsync",
            Self::DurableIsRecovered => "what was durable is recovered",
            Self::StateEqualsModel => "the state equals the model",
            Self::NoStaleRead => "no stale linearizable read",
            Self::Liveness => "healed, all goes on",
            Self::MessagesAreRead => "what nodes say can be read",
            Self::NoPanic => "nothing panics",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One of them does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// When that was seen.
    pub at: Time,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, at {} s: {}", self.invariant, self.at, self.what)
    }
}

/// What an invariant says: nothing, or what is wrong.
pub type Verdict = Result<(), String>;
