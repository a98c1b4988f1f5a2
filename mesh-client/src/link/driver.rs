//! The one task of a client: keeps a link up, and ends in good order.

use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, RandomState};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use mesh_wire::code::Code;
use mesh_wire::frame::{Kind, Parts};
use tokio::sync::watch;
use tokio::time::{Interval, Sleep};

use super::dial::{self, Dialer};
use super::dispatch::LinkEnd;
use super::feed::End;
use super::handshake::Opened;
use super::outbox::Epoch;
use super::pump::{Pump, lane_map};
use super::restore;
use super::shared::{Shared, Stage};
use crate::error::Error;
use crate::event::ConnectionEvent;
use crate::reconnect::ReconnectPolicy;
use crate::state::endpoints::Endpoints;
use crate::state::requests::Ended;

/// A link that lived shorter than this was no success: the next attempts go on backing off.
const SETTLED: Duration = Duration::from_secs(1);
/// How long the last bytes may take when a client closes.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the goodbye behind them may take.
const GOODBYE_TIMEOUT: Duration = Duration::from_millis(500);
/// How long the node may take to have everything that was written.
const FINISH_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the certificate of the node is looked at again while a link is up.
const RECHECK_INTERVAL: Duration = Duration::from_secs(1);
/// How long requests under way may hold up the change from a node that drains to another.
const MOVE_TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) struct Driver {
    shared: Arc<Shared>,
    endpoints: Endpoints,
    dialer: Dialer,
    policy: ReconnectPolicy,
    stage: watch::Receiver<Stage>,
    epoch: u64,
    attempt: u32,
}

/// Why no endpoint could be connected to.
pub(crate) struct Unopened {
    /// Why the last one failed, or a better reason of one before it: that a node refuses this client says more than that
    /// one can't be reached, and that more than that none was ever there.
    pub(crate) reason: Error,
    /// Whether one of them may answer later without anybody changing anything here.
    pub(crate) may_open_later: bool,
}

/// Why a link is not served any more.
enum Outcome {
    Lost(LinkEnd),
    Closing,
    Moved(Box<Opened>),
}

/// Why a link is looked after.
enum Step {
    Ended(LinkEnd),
    Closing,
    Draining,
    /// The node can't serve what is kept, and another one may.
    #[cfg(feature = "registers")]
    Unserved,
}

impl Driver {
    pub(crate) fn new(
        shared: Arc<Shared>,
        endpoints: Endpoints,
        dialer: Dialer,
        policy: ReconnectPolicy,
    ) -> Self {
        let stage = shared.stage.subscribe();
        Self { shared, endpoints, dialer, policy, stage, epoch: 0, attempt: 0 }
    }

    /// Tries each endpoint once.
    ///
    /// # Errors
    /// Why none could be connected to.
    pub(crate) async fn open_any(&mut self) -> Result<Opened, Unopened> {
        let mut reason: Option<Error> = None;
        let mut may_open_later = false;
        for _ in 0..self.endpoints.len() {
            match self.open().await {
                Ok(opened) => return Ok(opened),
                Err(error) => {
                    self.endpoints.advance();
                    may_open_later |= error.is_retryable();
                    if reason.as_ref().is_none_or(|known| telling(known) <= telling(&error)) {
                        reason = Some(error);
                    }
                }
            }
        }
        let reason = reason.unwrap_or_else(|| Error::of(Code::ConnectFailed));
        Err(Unopened { reason, may_open_later })
    }

    async fn open(&self) -> Result<Opened, Error> {
        self.dialer.open(self.endpoints.current()).await
    }

    /// Opens a link as the policy says; `None` when the client closes meanwhile.
    pub(crate) async fn reopen(&mut self) -> Option<Result<Opened, Error>> {
        let mut last: Option<Error> = None;
        loop {
            self.attempt = self.attempt.saturating_add(1);
            let random = RandomState::new().hash_one(self.attempt);
            let Some(delay) = self.policy.delay(self.attempt, random) else {
                let error = Error::of(Code::ReconnectGaveUp);
                return Some(Err(match last {
                    Some(last) => error.with_cause(last.to_string()).with_source(last),
                    None => error.with_cause("the client was told not to connect again"),
                }));
            };
            self.shared.hub.tell(&ConnectionEvent::Reconnecting { attempt: self.attempt, delay });
            self.unless_closing(tokio::time::sleep(delay)).await?;
            match self.unless_closing(self.open()).await? {
                Ok(opened) => return Some(Ok(opened)),
                Err(error) => {
                    self.endpoints.advance();
                    self.shared.tell_error(error.clone());
                    last = Some(error);
                }
            }
        }
    }

