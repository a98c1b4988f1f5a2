//! Several replies to one request.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use futures_core::Stream;
use mesh_wire::code::Code;
use mesh_wire::frame::{Flags, Kind, Parts};
use tokio::time::Sleep;

use crate::answer::{ended_error, is_end_of_series, judge};
use crate::client::Client;
use crate::error::Error;
use crate::link::outbox::Place;
use crate::message::Message;
use crate::outgoing::Outgoing;
use crate::request::attempt::{self, Asked};
use crate::state::credit::Credit;
use crate::state::requests::Ended;
use crate::trace;

/// The replies to one request, as they come: a series of one responder, or one each of several. A `Stream` with a
/// bounded buffer; more is asked for as they are taken. Dropping it cancels what is under way.
///
/// It ends after the last reply. An error is the last item, except that of a gather's single responder
/// ([`Error::failure`] is there), after which others may come.
pub struct Replies {
    client: Client,
    subject: String,
    id: u64,
    until: Until,
    /// Replies given, since credit was returned (a series) or at all (a gather).
    taken: u32,
    timer: Option<Pin<Box<Sleep>>>,
    sent: bool,
    /// Nothing is under way any more.
    ended: bool,
}

/// When the replies end, beside their own end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// At the end of one responder's series, of which this many wait here.
    Series { credit: Credit },
    /// After this many replies, or this long without one.
    Gathered { max: u32, silence: Option<Duration> },
}

impl Until {
    pub(crate) fn series(replies: u32) -> Self {
        Self::Series { credit: Credit::new(replies) }
    }

    fn bound(&self) -> usize {
        match self {
            Self::Series { credit } => credit.capacity() as usize,
            Self::Gathered { max, .. } => *max as usize,
        }
    }
}

impl Replies {
    /// Sends the request and waits for room in the outbox, not for a reply.
    pub(crate) async fn ask(
        client: &Client,
        mut message: Outgoing<'_>,
        asked: Asked,
        flags: Flags,
        until: Until,
    ) -> Result<Self, Error> {
        let shared = client.shared();
        trace::inject_current(&mut message);
        attempt::prepare(&mut message, shared)?;
        let id = shared.requests.lock().open_many(asked.give_up(), until.bound());
        let mut replies = Self {
            client: client.clone(),
            subject: message.subject.to_owned(),
            id: id.ok_or_else(|| Error::of(Code::TooManyRequests))?,
            until,
            taken: 0,
            timer: None,
            sent: false,
            ended: false,
        };
        let large = message.large_body();
        let mut place = Place::default();
        poll_fn(|cx| {
            // Held until it is sent, so that a link that is lost right now takes this request with it or refuses it.
            let mut requests = shared.requests.lock();
            if let Poll::Ready(Err(why)) = requests.poll_many(replies.id, |waiter| note(waiter, cx)) {
                return Poll::Ready(Err(ended_error(why, message.subject)));
            }
            let head = (replies.id, asked.remaining_ms(), flags);
            attempt::poll_send(shared, &message, &large, head, &mut place, cx)
                .map_err(|refusal| shared.refused(refusal, message.subject))
        })
        .await?;
        replies.sent = true;
        Ok(replies)
    }

    /// The next reply; `None` after the last.
    ///
    /// # Cancel safety
    /// Safe: no reply is lost.
    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        poll_fn(|cx| self.poll_reply(cx)).await
    }

    fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = self.client.shared().requests.lock().poll_many(self.id, |waiter| note(waiter, cx));
        match next {
            Poll::Ready(Ok(message)) => Poll::Ready(self.take(message)),
            Poll::Ready(Err(why)) => {
                self.ended = true;
                Poll::Ready(self.last_item(why).map(Err))
            }
            Poll::Pending => {
                if let Some(timer) = &mut self.timer {
                    ready!(timer.as_mut().poll(cx));
                    self.stop();
                    return Poll::Ready(None);
                }
                Poll::Pending
            }
        }
    }

    fn take(&mut self, message: Message) -> Option<Result<Message, Error>> {
        if is_end_of_series(&message) && matches!(self.until, Until::Series { .. }) {
            self.stop();
            return None;
        }
        let reply = judge(message, &self.subject);
        self.taken += 1;
        match self.until {
            Until::Series { credit } => {
                if reply.is_err() {
                    self.stop();
                } else if self.taken >= credit.batch() {
                    let more = Parts::bare(Kind::ReplyCredit, self.id).aux(std::mem::take(&mut self.taken));
                    self.client.shared().outbox.push_control(&more);
                }
            }
            Until::Gathered { max, silence } => {
                if self.taken >= max {
                    self.stop();
                } else if let Some(silence) = silence {
                    self.timer = Some(Box::pin(tokio::time::sleep(silence)));
                }
            }
        }
        Some(reply)
    }

    /// The error that the end is, if it is one.
    fn last_item(&self, why: Ended) -> Option<Error> {
        let deadline = u32::from(Code::RequestDeadline.number());
        match (&self.until, why) {
            (_, Ended::Complete) => None,
            (Until::Gathered { .. }, Ended::Expired) => None,
            (Until::Gathered { .. }, Ended::Code(number)) if number == deadline => None,
            (_, why) => Some(ended_error(why, &self.subject)),
        }
    }

    fn stop(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if self.sent {
            self.client.shared().close_request(self.id);
        } else {
            self.client.shared().requests.lock().close(self.id);
        }
    }
}

fn note(waiter: &mut Option<Waker>, cx: &Context<'_>) {
    match waiter {
        Some(waiter) => waiter.clone_from(cx.waker()),
        none => *none = Some(cx.waker().clone()),
    }
}

impl Stream for Replies {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_reply(cx)
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        self.stop();
    }
}

impl std::fmt::Debug for Replies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replies")
            .field("subject", &self.subject)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
