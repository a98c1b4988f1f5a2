//! What went wrong with a command, in the form that a person or a program reads.

use std::fmt;
use std::io;

use mesh_wire::code::{Code, Report};
use serde_json::json;

use crate::exit::Exit;

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error to be told.
    Error(Box<Described>),
    /// A signal came; there is nothing to tell.
    Stopped(Exit),
    /// Whoever read our output is gone; there is nobody to tell.
    OutputClosed,
}

/// An error: what, why, and what to do next.
#[derive(Debug)]
pub(crate) struct Described {
    /// Its code.
    pub(crate) code: Code,
    /// What happened, in one line.
    pub(crate) message: String,
    /// Why, where more is known than the table of codes says.
    pub(crate) cause: Option<String>,
    /// What to do next, where more is known than the table of codes says.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// An error with the cause and the hint of its code.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self::Error(Box::new(Described { code, message: message.into(), cause: None, hint: None }))
    }

    /// A command line that asks for something that can't be.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::UsageError, message)
    }

    /// Says why, better than the table of codes does.
    #[must_use]
    pub(crate) fn cause(mut self, cause: impl fmt::Display) -> Self {
        if let Self::Error(error) = &mut self {
            error.cause = Some(cause.to_string());
        }
        self
    }

    /// Says what to do, better than the table of codes does.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Self::Error(error) = &mut self {
            error.hint = Some(hint.into());
        }
        self
    }

    /// The code, if there is an error to tell.
    #[cfg(test)]
    pub(crate) fn code(&self) -> Option<Code> {
        match self {
            Self::Error(error) => Some(error.code),
            Self::Stopped(_) | Self::OutputClosed => None,
        }
    }

    /// How the process ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Error(error) => Exit::of(error.code),
            Self::Stopped(exit) => *exit,
            // `mesh sub … | head -1` did what it was asked for.
            Self::OutputClosed => Exit::Done,
        }
    }

    /// Output that can't be written: quiet when its reader left, an error otherwise.
    pub(crate) fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::new(Code::OutputFailed, "can't write the output").cause(error),
        }
    }
}

/// Every `io::Error` that a command passes on with `?` comes from its output; input has its own errors.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::output(&error)
    }
}

impl Described {
    /// Three lines for a person.
    pub(crate) fn report(&self) -> Report<'_> {
        let mut report = Report::new(self.code, self.message.as_str());
        if let Some(cause) = &self.cause {
            report = report.cause(cause.as_str());
        }
        if let Some(hint) = &self.hint {
            report = report.hint(hint.as_str());
        }
        report
    }

    /// One object for a program.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        json!({
            "error": {
                "code": self.code.to_string(),
                "name": self.code.name(),
                "kind": self.code.kind().name(),
                "message": self.message,
                "cause": self.cause.as_deref().unwrap_or(self.code.cause()),
                "hint": self.hint.as_deref().unwrap_or(self.code.hint()),
                "retryable": self.code.is_retryable(),
                "exit": Exit::of(self.code) as u8,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(failure: Failure) -> Box<Described> {
        match failure {
            Failure::Error(error) => error,
            other => panic!("{other:?} has nothing to tell"),
        }
    }

    #[test]
    fn an_error_reads_as_the_guide_says() {
        let error = described(
            Failure::new(Code::NoResponders, "no responders for \"orders.get\"").cause("nobody").hint("do"),
        );
        assert_eq!(
            error.report().to_string(),
            "error[MESH-1042]: no responders for \"orders.get\"\ncause: nobody\nhint: do"
        );
    }

    #[test]
    fn the_table_of_codes_fills_what_is_not_said() {
        let error = described(Failure::new(Code::NoResponders, "x"));
        let json = error.to_json();
        assert_eq!(json["error"]["cause"], Code::NoResponders.cause());
        assert_eq!(json["error"]["hint"], Code::NoResponders.hint());
        assert_eq!(json["error"]["code"], "MESH-1042");
        assert_eq!(json["error"]["name"], "no_responders");
        assert_eq!(json["error"]["exit"], 3);
    }

    #[test]
    fn a_reader_that_left_is_no_error() {
        let gone = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(gone.exit(), Exit::Done);
        let full = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.code(), Some(Code::OutputFailed));
        assert_eq!(full.exit(), Exit::Failed);
    }
}
