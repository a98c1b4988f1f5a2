//! Hands connection events to everybody who listens.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use crate::event::ConnectionEvent;

/// Events that wait for one listener; the oldest goes when there are more.
pub(crate) const EVENTS_MAX: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Hub {
    listeners: Mutex<Listeners>,
}

#[derive(Debug, Default)]
struct Listeners {
    all: Vec<Weak<Listener>>,
    closed: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Listener {
    state: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<ConnectionEvent>,
    waker: Option<Waker>,
    closed: bool,
}

impl Hub {
    pub(crate) fn listen(&self) -> Arc<Listener> {
        let listener = Arc::new(Listener::default());
        let mut listeners = self.listeners.lock();
        listener.state.lock().closed = listeners.closed;
        listeners.all.push(Arc::downgrade(&listener));
        listener
    }

    pub(crate) fn tell(&self, event: &ConnectionEvent) {
        self.each(|waiting| {
            if waiting.events.len() == EVENTS_MAX {
                waiting.events.pop_front();
            }
            waiting.events.push_back(event.clone());
        });
    }

    /// No event follows.
    pub(crate) fn close(&self) {
        self.listeners.lock().closed = true;
        self.each(|waiting| waiting.closed = true);
    }

    fn each(&self, mut act: impl FnMut(&mut Waiting)) {
        let mut wakers = Vec::new();
        self.listeners.lock().all.retain(|listener| {
            let Some(listener) = listener.upgrade() else { return false };
            let mut waiting = listener.state.lock();
            act(&mut waiting);
            wakers.extend(waiting.waker.take());
            true
        });
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Listener {
    pub(crate) fn poll_next(&self, cx: &Context<'_>) -> Poll<Option<ConnectionEvent>> {
        let mut waiting = self.state.lock();
        if let Some(event) = waiting.events.pop_front() {
            return Poll::Ready(Some(event));
        }
        if waiting.closed {
            return Poll::Ready(None);
        }
        waiting.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn event(attempt: u32) -> ConnectionEvent {
        ConnectionEvent::Reconnecting { attempt, delay: Duration::ZERO }
    }

    fn drain(listener: &Listener) -> (Vec<u32>, bool) {
        let cx = Context::from_waker(Waker::noop());
        let mut got = Vec::new();
        loop {
            match listener.poll_next(&cx) {
                Poll::Ready(Some(ConnectionEvent::Reconnecting { attempt, .. })) => got.push(attempt),
                Poll::Ready(Some(other)) => panic!("{other:?}"),
                Poll::Ready(None) => return (got, true),
                Poll::Pending => return (got, false),
            }
        }
    }

    #[test]
    fn who_does_not_read_loses_the_oldest() {
        let hub = Hub::default();
        let listener = hub.listen();
        for attempt in 0..EVENTS_MAX as u32 {
            hub.tell(&event(attempt));
        }
        assert_eq!(drain(&listener).0.len(), EVENTS_MAX);
        for attempt in 0..=EVENTS_MAX as u32 {
            hub.tell(&event(attempt));
        }
        let (got, closed) = drain(&listener);
        assert_eq!((got[0], got.len(), closed), (1, EVENTS_MAX, false));
    }

    #[test]
    fn listeners_come_and_go() {
        let hub = Hub::default();
        let first = hub.listen();
        hub.tell(&event(1));
        let second = hub.listen();
        hub.tell(&event(2));
        drop(first);
        hub.tell(&event(3));
        assert_eq!(hub.listeners.lock().all.len(), 1, "who is gone is forgotten");
        hub.close();
        assert_eq!(drain(&second), (vec![2, 3], true));
        assert_eq!(drain(&hub.listen()), (vec![], true), "who comes too late is told");
    }
}
