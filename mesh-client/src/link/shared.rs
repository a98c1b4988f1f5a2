//! What all handles of one client and its task share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::Duration;

use foldhash::fast::RandomState;
use mesh_wire::body::SubscribeV1;
use mesh_wire::code::Code;
use mesh_wire::frame::{FrameError, Kind, Parts};
use mesh_wire::limits;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::feed::{End, Feed};
use super::hub::Hub;
use super::outbox::{Outbox, Refusal};
use crate::error::Error;
use crate::event::ConnectionEvent;
use crate::message::Message;
use crate::node_info::NodeInfo;
use crate::serve::ServerState;
use crate::state::budget::RetryBudget;
use crate::state::requests::{Ended, Requests};
use crate::subscribe::SlowPolicy;

/// How far a client is with its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Open,
    /// What is in the outbox is still written.
    Closing,
    Closed,
}

/// Locks are taken in this order, where several are held: `feeds`, a feed's own, `requests`, a
/// producer's own, the outbox's own. `lines` is never held while another one is taken.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) outbox: Outbox,
    pub(crate) requests: Mutex<Requests<Message, Waker>>,
    pub(crate) feeds: Mutex<Feeds>,
    /// Producers, by their number.
    #[cfg(feature = "registers")]
    pub(crate) lines: Mutex<crate::durable::lines::Lines>,
    /// How long the node is borne with that can't serve what is kept.
    #[cfg(feature = "registers")]
    pub(crate) patience: crate::durable::patience::Patience,
    pub(crate) hub: Hub,
    pub(crate) budget: Mutex<RetryBudget>,
    pub(crate) node: Mutex<Option<NodeInfo>>,
    pub(crate) stage: watch::Sender<Stage>,
    pub(crate) servers: Mutex<Vec<Weak<ServerState>>>,
    pub(crate) name: String,
    pub(crate) request_timeout: Duration,
    body_bytes_max: AtomicU64,
}

#[derive(Debug, Default)]
pub(crate) struct Feeds {
    pub(crate) by_id: HashMap<u32, Arc<Feed>, RandomState>,
    last: u32,
}

impl Shared {
    pub(crate) fn new(name: String, request_timeout: Duration) -> Self {
        Self {
            outbox: Outbox::new(),
            requests: Mutex::new(Requests::new(limits::REQUESTS_PER_LINK)),
            feeds: Mutex::default(),
            #[cfg(feature = "registers")]
            lines: Mutex::default(),
            #[cfg(feature = "registers")]
            patience: crate::durable::patience::Patience::default(),
            hub: Hub::default(),
            budget: Mutex::new(RetryBudget::new()),
            node: Mutex::new(None),
            stage: watch::Sender::new(Stage::Open),
            servers: Mutex::default(),
            name,
            request_timeout,
            body_bytes_max: AtomicU64::new(limits::BODY_BYTES_DEFAULT as u64),
        }
    }

    /// The largest body that the node takes, in bytes.
    pub(crate) fn body_bytes_max(&self) -> u64 {
        self.body_bytes_max.load(Ordering::Relaxed)
    }

    /// The node of the link that is being opened takes bodies of at most so many bytes.
    pub(crate) fn set_body_bytes_max(&self, bytes: u64) {
        self.body_bytes_max.store(bytes, Ordering::Relaxed);
    }

    /// Adds a feed and asks the node for it; without a link, the next one will.
    pub(crate) fn add_feed(
        &self,
        pattern: &str,
        policy: SlowPolicy,
        spec: SubscribeV1,
    ) -> Result<Arc<Feed>, Error> {
        let body = mesh_wire::body::encode(&spec)
            .map_err(|error| Error::of(error.code()).with_cause(error.to_string()))?;
        // Held until the frame is out: a link that comes up meanwhile would ask for it a second time.
        let mut feeds = self.feeds.lock();
        if feeds.by_id.len() >= limits::SUBSCRIPTIONS_PER_LINK {
            return Err(Error::of(Code::TooManySubscriptions));
        }
        let id = feeds.free_id();
        let feed = Arc::new(Feed::new(id, pattern, policy, spec));
        let parts = Parts { subject: pattern.as_bytes(), ..Parts::bare(Kind::Subscribe, id.into()) };
        match self.outbox.try_control(&parts.body(&body)) {
            Ok(epoch) => feed.set_epoch(epoch),
            Err(Refusal::Down) => {}
            Err(refusal) => return Err(self.refused(refusal, pattern)),
        }
        feeds.by_id.insert(id, Arc::clone(&feed));
        Ok(feed)
    }

