//! Without the feature `otel`: nothing, at no cost.

use crate::error::Error;
use crate::message::Message;
use crate::outgoing::Outgoing;
use crate::serve::Response;

#[inline]
pub(crate) const fn is_active() -> bool {
    false
}

#[inline]
pub(crate) fn inject_current(_message: &mut Outgoing<'_>) {}

#[derive(Debug)]
pub(crate) struct RequestSpan;

impl RequestSpan {
    #[inline]
    pub(crate) const fn none() -> Self {
        Self
    }

    #[inline]
    pub(crate) fn start(_message: &mut Outgoing<'_>) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn end(&self, _result: &Result<Message, Error>) {}
}

pub(crate) struct ServeSpan;

impl ServeSpan {
    #[inline]
    pub(crate) fn start(_message: &Message, _pattern: &str) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        work()
    }

    #[inline]
    pub(crate) fn end(&self, _response: &Response) {}
}
