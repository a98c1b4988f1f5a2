//! Ending in good order.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use crate::client::Client;
use crate::error::Error;
use crate::unfinished::unfinished;

/// Ends a client in good order, when awaited; see [`Client::drain`].
///
/// # Errors
/// [`Code::DrainTimeout`](crate::Code::DrainTimeout) when handlers did not finish before the deadline; the connection
/// is closed all the same.
///
/// # Cancel safety
/// What was begun goes on: services stay deregistered. Calling it again waits again.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct DrainBuilder<'a> {
    _client: &'a Client,
}

impl<'a> DrainBuilder<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { _client: client }
    }

    /// How long handlers may take to finish. 20 seconds by default.
    pub fn deadline(self, _deadline: Duration) -> Self {
        self
    }
}

impl<'a> IntoFuture for DrainBuilder<'a> {
    type Output = Result<(), Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        unfinished()
    }
}
