//! Adaptive busy-polling: after activity a data thread polls its links for a while before it sleeps.
//!
//! A wake-up across cores costs tens of microseconds, more than all of the node's work on a small request. While the
//! spinner yields in a loop, the runtime polls its I/O driver without sleeping, so what arrives is seen at once. It
//! stops a fixed time after the last read, so an idle node costs nothing.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::thread::Thread;

/// One per data thread.
pub(crate) struct Spinner {
    window: Duration,
    last: Cell<Instant>,
    asleep: Cell<bool>,
    wake: Notify,
}

impl Spinner {
    /// Polls for `window` after the last activity; zero is off.
    pub(crate) fn new(window: Duration) -> Self {
        Self { window, last: Cell::new(Instant::now()), asleep: Cell::new(false), wake: Notify::new() }
    }

    /// Something was read.
    #[inline]
    pub(crate) fn touch(&self) {
        if self.window.is_zero() {
            return;
        }
        self.last.set(Instant::now());
        if self.asleep.take() {
            self.wake.notify_one();
        }
    }

    pub(crate) async fn run(thread: Rc<Thread>) {
        let spinner = &thread.spinner;
        if spinner.window.is_zero() {
            return;
        }
        loop {
            if spinner.last.get().elapsed() < spinner.window {
                tokio::task::yield_now().await;
            } else {
                spinner.asleep.set(true);
                spinner.wake.notified().await;
            }
        }
    }
}
