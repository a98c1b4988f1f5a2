//! One handler of a running service: takes its calls, runs them, answers.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use mesh_wire::code::Code;
use mesh_wire::ext::Tag;
use mesh_wire::frame::{Flags, Kind};
use tokio::sync::Semaphore;

use super::answering::Recipient;
use super::calls::Calls;
use super::probe::About;
use super::reply::Answer;
use super::route::{Answering, Route};
use super::{Request, Response};
use crate::link::feed::Feed;
use crate::link::outbox::{Epoch, Place};
use crate::link::shared::Shared;
use crate::message::Message;
use crate::payload::{Encoding, Payload};
use crate::state::pace::Pace;
use crate::subscription::Local;
use crate::trace::ServeSpan;

/// Takes the calls of one responder until its feed ends.
pub(crate) struct Endpoint {
    pub(crate) shared: Arc<Shared>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) route: Route,
    pub(crate) about: Arc<About>,
    pub(crate) calls: Arc<Calls>,
    local: Local,
    epoch: Epoch,
    pace: Pace,
}

impl Endpoint {
    pub(crate) fn new(shared: Arc<Shared>, feed: Arc<Feed>, route: Route, about: Arc<About>) -> Self {
        let calls = Arc::default();
        let epoch = feed.epoch();
        Self { shared, feed, route, about, calls, local: Local::default(), epoch, pace: Pace::default() }
    }

    /// Runs until the feed has ended and all its calls are answered.
    pub(crate) async fn run(mut self) {
        std::future::poll_fn(|cx| self.poll_calls(cx)).await;
        self.calls.idle().await;
    }

    fn poll_calls(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let mut last = Instant::now();
            while let Some(message) = self.local.next() {
                self.handle(message, last, cx);
                if !self.pace.handle_call() {
                    continue;
                }
                let now = Instant::now();
                let took = now - last;
                last = now;
                if self.pace.handle_time(took) {
                    // Replies that are done leave before the next are worked on.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
            let Some(epoch) = ready!(self.feed.poll_take(self.local.items(), self.epoch, cx)) else {
                return Poll::Ready(());
            };
            if epoch != self.epoch {
                // Whoever asked was told that the responder is gone.
                self.epoch = epoch;
                self.calls.abort_all();
            }
        }
    }

    fn handle(&mut self, message: Message, now: Instant, cx: &mut Context<'_>) {
        let id = message.id();
        match message.kind_byte() {
            kind if kind == Kind::Call as u8 => self.handle_call(message, now, cx),
            kind if kind == Kind::Cancel as u8 => self.calls.abort(id),
            kind if kind == Kind::ReplyCredit as u8 => self.calls.add_credit(id, message.aux()),
            // The inbox sends nothing else here.
            _ => {}
        }
    }

    fn handle_call(&mut self, message: Message, now: Instant, cx: &mut Context<'_>) {
        let credit = message.ext().get_u32(Tag::REPLY_CREDIT);
        let recipient = Recipient { epoch: self.epoch, call: message.id(), takes_series: credit.is_some() };
        let credit = credit.unwrap_or(0);
        if message.flags().contains(Flags::PROBE) {
            return self.finish(recipient, self.probed(), credit, cx);
        }
        self.calls.count();
        let span = ServeSpan::start(&message, &self.feed.pattern);
        let answering = span.in_scope(|| start(&self.route, Request::new(message, now)));
        let mut running = Guarded { answering, span };
        if !self.pace.take_spawn()
            && let Poll::Ready(response) = Pin::new(&mut running).poll(cx)
        {
            return self.finish(recipient, response, credit, cx);
        }
        let (shared, calls) = (Arc::clone(&self.shared), Arc::clone(&self.calls));
        let credit = Arc::new(Semaphore::new(credit as usize));
        self.calls.spawn(recipient.call, Arc::clone(&credit), async move {
            let response = running.await;
            recipient.answer(shared, calls, response, credit).await;
        });
    }

    /// Answers a call that has no task; it gets one when the outbox is full or the answer is a series.
    fn finish(&self, recipient: Recipient, response: Response, credit: u32, cx: &mut Context<'_>) {
        let mut place = Place::default();
        if !matches!(response.answer, Answer::Series(_))
            && recipient.poll_reply(&self.shared, &response, false, &mut place, cx).is_ready()
        {
            return;
        }
        let (shared, calls) = (Arc::clone(&self.shared), Arc::clone(&self.calls));
        let credit = Arc::new(Semaphore::new(credit as usize));
        let answer = recipient.answer(shared, calls, response, Arc::clone(&credit));
        self.calls.spawn(recipient.call, credit, answer);
    }

    fn probed(&self) -> Response {
        let link = self.shared.node.lock().as_ref().map_or(0, |node| node.link);
        let json = self.about.to_json(link, &self.feed.pattern, self.calls.taken(), self.calls.running());
        Response::new(Payload::encoded(json, Encoding::Json))
    }
}

/// Starts the handler; a panic on the way is an answer, too.
fn start(route: &Route, request: Request) -> Answering {
    match catch_unwind(AssertUnwindSafe(|| route.call(request))) {
        Ok(answering) => answering,
        Err(panic) => {
            let response = panicked(&panic);
            Box::pin(std::future::ready(response))
        }
    }
}

/// A handler whose panic is answered, and ends nothing but its call.
struct Guarded {
    answering: Answering,
    span: ServeSpan,
}

impl Future for Guarded {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response> {
        let Self { answering, span } = &mut *self;
        let polled = catch_unwind(AssertUnwindSafe(|| span.in_scope(|| answering.as_mut().poll(cx))));
        let response = match polled {
            Ok(polled) => ready!(polled),
            Err(panic) => panicked(&panic),
        };
        span.end(&response);
        Poll::Ready(response)
    }
}

fn panicked(panic: &Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "the handler panicked".to_owned());
    Response::refused(Code::HandlerPanicked, text)
}
