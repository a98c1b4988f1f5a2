//! The sorts of errors.

use std::fmt;

/// What sort of error it is. Programs decide by the kind, people look up the [`Code`](super::Code).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What was given is malformed or out of its range.
    Invalid,
    /// What was given is over a limit.
    Limit,
    /// What was named does not exist.
    NotFound,
    /// What was named is in use already.
    Conflict,
    /// Nobody answers requests on the subject.
    NoResponders,
    /// The time was up.
    Deadline,
    /// Given up on purpose.
    Cancelled,
    /// Understood, and not done.
    Refused,
    /// Not now; later.
    Busy,
    /// The connection, or who was at its other end, is gone.
    Disconnected,
    /// Who asks may not.
    Unauthorized,
    /// The configuration or the surroundings of a process are wrong.
    Config,
    /// One side broke the protocol.
    Protocol,
    /// An error of the application, carried and not judged.
    Application,
    /// Bytes were damaged.
    Corrupt,
    /// A command was not used properly.
    Usage,
    /// A defect of the project itself.
    Internal,
}

impl ErrorKind {
    /// The kind for programs: `no_responders`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Limit => "limit",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::NoResponders => "no_responders",
            Self::Deadline => "deadline",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::Busy => "busy",
            Self::Disconnected => "disconnected",
            Self::Unauthorized => "unauthorized",
            Self::Config => "config",
            Self::Protocol => "protocol",
            Self::Application => "application",
            Self::Corrupt => "corrupt",
            Self::Usage => "usage",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
