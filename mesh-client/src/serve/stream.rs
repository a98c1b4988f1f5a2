//! Replies in a series.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::reply::Series;
use super::{IntoReply, Request, Response};

/// A series of replies, made from a stream. Each item waits for the requester's credit; a failure ends the series.
///
/// A requester that asked for one reply gets the first item, and the rest is not asked for.
///
/// ```no_run
/// use mesh_client::serve::{Body, ReplyStream};
/// # fn count_to(_n: u32) -> impl futures_core::Stream<Item = String> + Send + 'static { futures_util::stream::empty() }
///
/// async fn count(Body(to): Body<u32>) -> ReplyStream {
///     ReplyStream::new(count_to(to))
/// }
/// # async fn example(mesh: mesh_client::Client) -> Result<(), mesh_client::Error> {
/// # let _server = mesh.serve("counter").handle("count", count).spawn().await?; Ok(())
/// # }
/// ```
pub struct ReplyStream {
    make: Box<dyn FnOnce(&Request) -> Series + Send>,
}

impl ReplyStream {
    /// A series with one reply for each item.
    pub fn new<T, St>(stream: St) -> Self
    where
        St: Stream<Item = T> + Send + 'static,
        T: IntoReply,
    {
        let make = |request: &Request| {
            let series: Series = Box::pin(Replying { stream: Box::pin(stream), request: request.clone() });
            series
        };
        Self { make: Box::new(make) }
    }
}

impl std::fmt::Debug for ReplyStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReplyStream").finish_non_exhaustive()
    }
}

impl IntoReply for ReplyStream {
    fn into_reply(self, request: &Request) -> Response {
        Response::series((self.make)(request))
    }
}

/// Makes each item a response.
struct Replying<St> {
    stream: Pin<Box<St>>,
    request: Request,
}

impl<St: Stream> Stream for Replying<St>
where
    St::Item: IntoReply,
{
    type Item = Response;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Response>> {
        let item = std::task::ready!(self.stream.as_mut().poll_next(cx));
        Poll::Ready(item.map(|item| item.into_reply(&self.request)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}
