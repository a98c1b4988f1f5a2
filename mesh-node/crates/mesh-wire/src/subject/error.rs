//! What is wrong with a subject or pattern.

use crate::code::Code;

/// The first rule that a subject or pattern breaks. Positions are byte offsets from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubjectError {
    /// There is no text at all.
    #[error("the subject is empty")]
    Empty,
    /// More bytes than [`SUBJECT_BYTES`](crate::limits::SUBJECT_BYTES).
    #[error("the subject has {bytes} bytes, {} are allowed", crate::limits::SUBJECT_BYTES)]
    TooLong {
        /// How many bytes it has.
        bytes: usize,
    },
    /// More tokens than [`SUBJECT_TOKENS`](crate::limits::SUBJECT_TOKENS).
    #[error("the subject has more than {} tokens", crate::limits::SUBJECT_TOKENS)]
    TooManyTokens,
    /// A dot at the start, at the end or after another dot.
    #[error("the subject has an empty token at byte {at}")]
    EmptyToken {
        /// Where the token would start.
        at: usize,
    },
    /// White space or a control character.
    #[error("the subject has the forbidden byte 0x{byte:02x} at byte {at}")]
    ForbiddenByte {
        /// The byte.
        byte: u8,
        /// Where it is.
        at: usize,
    },
    /// The bytes are not UTF-8.
    #[error("the subject is not UTF-8 from byte {at} on")]
    NotUtf8 {
        /// Where valid text ends.
        at: usize,
    },
    /// `*` or `>` in a subject, where only patterns may have them.
    #[error("the subject has a wildcard at byte {at}, only a pattern may have one")]
    Wildcard {
        /// Where it is.
        at: usize,
    },
    /// `*` or `>` beside other bytes of its token.
    #[error("the wildcard at byte {at} is not a token of its own")]
    PartialWildcard {
        /// Where it is.
        at: usize,
    },
    /// `>` with more tokens after it.
    #[error("the wildcard `>` at byte {at} is not the last token")]
    TailNotLast {
        /// Where it is.
        at: usize,
    },
    /// Well formed, but it belongs to the node.
    #[error("subjects under `{}` belong to the node", crate::limits::RESERVED_PREFIX)]
    Reserved,
}

impl SubjectError {
    /// The code that the other side is told. What only a pattern can break has the pattern's code.
    pub fn code(&self) -> Code {
        match self {
            Self::TooLong { .. } => Code::SubjectTooLong,
            Self::TooManyTokens => Code::SubjectTooManyTokens,
            Self::Wildcard { .. } => Code::SubjectWildcard,
            Self::PartialWildcard { .. } | Self::TailNotLast { .. } => Code::PatternMalformed,
            Self::Reserved => Code::SubjectReserved,
            Self::Empty | Self::EmptyToken { .. } | Self::ForbiddenByte { .. } | Self::NotUtf8 { .. } => {
                Code::SubjectMalformed
            }
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same text can be accepted later: no.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}
