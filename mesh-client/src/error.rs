//! What can go wrong, in one type.

use std::fmt;

use mesh_wire::code::{Code, ErrorKind, Report};

/// Why an operation of the client failed: a stable code, and what is known about this case.
///
/// `{}` prints one line, `MESH-1042: no responders for "orders.get"`; `{:#}` prints three: the message, its cause and
/// what to do, in the form of every command of the project.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    message: String,
    cause: Option<String>,
    hint: Option<String>,
    failure: Option<Failure>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            cause: None,
            hint: None,
            failure: None,
            source: None,
        }))
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

    /// A failure with a number of the application's own.
    pub fn new(code: u32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
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