    async fn unless_closing<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut stage = self.stage.clone();
        let mut closing = pin!(closing(&mut stage));
        let mut work = pin!(work);
        poll_fn(|cx| {
            if closing.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            work.as_mut().poll(cx).map(Some)
        })
        .await
    }

    /// Puts an open link in its place: what is sent from now on goes there.
    pub(crate) fn install(&mut self, opened: Opened) -> Pump {
        self.epoch += 1;
        self.shared.set_body_bytes_max(opened.node.body_bytes_max);
        let restoring = restore::install(&self.shared, Epoch(self.epoch), lane_map(&opened));
        Pump::new(opened, Arc::clone(&self.shared), restoring)
    }

    /// Runs until the client is closed or gives up.
    pub(crate) async fn run(mut self, first: Pump) {
        let _watch = dial::watch(&self.dialer, &self.shared);
        let mut pump = first;
        let end = loop {
            let since = Instant::now();
            match Box::pin(self.serve(pump)).await {
                Outcome::Moved(next) => {
                    pump = self.install(*next);
                    continue;
                }
                Outcome::Closing => break End::OnPurpose,
                Outcome::Lost(end) => self.take_down(&end),
            }
            if since.elapsed() >= SETTLED {
                self.attempt = 0;
            }
            if self.endpoints.len() > 1 {
                self.endpoints.advance();
            }
            match self.reopen().await {
                Some(Ok(next)) => pump = self.install(next),
                Some(Err(error)) => break End::Failed(error),
                None => break End::OnPurpose,
            }
        };
        self.finish(&end);
    }

    async fn serve(&mut self, mut pump: Pump) -> Outcome {
        let mut settled = self.endpoints.len() == 1;
        let mut clock = Clock::new(self.dialer.timeout(), pump.is_certified());
        loop {
            match self.step(&mut pump, !settled, &mut clock).await {
                Step::Ended(end) => return Outcome::Lost(end),
                Step::Closing => {
                    self.close_link(pump).await;
                    return Outcome::Closing;
                }
                Step::Draining => match self.move_on(&mut pump).await {
                    Some(next) => {
                        self.close_link(pump).await;
                        return Outcome::Moved(Box::new(next));
                    }
                    // Nobody else answers: it stays with this node until that hangs up.
                    None => settled = true,
                },
                #[cfg(feature = "registers")]
                Step::Unserved => {
                    if let Some(next) = self.move_on(&mut pump).await {
                        self.close_link(pump).await;
                        return Outcome::Moved(Box::new(next));
                    }
                }
            }
        }
    }

    async fn step(&mut self, pump: &mut Pump, watch_draining: bool, clock: &mut Clock) -> Step {
        let mut closing = pin!(closing(&mut self.stage));
        let store = self.dialer.store();
        #[cfg(feature = "registers")]
        let has_others = self.endpoints.len() > 1;
        poll_fn(|cx| {
            if closing.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Step::Closing);
            }
            if let Poll::Ready(end) = pump.poll_run(cx) {
                return Poll::Ready(Step::Ended(end));
            }
            while clock.poll_recheck(cx).is_ready() {
                if let Some(end) = pump.recheck(store) {
                    return Poll::Ready(Step::Ended(end));
                }
            }
            if pump.is_restoring() && clock.restored_by.as_mut().poll(cx).is_ready() {
                let reason = "the node did not confirm the subscriptions in time";
                return Poll::Ready(Step::Ended(LinkEnd::Lost(reason.to_owned())));
            }
            if watch_draining && pump.is_draining() {
                return Poll::Ready(Step::Draining);
            }
            #[cfg(feature = "registers")]
            if has_others && self.shared.patience.poll_over(cx).is_ready() {
                return Poll::Ready(Step::Unserved);
            }
            Poll::Pending
        })
        .await
    }

    /// Opens a link to another node while the old one goes on, and then lets requests under way finish.
    async fn move_on(&mut self, pump: &mut Pump) -> Option<Opened> {
        self.endpoints.advance();
        for _ in 1..self.endpoints.len() {
            let opened = {
                let mut opening = pin!(self.open());
                poll_fn(|cx| match opening.as_mut().poll(cx) {
                    Poll::Ready(opened) => Poll::Ready(Some(opened)),
                    // An end of the old link shows again when this is done.
                    Poll::Pending => pump.poll_run(cx).map(|_| None),
                })
                .await
            };
            match opened? {
                Ok(opened) => {
                    self.shared.outbox.pause();
                    let done = |pump: &Pump, shared: &Shared| shared.is_answered() && pump.is_flushed();
                    self.pump_until(pump, MOVE_TIMEOUT, done).await;
                    self.shared.end_requests(&Ended::Lost);
                    return Some(opened);
                }
                Err(error) => {
                    self.endpoints.advance();
                    self.shared.tell_error(error);
                }
            }
        }
        None
    }

    async fn pump_until(&self, pump: &mut Pump, timeout: Duration, done: impl Fn(&Pump, &Shared) -> bool) {
        let pumping = poll_fn(|cx| match pump.poll_run(cx) {
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending if done(pump, &self.shared) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        });
        // Out of time is an end like the others.
        drop(tokio::time::timeout(timeout, pumping).await);
    }

    async fn close_link(&self, mut pump: Pump) {
        self.shared.outbox.pause();
        // First what was taken: smaller frames overtake large messages, and nothing is read behind a goodbye.
        self.pump_until(&mut pump, FLUSH_TIMEOUT, |pump, _| pump.is_flushed()).await;
        self.shared.outbox.push_control(&Parts::bare(Kind::Goodbye, 0));
        self.pump_until(&mut pump, GOODBYE_TIMEOUT, |pump, _| pump.is_flushed()).await;
        // A node that takes nothing has no use for the end of it either.
        let patience = if pump.is_flushed() { FINISH_TIMEOUT } else { Duration::ZERO };
        drop(tokio::time::timeout(patience, pump.finish()).await);
    }

    fn take_down(&self, end: &LinkEnd) {
        self.shared.outbox.down();
        *self.shared.node.lock() = None;
        self.shared.end_requests(&Ended::Lost);
        self.shared.end_retired_feeds();
        self.shared.hub.tell(&ConnectionEvent::Disconnected { reason: end.reason() });
    }

    fn finish(&self, end: &End) {
        self.shared.outbox.close();
        *self.shared.node.lock() = None;
        self.shared.end_requests(&Ended::Closed);
        let feeds = std::mem::take(&mut self.shared.feeds.lock().by_id);
        feeds.into_values().for_each(|feed| feed.end(end.clone()));
        if let End::Failed(error) = end {
            self.shared.tell_error(error.clone());
        }
        self.shared.hub.tell(&ConnectionEvent::Closed);
        self.shared.hub.close();
        self.shared.stage.send_replace(Stage::Closed);
    }
}

/// How much an error tells of why no endpoint could be connected to.
fn telling(error: &Error) -> u8 {
    match error.code() {
        Code::ConnectNoSuchSocket => 0,
        _ if error.is_retryable() => 1,
        _ => 2,
    }
}

/// What happens to a link at its time.
struct Clock {
    /// When the node has to have confirmed what was subscribed before.
    restored_by: Pin<Box<Sleep>>,
    /// When the node's certificate is looked at again.
    recheck: Option<Interval>,
}

impl Clock {
    fn new(restored_within: Duration, certified: bool) -> Self {
        let first = tokio::time::Instant::now() + RECHECK_INTERVAL;
        Self {
            restored_by: Box::pin(tokio::time::sleep(restored_within)),
            recheck: certified.then(|| tokio::time::interval_at(first, RECHECK_INTERVAL)),
        }
    }

    fn poll_recheck(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.recheck {
            Some(recheck) => recheck.poll_tick(cx).map(drop),
            None => Poll::Pending,
        }
    }
}

/// Ready when the client is to be closed.
async fn closing(stage: &mut watch::Receiver<Stage>) {
    // The sender lives in `Shared`, which the driver holds: it can't be gone.
    drop(stage.wait_for(|stage| *stage != Stage::Open).await);
}
