//! Requests to many.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use mesh_wire::code::Code;
use mesh_wire::ext::Tag;
use mesh_wire::frame::Flags;
use mesh_wire::header::Value;
use mesh_wire::limits;

use crate::client::Client;
use crate::error::Error;
use crate::outgoing::Outgoing;
use crate::payload::Payload;
use crate::replies::{Replies, Until};
use crate::request::attempt::Asked;

/// Replies that are gathered at most, if nothing else is said.
const REPLIES: u32 = 1_024;

/// A request to everybody who serves the subject; see [`Client::request_many`]. Awaited, it gives the replies.
#[derive(Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct GatherBuilder<'a> {
    client: &'a Client,
    message: Outgoing<'a>,
    timeout: Option<Duration>,
    max: u32,
    silence: Option<Duration>,
    flags: Flags,
}

impl<'a> GatherBuilder<'a> {
    pub(crate) fn new(client: &'a Client, subject: &'a str, payload: Result<Payload<'a>, Error>) -> Self {
        let message = Outgoing::new(subject, payload);
        Self { client, message, timeout: None, max: REPLIES, silence: None, flags: Flags::GATHER }
    }

    /// Adds a header behind the others; a name may appear more than once.
    pub fn header<'v>(mut self, name: &str, value: impl Into<Value<'v>>) -> Self {
        self.message.header(name, value.into());
        self
    }

    /// Ends after this many replies, 1 to 65,535. 1,024 by default.
    pub fn max(mut self, replies: u32) -> Self {
        self.max = replies;
        self
    }

    /// Ends when no reply came for this long after the last one.
    pub fn silence(mut self, silence: Duration) -> Self {
        self.silence = Some(silence);
        self
    }

    /// Asks for a sign of life only: the responders' client libraries answer by themselves, no handler is called. The
    /// replies are JSON objects that say who answers: `name`, `service`, `version`, `instance`, `subject`, `in_flight`.
    pub fn probe(mut self) -> Self {
        self.flags = self.flags.with(Flags::PROBE);
        self
    }

    /// Ends after this time, with what has come. The client's default is 5 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

/// The replies end when every responder has answered, or by what the builder said; none of these ends is an error.
///
/// # Errors
/// A malformed subject, a limit, or no connection. *No responders* is the first item of the replies.
///
/// # Cancel safety
/// Safe: what was sent is cancelled.
impl<'a> IntoFuture for GatherBuilder<'a> {
    type Output = Result<Replies, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            if self.max == 0 || self.max > limits::CREDIT_MAX {
                return Err(Error::of(Code::ReplyCreditOutOfRange));
            }
            self.message.number(Tag::MAX_REPLIES, self.max);
            let asked = Asked::new(self.client, self.timeout)?;
            let until = Until::Gathered { max: self.max, silence: self.silence };
            Replies::ask(self.client, self.message, asked, self.flags, until).await
        })
    }
}
