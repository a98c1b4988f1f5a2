//! Whether handlers are quick enough to run where calls are taken.

use std::time::Duration;

/// A handler that holds the thread for longer than this is given a task of its own.
const QUICK: Duration = Duration::from_micros(50);
/// Calls that get a task of their own after a slow one, before another is tried where it is taken.
const SLOW_CALLS: u32 = 256;
/// Calls are taken for at most this long before replies are let out.
const TURN: Duration = Duration::from_micros(200);

/// Judges handlers by how long they held the thread.
///
/// A task per call costs more than a quick handler; without one, a slow handler would hold up all others.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    spawn_left: u32,
    turn: Duration,
}

impl Pace {
    /// Command: whether the next call gets a task of its own.
    pub(crate) fn take_spawn(&mut self) -> bool {
        let spawn = self.spawn_left > 0;
        self.spawn_left = self.spawn_left.saturating_sub(1);
        spawn
    }

    /// Input: a call held the thread for so long. Whether it is time to let others run.
    pub(crate) fn handle_ran(&mut self, took: Duration) -> bool {
        if took > QUICK {
            self.spawn_left = SLOW_CALLS;
        }
        self.turn += took;
        let over = self.turn >= TURN;
        if over {
            self.turn = Duration::ZERO;
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_calls_stay_slow_ones_go() {
        let mut pace = Pace::default();
        pace.handle_ran(QUICK);
        assert!(!pace.take_spawn());
        pace.handle_ran(QUICK + Duration::from_nanos(1));
        for call in 0..SLOW_CALLS {
            assert!(pace.take_spawn(), "call {call}");
        }
        assert!(!pace.take_spawn(), "one is tried again");
    }

    #[test]
    fn a_turn_is_bounded() {
        let mut pace = Pace::default();
        let quarter = TURN / 4;
        let turns: Vec<_> = (0..8).map(|_| pace.handle_ran(quarter)).collect();
        assert_eq!(turns, [false, false, false, true, false, false, false, true]);
    }
}