    /// Ends a feed for its owner: the node forgets it too.
    pub(crate) fn remove_feed(&self, feed: &Feed) {
        let mut feeds = self.feeds.lock();
        if feeds.by_id.remove(&feed.id).is_some() {
            self.outbox.push_control(&Parts::bare(Kind::Unsubscribe, feed.id.into()));
        }
        drop(feeds);
        feed.end(End::OnPurpose);
    }

    /// Ends a feed for its owner once the node says that nothing comes for it any more.
    pub(crate) fn retire_feed(&self, feed: &Feed) {
        let mut feeds = self.feeds.lock();
        if !feeds.by_id.contains_key(&feed.id) || !feed.retire() {
            return;
        }
        if self.outbox.try_control(&Parts::bare(Kind::Unsubscribe, feed.id.into())).is_err() {
            feeds.by_id.remove(&feed.id);
            feed.end(End::OnPurpose);
        }
    }

    /// The link is gone, and with it what was on its way: nobody waits for the node to say that nothing comes any more.
    pub(crate) fn end_retired_feeds(&self) {
        let mut retired = Vec::new();
        self.feeds.lock().by_id.retain(|_, feed| {
            let keep = !feed.is_retired();
            if !keep {
                retired.push(Arc::clone(feed));
            }
            keep
        });
        retired.into_iter().for_each(|feed| feed.end(End::OnPurpose));
    }

    /// Forgets a request whose owner is gone, and cancels it if it is under way.
    pub(crate) fn close_request(&self, id: u64) {
        let mut requests = self.requests.lock();
        if requests.close(id) {
            self.outbox.push_control(&Parts::bare(Kind::Cancel, id));
        }
    }

    /// Everything under way ends for the same reason, but what producers put: that waits for the next link.
    pub(crate) fn end_requests(&self, why: &Ended) {
        let mut wakers = Vec::new();
        self.requests.lock().handle_all(why, &mut wakers);
        wakers.into_iter().for_each(Waker::wake);
        #[cfg(feature = "registers")]
        crate::durable::lines::handle_link(&self.lines, *why == Ended::Closed);
    }

    /// Whether the link owes no answer.
    pub(crate) fn is_answered(&self) -> bool {
        #[cfg(feature = "registers")]
        if !crate::durable::lines::are_quiet(&self.lines) {
            return false;
        }
        self.requests.lock().is_idle()
    }

    pub(crate) fn tell_error(&self, error: Error) {
        self.hub.tell(&ConnectionEvent::Error { error: Arc::new(error) });
    }

    /// Asks the task to end once everything is written.
    pub(crate) fn close(&self) {
        self.stage.send_if_modified(|stage| {
            let open = *stage == Stage::Open;
            if open {
                *stage = Stage::Closing;
            }
            open
        });
    }

    /// Why something to `subject` could not be sent.
    pub(crate) fn refused(&self, refusal: Refusal, subject: &str) -> Error {
        match refusal {
            Refusal::Down | Refusal::Stale => Error::of(Code::NotConnected),
            Refusal::Closed => Error::of(Code::ClientClosed),
            Refusal::Subject(error) => {
                Error::new(error.code(), format!("{subject:?} is not a subject to send to"))
                    .with_cause(error.to_string())
            }
            Refusal::Frame(error) => frame_error(error),
        }
    }
}

/// Why a message does not fit into a frame.
pub(crate) fn frame_error(error: FrameError) -> Error {
    Error::of(error.code()).with_cause(error.to_string())
}

impl Feeds {
    /// Numbers rise, so that what is on its way for an ended feed never reaches a new one.
    fn free_id(&mut self) -> u32 {
        loop {
            self.last = self.last.wrapping_add(1);
            if !self.by_id.contains_key(&self.last) {
                return self.last;
            }
        }
    }
}
