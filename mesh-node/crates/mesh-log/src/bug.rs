//! Known bugs, to be brought back so that the tests which look for them can be seen to find them.

/// A bug that can be brought back, in a build with the feature `faults` only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Bug {
    /// What is written counts as durable before the disk said so.
    AckBeforeFsync = 0,
    /// A leader takes an entry for committed once it has it itself.
    AckBeforeQuorum = 1,
    /// A vote is not written down.
    ForgetVote = 2,
    /// Damage in the log is taken for a torn tail, and cut.
    TruncateOnDamage = 3,
    /// A leader answers reads without asking whether it still leads.
    StaleRead = 4,
    /// After a snapshot, entries that are in it are applied again.
    ApplyTwice = 5,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::AckBeforeFsync,
        Self::AckBeforeQuorum,
        Self::ForgetVote,
        Self::TruncateOnDamage,
        Self::StaleRead,
        Self::ApplyTwice,
    ];

    /// What it is called on a command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AckBeforeFsync => "ack-before-fsync",
            Self::AckBeforeQuorum => "ack-before-quorum",
            Self::ForgetVote => "forget-vote",
            Self::TruncateOnDamage => "truncate-on-damage",
            Self::StaleRead => "stale-read",
            Self::ApplyTwice => "apply-twice",
        }
    }
}

/// Which bugs are back. None, and nothing to be checked at run time, in a build without the feature `faults`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bugs {
    #[cfg(feature = "faults")]
    bits: u8,
}

impl Bugs {
    /// Brings one back.
    #[cfg(feature = "faults")]
    #[must_use]
    pub fn with(self, bug: Bug) -> Self {
        Self { bits: self.bits | 1 << bug as u8 }
    }

    /// Whether this one is back.
    #[must_use]
    #[inline]
    pub const fn has(self, bug: Bug) -> bool {
        #[cfg(feature = "faults")]
        return self.bits & 1 << bug as u8 != 0;
        #[cfg(not(feature = "faults"))]
        {
            _ = bug;
            false
        }
    }
}
