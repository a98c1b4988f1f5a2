//! What can be wrong with headers.

use crate::code::Code;
use crate::limits;

/// Why headers were refused, when they were built or when they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// More headers than one message may have.
    #[error("more than {} headers", limits::HEADERS)]
    TooMany,
    /// More encoded bytes than the headers of one message may have.
    #[error("headers of {bytes} bytes exceed {}", limits::HEADERS_BYTES)]
    TooLarge {
        /// Encoded bytes, as far as they were counted.
        bytes: usize,
    },
    /// A header's lengths reach beyond the end of the headers.
    #[error("header at byte {at} is cut off")]
    Truncated {
        /// Where the header starts.
        at: usize,
    },
    /// A name of no bytes.
    #[error("header name is empty")]
    EmptyName,
    /// A name that its length byte can't hold.
    #[error("header name of {bytes} bytes exceeds {}", super::HEADER_NAME_BYTES)]
    NameTooLong {
        /// Bytes of the name.
        bytes: usize,
    },
    /// A name that is not UTF-8.
    #[error("header name is not UTF-8")]
    NameNotUtf8,
    /// A name with a control character.
    #[error("header name contains a control character")]
    NameControl,
    /// A value of text that is not UTF-8.
    #[error("header value is marked as text but is not UTF-8")]
    ValueNotUtf8,
    /// A value whose length does not fit its type.
    #[error("header value of type {kind} has {actual} bytes instead of {expected}")]
    ValueLength {
        /// Type number.
        kind: u8,
        /// Bytes that the type has.
        expected: usize,
        /// Bytes that the value has.
        actual: usize,
    },
    /// A truth value that is neither 0 nor 1.
    #[error("header value of type bool is {value} instead of 0 or 1")]
    NotBool {
        /// The byte found.
        value: u8,
    },
    /// A type number that has no meaning in this version.
    #[error("header type {kind} is reserved")]
    ReservedType {
        /// Type number.
        kind: u8,
    },
}

impl HeaderError {
    /// The stable code of this error.
    pub fn code(&self) -> Code {
        match self {
            Self::TooMany => Code::TooManyHeaders,
            Self::TooLarge { .. } => Code::HeadersTooLarge,
            _ => Code::HeaderMalformed,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same call can succeed later: never, the headers stay wrong.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}
