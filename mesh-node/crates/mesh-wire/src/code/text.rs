//! Codes as people write them.

use std::fmt;
use std::str::FromStr;

use super::Code;

/// `MESH-1042`
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MESH-{}", self.number())
    }
}

/// Text that names no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no error code of this number or name")]
pub struct ParseCodeError;

impl ParseCodeError {
    /// The stable code of this error.
    pub fn code(&self) -> Code {
        Code::CodeUnknown
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same text can name a code later: no.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}

/// Takes what a person would type: `MESH-1042`, `1042` or `no_responders`, in any case.
impl FromStr for Code {
    type Err = ParseCodeError;

    fn from_str(text: &str) -> Result<Self, ParseCodeError> {
        let number = match text.get(..5) {
            Some(prefix) if prefix.eq_ignore_ascii_case("MESH-") => &text[5..],
            _ => text,
        };
        // `parse` would take a sign.
        if number.starts_with(|first: char| first.is_ascii_digit()) {
            return number.parse().ok().and_then(Self::from_number).ok_or(ParseCodeError);
        }
        Self::all().find(|code| code.name().eq_ignore_ascii_case(text)).ok_or(ParseCodeError)
    }
}
