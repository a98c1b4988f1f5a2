//! What is known of a code.

use super::{Code, ErrorKind, table};

impl Code {
    /// All codes, by rising number.
    pub fn all() -> impl Iterator<Item = Self> {
        table::entries().map(|entry| entry.code)
    }

    /// The code of this number, as frames carry it; none for the number of a newer version.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::all().find(|code| u32::from(code.number()) == number)
    }

    /// The number: 1042.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The name for programs: `no_responders`.
    pub fn name(self) -> &'static str {
        table::entry(self).name
    }

    /// What sort of error it is: what a program decides by.
    pub fn kind(self) -> ErrorKind {
        table::entry(self).kind
    }

    /// Whether the same operation can succeed later without being changed.
    ///
    /// It says that another try makes sense, not that it is safe: a request that was lost may have been worked on.
    pub fn is_retryable(self) -> bool {
        table::entry(self).retryable
    }

    /// Whether what was asked for may have been done, or may yet be, although it ended with this code.
    ///
    /// After any other code it was not done and never will be. After these it is safe to repeat only what may be done
    /// twice, or what is known again when it comes again: a record batch under its producer's sequence.
    pub const fn leaves_outcome_unknown(self) -> bool {
        matches!(
            self,
            Self::NodeStopped
                | Self::LinkIdle
                | Self::LinkStalled
                | Self::InternalError
                | Self::RequestDeadline
                | Self::RequestCancelled
                | Self::ResponderGone
                | Self::HandlerPanicked
                | Self::Disconnected
                | Self::ReconnectGaveUp
                | Self::ClientClosed
                | Self::LinkDead
                | Self::LinkReset
                | Self::SequenceForgotten
                | Self::OutcomeUnknown
        )
    }

    /// What happened, in one line without a full stop.
    pub fn title(self) -> &'static str {
        table::entry(self).title
    }

    /// The usual cause, in one line; an error that knows better says so instead.
    pub fn cause(self) -> &'static str {
        table::entry(self).cause
    }

    /// What to do or to type next, in one line.
    pub fn hint(self) -> &'static str {
        table::entry(self).hint
    }

    /// What it means, its usual causes and what to do: paragraphs with an empty line between them.
    pub fn explanation(self) -> &'static str {
        table::entry(self).explanation
    }
}
