//! Whether the node is up, as probes see it.

use std::sync::atomic::{AtomicU8, Ordering};

use super::error::Error;

/// Where a node is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum State {
    /// It does not listen yet.
    Starting,
    /// It serves.
    Ready,
    /// It finishes what was begun.
    Draining,
    /// Its links are closed.
    Stopped,
}

impl State {
    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Stopped => "stopped",
        }
    }
}

/// The state of a node, set by who runs it and read by everybody.
#[derive(Debug)]
pub(crate) struct Health(AtomicU8);

impl Health {
    /// A node that is starting.
    pub(crate) const fn new() -> Self {
        Self(AtomicU8::new(State::Starting as u8))
    }

    /// Goes on to `state`. A node never goes back: an earlier state than the present one changes nothing.
    pub(crate) fn advance(&self, state: State) {
        self.0.fetch_max(state as u8, Ordering::Release);
    }

    /// Where the node is.
    pub(crate) fn state(&self) -> State {
        match self.0.load(Ordering::Acquire) {
            0 => State::Starting,
            1 => State::Ready,
            2 => State::Draining,
            _ => State::Stopped,
        }
    }

    /// Whether new clients are welcome.
    ///
    /// # Errors
    /// [`Error::NotReady`] when they are not.
    pub(crate) fn ready(&self) -> Result<(), Error> {
        match self.state() {
            State::Ready => Ok(()),
            state => Err(Error::NotReady { state: state.name() }),
        }
    }

    /// Whether the start is over, however it went on.
    ///
    /// # Errors
    /// [`Error::NotReady`] while the node starts.
    pub(crate) fn started(&self) -> Result<(), Error> {
        match self.state() {
            State::Starting => Err(Error::NotReady { state: State::Starting.name() }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_by_state() {
        let health = Health::new();
        let table = [
            (State::Starting, false, false),
            (State::Ready, true, true),
            (State::Draining, true, false),
            (State::Stopped, true, false),
        ];
        for (state, started, ready) in table {
            health.advance(state);
            assert_eq!(health.state(), state);
            assert_eq!((health.started().is_ok(), health.ready().is_ok()), (started, ready), "{state:?}");
        }
    }

    #[test]
    fn a_node_never_goes_back() {
        let health = Health::new();
        health.advance(State::Draining);
        health.advance(State::Ready);
        assert_eq!(health.state(), State::Draining);
    }
}
