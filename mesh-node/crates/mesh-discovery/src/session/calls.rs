//! Answers that are waited for, and until when.

use std::time::Instant;

use super::Action;

/// What is waited for; one of each at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Connect,
    Lease,
    Read,
    Watch,
    Progress,
    Founding,
}

impl Call {
    /// What an action waits for; nothing when its end is not waited for here.
    pub(super) fn of(action: &Action) -> Option<Self> {
        Some(match action {
            Action::Connect { .. } => Self::Connect,
            Action::Grant { .. }
            | Action::KeepAlive { .. }
            | Action::Register { .. }
            | Action::Look { .. } => Self::Lease,
            Action::Read { .. } => Self::Read,
            Action::Watch { .. } => Self::Watch,
            Action::Progress => Self::Progress,
            Action::Found { .. } => Self::Founding,
            Action::Close | Action::Depart { .. } => return None,
        })
    }

    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Connect => "no connection",
            Self::Lease => "the lease",
            Self::Read => "reading the nodes",
            Self::Watch => "watching the nodes",
            Self::Progress => "whether the watch is alive",
            Self::Founding => "how the cluster began",
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<(Call, Instant)>);

impl Calls {
    pub(super) fn begin(&mut self, call: Call, until: Instant) {
        self.done(call);
        self.0.push((call, until));
    }

    pub(super) fn done(&mut self, call: Call) {
        self.0.retain(|(waiting, _)| *waiting != call);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.iter().map(|(_, until)| *until).min()
    }

    pub(super) fn overdue(&self, now: Instant) -> Option<Call> {
        self.0.iter().find(|(_, until)| now >= *until).map(|(call, _)| *call)
    }
}
