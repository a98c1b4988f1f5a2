//! Moves bytes: the outbox to the lanes, the lanes to whom it is for.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use mesh_identity::store::Store;
use mesh_transport::link::{Closed, Handle, Outbound};
use mesh_wire::class::Class;
use tokio::time::Sleep;

use super::dispatch::{Dispatch, LinkEnd};
use super::handshake::Opened;
use super::lanes::{Lanes, Looked};
use super::outbox::{LaneMap, Spares};
use super::restore::Restoring;
use super::shared::Shared;

/// How long the other lanes are read after the node said goodbye.
const FAREWELL: Duration = Duration::from_secs(2);

/// One open link. To be polled by one task.
#[derive(Debug)]
pub(crate) struct Pump {
    lanes: Lanes,
    outbound: Outbound,
    handle: Handle,
    /// Whether one lane carries everything.
    shared_lane: bool,
    dispatch: Dispatch,
    /// What is being written to each lane, and how far it is.
    writing: [Bytes; Class::COUNT],
    written: [usize; Class::COUNT],
    spares: Spares,
    /// Why the link is over, while lanes are read to their end.
    farewell: Option<(LinkEnd, Pin<Box<Sleep>>)>,
    /// Why the link was over when that was told: whoever asks again is told again.
    over: Option<LinkEnd>,
    timer: Pin<Box<Sleep>>,
    armed: Option<Instant>,
    shared: Arc<Shared>,
}

impl Pump {
    /// For a link on which `restoring` was asked for.
    pub(crate) fn new(opened: Opened, shared: Arc<Shared>, restoring: Restoring) -> Self {
        let shared_lane = opened.outbound.lanes() == 1;
        Self {
            lanes: Lanes::new(opened.inbound, opened.lane, opened.rest, shared_lane),
            outbound: opened.outbound,
            handle: opened.handle,
            shared_lane,
            dispatch: Dispatch::new(Arc::clone(&shared), opened.node, restoring),
            writing: Default::default(),
            written: [0; Class::COUNT],
            spares: Spares::default(),
            farewell: None,
            over: None,
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            armed: None,
            shared,
        }
    }

    /// Whether the node has still to confirm what was subscribed before.
    pub(crate) fn is_restoring(&self) -> bool {
        self.dispatch.is_restoring()
    }

    /// Whether the node said that it is leaving.
    pub(crate) fn is_draining(&self) -> bool {
        self.dispatch.is_draining()
    }

    /// Reads and writes until the link is over, and stays ready then.
    pub(crate) fn poll_run(&mut self, cx: &mut Context<'_>) -> Poll<LinkEnd> {
        if let Some(end) = &self.over {
            return Poll::Ready(end.clone());
        }
        let polled = self.poll_lanes(cx);
        if let Poll::Ready(end) = &polled {
            self.over = Some(end.clone());
        }
        polled
    }

    fn poll_lanes(&mut self, cx: &mut Context<'_>) -> Poll<LinkEnd> {
        // Reading comes first: what it makes us say goes out with the same write.
        if let Poll::Ready(end) = self.poll_read(cx) {
            return Poll::Ready(end);
        }
        if self.farewell.is_none()
            && let Poll::Ready(Err(error)) = self.poll_write(cx)
            && let Some(end) = self.ending(LinkEnd::of(&error))
        {
            return Poll::Ready(end);
        }
        self.poll_deadlines(cx);
        Poll::Pending
    }

    /// Whether the node's certificate has to be looked at from time to time.
    pub(crate) fn is_certified(&self) -> bool {
        self.handle.certificate().is_some()
    }

    /// Looks at the node's certificate again: one that was revoked or has expired since ends the link.
    pub(crate) fn recheck(&self, store: &Store) -> Option<LinkEnd> {
        let certificate = self.handle.certificate()?;
        let error = store.recheck(&certificate, SystemTime::now()).err()?;
        let cause = error.to_string();
        self.handle.close(error.code(), &cause);
        Some(LinkEnd::closed(&Closed::new(error.code(), cause)))
    }

    /// Whether nothing waits to be written.
    pub(crate) fn is_flushed(&self) -> bool {
        self.writing.iter().all(Bytes::is_empty) && self.shared.outbox.is_empty()
    }

