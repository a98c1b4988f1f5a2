//! The one table of all error codes.

/// A stable error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// More headers than one message may have.
    TooManyHeaders,
    /// More header bytes than one message may have.
    HeadersTooLarge,
    /// Headers that can't be read.
    MalformedHeader,
}

impl Code {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        ""
    }

    /// Whether the same call can succeed later.
    pub fn is_retryable(self) -> bool {
        false
    }
}
