//! An error as a person reads it.

use std::borrow::Cow;
use std::fmt;

use super::Code;

/// An error in the form that every command of the project prints it: what, why, and what to do next.
///
/// ```text
/// error[MESH-1042]: no responders for "orders.get"
/// cause: …
/// hint: …
/// ```
///
/// Cause and hint are the table's, where none is given. No line break at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report<'a> {
    code: Code,
    message: Cow<'a, str>,
    cause: Option<Cow<'a, str>>,
    hint: Option<Cow<'a, str>>,
}

impl<'a> Report<'a> {
    /// A report that says `message`, in one line.
    pub fn new(code: Code, message: impl Into<Cow<'a, str>>) -> Self {
        Self { code, message: message.into(), cause: None, hint: None }
    }

    /// The cause, where the error knows more than the table.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<Cow<'a, str>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The hint, where the error knows more than the table.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'a, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The code that is reported.
    pub fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = self.cause.as_deref().unwrap_or(self.code.cause());
        let hint = self.hint.as_deref().unwrap_or(self.code.hint());
        writeln!(f, "error[{}]: {}", self.code, self.message)?;
        writeln!(f, "cause: {cause}")?;
        write!(f, "hint: {hint}")
    }
}
