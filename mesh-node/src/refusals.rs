//! Tells of those who got no link: every one is counted by its code, and so many a second are logged.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    time::{Duration, Instant},
};

use mesh_wire::code::Code;

/// Refusals of one thread that are logged in a second; the rest is one line with their number.
const LINES_PER_SECOND: u32 = 10;

/// The log of refusals of one data thread.
pub(crate) struct Refusals {
    since: RefCell<Instant>,
    lines: Cell<u32>,
    left_out: Cell<u64>,
}

impl Refusals {
    pub(crate) fn new(now: Instant) -> Self {
        Self { since: RefCell::new(now), lines: Cell::new(0), left_out: Cell::new(0) }
    }

    /// Logs one refusal, or counts that it was not.
    pub(crate) fn log(&self, now: Instant, remote: Option<SocketAddr>, code: Code, cause: &str) {
        if !self.admit(now) {
            return;
        }
        match remote {
            Some(remote) => tracing::info!(%remote, %code, cause, "handshake refused"),
            None => tracing::info!(%code, cause, "handshake refused"),
        }
    }

    /// Whether there may be one more line in this second; if not, it is counted.
    pub(crate) fn admit(&self, now: Instant) -> bool {
        if now.duration_since(*self.since.borrow()) >= Duration::from_secs(1) {
            self.since.replace(now);
            self.lines.set(0);
            let left_out = self.left_out.take();
            if left_out > 0 {
                tracing::info!(left_out, "handshakes were refused without a line each");
            }
        }
        let lines = self.lines.get();
        if lines >= LINES_PER_SECOND {
            self.left_out.set(self.left_out.get() + 1);
            return false;
        }
        self.lines.set(lines + 1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_by_the_second() {
        let start = Instant::now();
        let refusals = Refusals::new(start);
        let logged = |at: Duration| (0..100).filter(|_| refusals.admit(start + at)).count() as u32;
        assert_eq!(logged(Duration::ZERO), LINES_PER_SECOND);
        assert_eq!(logged(Duration::from_millis(999)), 0);
        assert_eq!(refusals.left_out.get(), 190);
        assert_eq!(logged(Duration::from_secs(1)), LINES_PER_SECOND);
        assert_eq!(refusals.left_out.get(), 90);
    }
}
