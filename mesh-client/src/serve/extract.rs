//! What handlers take.

use std::time::{Duration, Instant};

use bytes::Bytes;
use mesh_wire::code::Code;
use mesh_wire::header::Headers;
use serde::de::DeserializeOwned;

use super::{Request, Response};
use crate::message::Message;

/// What a handler can take as an argument: made from the request and the service's state.
pub trait FromRequest<S>: Sized {
    /// Makes it.
    ///
    /// # Errors
    /// The response to be sent instead of running the handler.
    fn from_request(request: &Request, state: &S) -> Result<Self, Response>;
}

/// The body as a value, or a value as the reply's body.
///
/// Taken: decoded as [`Message::decode`] says; what can't be decoded is answered with [`Code::RequestBodyInvalid`].
/// Given: in postcard, or in JSON when the request came in JSON or unmarked and the feature `json` is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body<T>(pub T);

/// The body as bytes, sharing the read buffer's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw(pub Bytes);

/// The subject that was requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject(pub String);

/// When the requester stops waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(pub Instant);

impl Deadline {
    /// What is left of it: the timeout for what the handler itself asks of others.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// Who asked, as the node that they are linked to asserts: `spiffe://CLUSTER/service/NAME` where they showed a
/// certificate or a token, `unix:uid=UID` on a Unix socket. A caller cannot choose it.
///
/// A handler that takes it is not run for calls without it: those are answered with [`Code::PermissionDenied`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(pub String);

impl Caller {
    /// The service's name, where the caller is one: the last part of `spiffe://CLUSTER/service/NAME`.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        let (_cluster, path) = self.0.strip_prefix("spiffe://")?.split_once('/')?;
        path.strip_prefix("service/").filter(|name| !name.is_empty() && !name.contains('/'))
    }
}

/// What the service was given by [`ServiceBuilder::state`](super::ServiceBuilder::state), cloned.
#[derive(Debug, Clone, Copy)]
pub struct State<S>(pub S);

impl<S, T: DeserializeOwned> FromRequest<S> for Body<T> {
    fn from_request(request: &Request, _state: &S) -> Result<Self, Response> {
        request.message().decode().map(Self).map_err(|error| {
            Response::refused(Code::RequestBodyInvalid, format!("{}: {}", error.message(), error.cause()))
        })
    }
}

impl<S> FromRequest<S> for Raw {
    fn from_request(request: &Request, _state: &S) -> Result<Self, Response> {
        Ok(Self(request.message().body()))
    }
}

impl<S> FromRequest<S> for Headers {
    fn from_request(request: &Request, _state: &S) -> Result<Self, Response> {
        Ok(request.message().to_headers())
    }
}

impl<S> FromRequest<S> for Subject {
    fn from_request(request: &Request, _state: &S) -> Result<Self, Response> {
        Ok(Self(request.message().subject().to_owned()))
    }
}

impl<S> FromRequest<S> for Deadline {
    fn from_request(request: &Request, _state: &S) -> Result<Self, Response> {
        Ok(Self(request.deadline()))
    }
}

impl<S> FromRequest<S> for Caller {
    fn from_request(request: &Request, _state: &S) -> Result<Self, Response> {
        let caller = request.caller().map(|caller| Self(caller.to_owned()));
        caller.ok_or_else(|| Response::refused(Code::PermissionDenied, "the node did not say who calls"))
    }
}

impl<S> FromRequest<S> for Message {
    fn from_request(request: &Request, _state: &S) -> Result<Self, Response> {
        Ok(request.message().clone())
    }
}

impl<S> FromRequest<S> for Request {
    fn from_request(request: &Request, _state: &S) -> Result<Self, Response> {
        Ok(request.clone())
    }
}

impl<S: Clone> FromRequest<S> for State<S> {
    fn from_request(_request: &Request, state: &S) -> Result<Self, Response> {
        Ok(Self(state.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_told_by_its_name() {
        for (caller, service) in [
            ("spiffe://prod/service/orders", Some("orders")),
            ("spiffe://prod/service/", None),
            ("spiffe://prod/service/a/b", None),
            ("spiffe://prod/node/a", None),
            ("spiffe://prod", None),
            ("unix:uid=0", None),
            ("service/orders", None),
        ] {
            assert_eq!(Caller(caller.to_owned()).service(), service, "{caller}");
        }
    }
}
