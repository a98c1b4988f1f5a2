//! Whether handlers are quick enough to run where calls are taken.

use std::time::Duration;

/// A handler that holds the thread for longer than this is given a task of its own.
const QUICK: Duration = Duration::from_micros(50);
/// Calls that get a task of their own after a slow one, before another is tried where it is taken.
const SLOW_CALLS: u32 = 256;
/// Calls are taken for at most this long before replies are let out.
const TURN: Duration = Duration::from_micros(200);

/// Quick calls in a row after which only every [`LOOK_EACH`]th is timed.
const TRUSTED: u32 = 16;
/// Calls between two looks at the clock, for handlers that have been quick.
const LOOK_EACH: u32 = 8;

/// Judges handlers by how long they held the thread.
///
/// A task per call costs more than a quick handler; without one, a slow handler would hold up all others. A look at
/// the clock costs a tenth of a quick call, so it is not taken each time.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    spawn_left: u32,
    quick: u32,
    untimed: u32,
    turn: Duration,
}

impl Pace {
    /// Command: whether the next call gets a task of its own.
    pub(crate) fn take_spawn(&mut self) -> bool {
        let spawn = self.spawn_left > 0;
        self.spawn_left = self.spawn_left.saturating_sub(1);
        spawn
    }

    /// Input: a call was handled. Whether the time since the last look is wanted, by [`Pace::handle_time`].
    pub(crate) fn handle_call(&mut self) -> bool {
        self.untimed += 1;
        self.quick < TRUSTED || self.untimed >= LOOK_EACH
    }

    /// Input: the calls since the last look held the thread for so long. Whether it is time to let others run.
    pub(crate) fn handle_time(&mut self, took: Duration) -> bool {
        let calls = std::mem::take(&mut self.untimed).max(1);
        if took > QUICK * calls {
            self.spawn_left = SLOW_CALLS;
            self.quick = 0;
        } else {
            self.quick = self.quick.saturating_add(calls);
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

    fn ran(pace: &mut Pace, took: Duration) -> bool {
        pace.handle_call() && pace.handle_time(took)
    }

    #[test]
    fn quick_calls_stay_slow_ones_go() {
        let mut pace = Pace::default();
        ran(&mut pace, QUICK);
        assert!(!pace.take_spawn());
        ran(&mut pace, QUICK + Duration::from_nanos(1));
        for call in 0..SLOW_CALLS {
            assert!(pace.take_spawn(), "call {call}");
        }
        assert!(!pace.take_spawn(), "one is tried again");
    }

    #[test]
    fn a_turn_is_bounded() {
        let mut pace = Pace::default();
        let turns: Vec<_> = (0..8).map(|_| ran(&mut pace, TURN / 4)).collect();
        assert_eq!(turns, [false, false, false, true, false, false, false, true]);
    }

    #[test]
    fn who_was_quick_is_timed_less_often() {
        let mut pace = Pace::default();
        let looks = |pace: &mut Pace, calls: u32| {
            (0..calls)
                .filter(|_| {
                    let look = pace.handle_call();
                    if look {
                        pace.handle_time(Duration::ZERO);
                    }
                    look
                })
                .count()
        };
        assert_eq!(looks(&mut pace, TRUSTED), TRUSTED as usize);
        assert_eq!(looks(&mut pace, 10 * LOOK_EACH), 10);
        while !pace.handle_call() {}
        pace.handle_time(QUICK * (LOOK_EACH + 1));
        assert!(pace.take_spawn());
        assert_eq!(looks(&mut pace, TRUSTED), TRUSTED as usize, "trust is earned again");
    }
}
