//! A request, as a handler gets it.

use std::time::{Duration, Instant};

use crate::message::Message;

/// A request on its way to a handler. A clone counts a reference.
#[derive(Debug, Clone)]
pub struct Request {
    message: Message,
    deadline: Instant,
}

impl Request {
    pub(crate) fn new(message: Message, now: Instant) -> Self {
        let deadline = now + Duration::from_millis(message.aux().into());
        Self { message, deadline }
    }

    /// What came: subject, headers, body.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Who asked, as the node that they are linked to asserts; `None` where it does not tell. See
    /// [`Caller`](super::Caller).
    #[must_use]
    pub fn caller(&self) -> Option<&str> {
        self.message.identity()
    }

    /// When the requester stops waiting.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }
}
