//! Why a link is over.

use std::fmt;
use std::io;

use mesh_wire::code::Code;

/// Longest cause that is sent with the end of a link, in bytes.
pub const CAUSE_BYTES: usize = 256;

/// Why a link is over. Displayed by its cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The code; `None` when a side left in good order.
    pub code: Option<Code>,
    /// What happened, in words.
    pub cause: String,
}

impl Closed {
    /// Over because of `code`.
    #[must_use]
    pub fn new(code: Code, cause: impl Into<String>) -> Self {
        Self { code: Some(code), cause: cause.into() }
    }

    /// Over in good order.
    #[must_use]
    pub fn in_order(cause: impl Into<String>) -> Self {
        Self { code: None, cause: cause.into() }
    }

    /// Why the link is over, from an error of one of its parts.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// The cause, cut to what is sent.
    pub(crate) fn cause_to_send(&self) -> &[u8] {
        let mut end = self.cause.len().min(CAUSE_BYTES);
        while !self.cause.is_char_boundary(end) {
            end -= 1;
        }
        &self.cause.as_bytes()[..end]
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl std::error::Error for Closed {}

impl From<Closed> for io::Error {
    fn from(closed: Closed) -> Self {
        let kind = match closed.code {
            None => io::ErrorKind::ConnectionAborted,
            Some(Code::LinkDead) => io::ErrorKind::TimedOut,
            Some(Code::LinkReset) => io::ErrorKind::ConnectionReset,
            Some(_) => io::ErrorKind::Other,
        };
        Self::new(kind, closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_carries_why() {
        let closed = Closed::new(Code::LinkDead, "nothing heard");
        let error = io::Error::from(closed.clone());
        assert_eq!(Closed::of(&error), Some(&closed));
        assert_eq!(error.to_string(), "nothing heard");
        assert_eq!(Closed::of(&io::Error::other("x")), None);
        assert_eq!(Closed::of(&io::ErrorKind::TimedOut.into()), None);
    }

    #[test]
    fn a_cause_is_cut_between_letters() {
        for (cause, sent) in [
            ("c".repeat(CAUSE_BYTES), CAUSE_BYTES),
            ("c".repeat(CAUSE_BYTES + 1), CAUSE_BYTES),
            (format!("{}ö", "c".repeat(CAUSE_BYTES - 1)), CAUSE_BYTES - 1),
        ] {
            assert_eq!(Closed::new(Code::LinkDead, cause).cause_to_send().len(), sent);
        }
    }
}
