//! Sending a response: one reply, or a series with the requester's credit.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use mesh_wire::chunk;
use mesh_wire::code::Code;
use mesh_wire::ext::Tag;
use mesh_wire::frame::{Flags, Kind, Parts};
use tokio::sync::Semaphore;

use super::Response;
use super::calls::Calls;
use super::reply::{Answer, Series};
use crate::answer::{END_OF_SERIES, OWN_CODE};
use crate::link::outbox::{Epoch, Place, Refusal};
use crate::link::shared::Shared;
use crate::payload::Encoding;

/// Bytes of the text of a failure at most.
const FAILURE_TEXT_BYTES: usize = 16 * 1024;

/// Where the answer to one call goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recipient {
    pub(crate) epoch: Epoch,
    pub(crate) call: u64,
    /// Whether the requester takes a series.
    pub(crate) takes_series: bool,
}

impl Recipient {
    /// Sends a response that is no series; `more` when others follow. Ready when it stands in the outbox, or can't be
    /// sent any more.
    pub(crate) fn poll_reply(
        &self,
        shared: &Shared,
        response: &Response,
        more: bool,
        place: &mut Place,
        cx: &Context<'_>,
    ) -> Poll<()> {
        let mut flags = if more { Flags::MORE } else { Flags::NONE };
        let mut large = None;
        let mut parts = Parts { headers: response.headers.as_bytes(), ..Parts::bare(Kind::Reply, self.call) };
        let entry;
        match &response.answer {
            Answer::One(payload) => {
                if payload.encoding() != Encoding::Raw {
                    entry = [Tag::ENCODING.0, 1, payload.encoding().to_byte()];
                    parts.ext = &entry;
                }
                if payload.as_bytes().len() as u64 > shared.body_bytes_max() {
                    let limit = format!("the reply has {} bytes", payload.as_bytes().len());
                    return self.poll_reply(
                        shared,
                        &Response::refused(Code::BodyTooLarge, limit),
                        false,
                        place,
                        cx,
                    );
                }
                if chunk::needs_chunks(payload.as_bytes().len()) {
                    large = Some(payload.to_shared());
                } else {
                    parts.body = payload.as_bytes();
                }
            }
            Answer::Failed { number, text } => {
                flags = Flags::FAILED;
                parts.aux = *number;
                parts.body = text.as_bytes().get(..FAILURE_TEXT_BYTES).unwrap_or(text.as_bytes());
            }
            Answer::Series(_) => {
                flags = Flags::FAILED;
                parts.aux = OWN_CODE | u32::from(Code::InternalError.number());
                parts.body = b"a series inside a series";
            }
        }
        parts.flags = flags;
        self.poll_parts(shared, &parts, large.as_ref(), place, cx)
    }

    fn poll_parts(
        &self,
        shared: &Shared,
        parts: &Parts<'_>,
        large: Option<&Bytes>,
        place: &mut Place,
        cx: &Context<'_>,
    ) -> Poll<()> {
        match std::task::ready!(shared.outbox.poll_reply(self.epoch, parts, large, place, cx)) {
            // The link that the call came by is gone, and with it who waits.
            Ok(()) | Err(Refusal::Stale) => {}
            Err(refusal) => shared.tell_error(shared.refused(refusal, "a reply")),
        }
        Poll::Ready(())
    }

    /// Sends any response.
    pub(crate) async fn answer(
        self,
        shared: Arc<Shared>,
        calls: Arc<Calls>,
        response: Response,
        credit: Arc<Semaphore>,
    ) {
        match response {
            Response { answer: Answer::Series(series), .. } => {
                self.answer_series(&shared, &calls, series, &credit).await;
            }
            response => self.reply(&shared, &calls, response, false).await,
        }
    }

    async fn reply(&self, shared: &Shared, calls: &Calls, response: Response, more: bool) {
        let mut place = Place::default();
        // Looked at before each try: a reply that nobody waits for is not sent.
        poll_fn(move |cx| match calls.is_running(self.call) {
            true => self.poll_reply(shared, &response, more, &mut place, cx),
            false => Poll::Ready(()),
        })
        .await;
    }

    async fn answer_series(&self, shared: &Shared, calls: &Calls, mut series: Series, credit: &Semaphore) {
        while let Some(item) = poll_fn(|cx| series.as_mut().poll_next(cx)).await {
            let last = item.is_failure() || !self.takes_series;
            if last {
                return self.reply(shared, calls, item, false).await;
            }
            match credit.acquire().await {
                Ok(permit) => permit.forget(),
                Err(_) => return,
            }
            self.reply(shared, calls, item, true).await;
        }
        let end = Parts::bare(Kind::Reply, self.call).aux(END_OF_SERIES);
        let mut place = Place::default();
        poll_fn(|cx| self.poll_parts(shared, &end, None, &mut place, cx)).await;
    }
}