    /// Says that nothing follows and waits until the node has everything, then closes the link. To be bounded in time by
    /// the caller.
    pub(crate) async fn finish(mut self) {
        // A link that is over already has nothing left to finish.
        drop(self.outbound.finish().await);
        self.handle.leave();
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<LinkEnd> {
        loop {
            match self.lanes.look(cx, &mut self.dispatch) {
                Ok(Looked::Dry) => break,
                Ok(Looked::More) => {
                    cx.waker().wake_by_ref();
                    break;
                }
                Err(end) => {
                    if let Some(end) = self.ending(end) {
                        return Poll::Ready(end);
                    }
                    // Not for good: a lane fewer is looked at.
                }
            }
            if self.farewell.is_some() && self.lanes.are_over() {
                break;
            }
        }
        let Some((_, timer)) = &mut self.farewell else { return Poll::Pending };
        if !self.lanes.are_over() && timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.farewell.take().map_or(Poll::Pending, |(end, _)| Poll::Ready(end))
    }

    /// What to do about an end: a link that has other lanes reads them before it is over, unless the node broke rules.
    fn ending(&mut self, end: LinkEnd) -> Option<LinkEnd> {
        // The carrier may know better why a link was lost than the lane on which it showed.
        let end = match (end, closed_now(&self.handle)) {
            (LinkEnd::Lost(_), Some(closed)) => LinkEnd::closed(&closed),
            (end, _) => end,
        };
        if let Some((known, _)) = &mut self.farewell {
            if matches!(known, LinkEnd::Lost(_)) && matches!(end, LinkEnd::Told(_)) {
                *known = end;
            }
            return None;
        }
        if self.shared_lane || matches!(end, LinkEnd::Protocol(_)) {
            return Some(end);
        }
        self.farewell = Some((end, Box::pin(tokio::time::sleep(FAREWELL))));
        None
    }

    /// Pending when there is nothing to write, or no room to write it.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let lanes = self.outbound.lanes().min(Class::COUNT);
        loop {
            for lane in 0..lanes {
                // A lane without room holds up no other.
                if let Poll::Ready(Err(error)) = self.poll_write_lane(lane, cx) {
                    return Poll::Ready(Err(error));
                }
            }
            if !self.shared.outbox.take(&mut self.writing[..lanes], &mut self.spares, cx) {
                return Poll::Pending;
            }
        }
    }

    /// Ready when everything that was taken for the lane is written.
    fn poll_write_lane(&mut self, lane: usize, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (bytes, written) = (&mut self.writing[lane], &mut self.written[lane]);
        while !bytes.is_empty() {
            let polled = match *written {
                0 => self.outbound.poll_write(lane, cx, std::slice::from_ref(bytes)),
                at => self.outbound.poll_write(lane, cx, &[bytes.slice(at..)]),
            };
            match std::task::ready!(polled) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(more) => *written += more,
                Err(error) => return Poll::Ready(Err(error)),
            }
            if *written >= bytes.len() {
                *written = 0;
                self.spares.give(std::mem::take(bytes));
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_deadlines(&mut self, cx: &mut Context<'_>) {
        let next = self.shared.requests.lock().poll_timeout();
        let Some(next) = next else { return };
        if self.armed != Some(next) {
            self.armed = Some(next);
            self.timer.as_mut().reset(next.into());
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            let mut wakers = Vec::new();
            let next = {
                let mut requests = self.shared.requests.lock();
                requests.handle_time(Instant::now(), &mut wakers);
                requests.poll_timeout()
            };
            wakers.into_iter().for_each(Waker::wake);
            self.armed = next;
            let Some(next) = next else { return };
            self.timer.as_mut().reset(next.into());
        }
    }
}

/// Why the carrier says that the link is over, if it does by now.
pub(crate) fn closed_now(handle: &Handle) -> Option<Closed> {
    match pin!(handle.closed()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(closed) => Some(closed),
        Poll::Pending => None,
    }
}

/// The lanes that `opened` writes to.
pub(crate) fn lane_map(opened: &Opened) -> LaneMap {
    LaneMap::of(&opened.outbound)
}
