//! What handlers give.

use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;
use mesh_wire::code::Code;
use mesh_wire::header::Headers;
use serde::Serialize;

use super::{Body, Request};
use crate::answer::OWN_CODE;
use crate::error::Failure;
use crate::message::Message;
use crate::payload::Payload;

/// The answer to a request: one body, a series of them, or a failure.
pub struct Response {
    pub(crate) headers: Headers,
    pub(crate) answer: Answer,
}

pub(crate) enum Answer {
    One(Payload<'static>),
    Failed {
        /// The application's number, or one of ours with [`OWN_CODE`].
        number: u32,
        text: String,
    },
    Series(Series),
}

/// The replies of a series.
pub(crate) type Series = Pin<Box<dyn Stream<Item = Response> + Send>>;

impl Response {
    /// One body.
    #[must_use]
    pub fn new(payload: Payload<'static>) -> Self {
        Self { headers: Headers::new(), answer: Answer::One(payload) }
    }

    /// An error of the application.
    #[must_use]
    pub fn failed(failure: Failure) -> Self {
        let answer = Answer::Failed { number: failure.code(), text: failure.message().to_owned() };
        Self { headers: Headers::new(), answer }
    }

    /// A refusal in the project's own codes, for layers and extractors: [`Code::RequestRefused`],
    /// [`Code::RequestBodyInvalid`], [`Code::PermissionDenied`]. The requester gets it as [`Error::code`].
    ///
    /// [`Error::code`]: crate::Error::code
    #[must_use]
    pub fn refused(code: Code, cause: impl Into<String>) -> Self {
        let answer = Answer::Failed { number: OWN_CODE | u32::from(code.number()), text: cause.into() };
        Self { headers: Headers::new(), answer }
    }

    pub(crate) fn series(series: Series) -> Self {
        Self { headers: Headers::new(), answer: Answer::Series(series) }
    }

    /// The same with these headers. Those of a series are its items' own.
    #[must_use]
    pub fn with_headers(mut self, headers: Headers) -> Self {
        self.headers = headers;
        self
    }

    /// The body, where there is one.
    #[must_use]
    pub fn payload(&self) -> Option<&Payload<'static>> {
        match &self.answer {
            Answer::One(payload) => Some(payload),
            Answer::Failed { .. } | Answer::Series(_) => None,
        }
    }

    /// Whether it is a failure or a refusal.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self.answer, Answer::Failed { .. })
    }

    /// The failure's number, as text: the application's own, or a code as `MESH-3004`.
    #[cfg_attr(not(feature = "otel"), expect(dead_code, reason = "only traces ask"))]
    pub(crate) fn failure_number(&self) -> Option<String> {
        match &self.answer {
            Answer::Failed { number, .. } if number & OWN_CODE != 0 => {
                Some(format!("MESH-{}", number & !OWN_CODE))
            }
            Answer::Failed { number, .. } => Some(number.to_string()),
            Answer::One(_) | Answer::Series(_) => None,
        }
    }

    /// The text of the failure or refusal, where it is one.
    #[must_use]
    pub fn failure_text(&self) -> Option<&str> {
        match &self.answer {
            Answer::Failed { text, .. } => Some(text),
            Answer::One(_) | Answer::Series(_) => None,
        }
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match &self.answer {
            Answer::One(payload) => format!("{} bytes", payload.as_bytes().len()),
            Answer::Failed { number, text } => format!("failed with {number}: {text}"),
            Answer::Series(_) => "series".to_owned(),
        };
        f.debug_struct("Response").field("answer", &what).field("headers", &self.headers).finish()
    }
}

/// What a handler can return.
pub trait IntoReply {
    /// Makes the response to `request` of it.
    fn into_reply(self, request: &Request) -> Response;
}

impl IntoReply for Response {
    fn into_reply(self, _request: &Request) -> Response {
        self
    }
}

impl IntoReply for () {
    fn into_reply(self, _request: &Request) -> Response {
        Response::new(Payload::raw(Bytes::new()))
    }
}

impl IntoReply for Bytes {
    fn into_reply(self, _request: &Request) -> Response {
        Response::new(Payload::raw(self))
    }
}

impl IntoReply for Vec<u8> {
    fn into_reply(self, _request: &Request) -> Response {
        Response::new(Payload::raw(self))
    }
}

impl IntoReply for String {
    fn into_reply(self, _request: &Request) -> Response {
        Response::new(Payload::raw(self))
    }
}

impl IntoReply for &'static str {
    fn into_reply(self, _request: &Request) -> Response {
        Response::new(Payload::raw(self))
    }
}

/// The body of a message, with its encoding: what an echo returns.
impl IntoReply for Message {
    fn into_reply(self, _request: &Request) -> Response {
        Response::new(Payload::encoded(self.body(), self.encoding()))
    }
}

impl<T: Serialize> IntoReply for Body<T> {
    fn into_reply(self, request: &Request) -> Response {
        match Payload::answering(&self.0, request.message().encoding()) {
            Ok(payload) => Response::new(payload),
            Err(error) => Response::refused(error.code(), format!("{}: {}", error.message(), error.cause())),
        }
    }
}

impl<T: IntoReply, E: Into<Failure>> IntoReply for Result<T, E> {
    fn into_reply(self, request: &Request) -> Response {
        match self {
            Ok(reply) => reply.into_reply(request),
            Err(error) => Response::failed(error.into()),
        }
    }
}
