//! What can go wrong, in one type.

use std::fmt;
use std::sync::Arc;

use mesh_wire::code::{Code, ErrorKind, Report};

/// Why an operation of the client failed: a stable code, and what is known about this case. A clone is cheap.
///
/// `{}` prints one line, `MESH-1042: no responders for "orders.get"`; `{:#}` prints three: the message, its cause and
/// what to do, in the form of every command of the project.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    code: Code,
    message: String,
    cause: Option<String>,
    hint: Option<String>,
    failure: Option<Failure>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            code,
            message: message.into(),
            cause: None,
            hint: None,
            failure: None,
            source: None,
        }))
    }

    /// The error that the code's own texts describe well enough.
    pub(crate) fn of(code: Code) -> Self {
        let title = code.title();
        let mut letters = title.chars();
        let lower = letters.next().map(|first| first.to_lowercase().chain(letters).collect::<String>());
        Self::new(code, lower.unwrap_or_default())
    }

    pub(crate) fn with_cause(mut self, cause: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).cause = Some(cause.into());
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).hint = Some(hint.into());
        self
    }

    pub(crate) fn with_failure(mut self, failure: Failure) -> Self {
        Arc::make_mut(&mut self.0).failure = Some(failure);
        self
    }

    pub(crate) fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.0).source = Some(Arc::new(source));
        self
    }

    /// The stable code, for people and their documentation.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What sort of error it is, for programs.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.code.kind()
    }

    /// What happened, in one line without the code.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Why, in one line.
    #[must_use]
    pub fn cause(&self) -> &str {
        self.0.cause.as_deref().unwrap_or(self.0.code.cause())
    }

    /// What to do or to type next, in one line.
    #[must_use]
    pub fn hint(&self) -> &str {
        self.0.hint.as_deref().unwrap_or(self.0.code.hint())
    }

    /// Whether the same operation can succeed later without being changed.
    ///
    /// It says that another try makes sense, not that it is safe: a request that was lost may have been worked on.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.code.is_retryable()
    }

    /// The error of the application, where the responder answered with one.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.0.failure.as_ref()
    }

    /// The error in the three lines in which commands print it.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        Report::new(self.code(), self.message()).cause(self.cause()).hint(self.hint())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { self.report().fmt(f) } else { write!(f, "{}: {}", self.0.code, self.0.message) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("cause", &self.0.cause)
            .field("failure", &self.0.failure)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// An error of the application, as a handler returns it and a requester gets it: a number of the application's own,
/// and a text for people.
///
/// Any `std::error::Error` turns into one under [`Failure::UNSPECIFIED`], so that `?` works in handlers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    code: u32,
    message: String,
}

impl Failure {
    /// The number of failures that named none.
    pub const UNSPECIFIED: u32 = 0;
    /// The largest number that a failure can have; those above are the project's own.
    pub const CODE_MAX: u32 = (1 << 31) - 1;

    /// A failure with a number of the application's own, up to [`Failure::CODE_MAX`]; a larger one is cut to that.
    pub fn new(code: u32, message: impl Into<String>) -> Self {
        Self { code: code.min(Self::CODE_MAX), message: message.into() }
    }

    /// The application's number.
    #[must_use]
    pub fn code(&self) -> u32 {
        self.code
    }

    /// The text for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(Self::UNSPECIFIED, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_why_and_what_next() {
        let error = Error::new(Code::NoResponders, "no responders for \"orders.get\"");
        assert_eq!(error.to_string(), "MESH-1042: no responders for \"orders.get\"");
        let long = format!("{error:#}");
        let lines: Vec<_> = long.lines().collect();
        assert_eq!(lines[0], "error[MESH-1042]: no responders for \"orders.get\"");
        assert!(lines[1].starts_with("cause: ") && lines[2].starts_with("hint: "), "{long}");
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::NoResponders, true));
    }

    #[test]
    fn what_is_known_stands_before_the_table() {
        let error = Error::of(Code::Disconnected).with_cause("the node said goodbye").with_hint("wait");
        assert_eq!((error.cause(), error.hint()), ("the node said goodbye", "wait"));
        assert_eq!(error.message(), "the connection to the node was lost");
    }

    #[test]
    fn any_error_is_a_failure() {
        fn handler() -> Result<u8, Failure> {
            Ok("x".parse::<u8>()?)
        }
        let failure = handler().unwrap_err();
        assert_eq!(failure.code(), Failure::UNSPECIFIED);
        assert!(failure.to_string().contains("invalid digit"));
        assert_eq!(Failure::new(Failure::CODE_MAX, "").code(), Failure::CODE_MAX);
        assert_eq!(Failure::new(Failure::CODE_MAX + 1, "").code(), Failure::CODE_MAX);
    }

    #[test]
    fn an_error_is_small_to_carry() {
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }
}
