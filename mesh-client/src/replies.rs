//! Several replies to one request.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::error::Error;
use crate::message::Message;
use crate::unfinished::unfinished;

/// The replies to one request, as they come: a series of one responder, or one each of several. A `Stream` with a
/// bounded buffer; more is asked for as they are taken. Dropping it cancels what is under way.
///
/// It ends after the last reply. An error is the last item, except that of a gather's single responder
/// ([`Error::failure`] is there), after which others may come.
#[derive(Debug)]
pub struct Replies {}

impl Replies {
    /// The next reply; `None` after the last.
    ///
    /// # Cancel safety
    /// Safe: no reply is lost.
    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Replies {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        unfinished()
    }
}
