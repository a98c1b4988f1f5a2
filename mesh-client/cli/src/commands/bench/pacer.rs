//! A fixed rate that does not drift.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use mesh_wire::code::Code;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

use crate::failure::Failure;

/// Shortest time between two wake-ups: at higher rates several are due at once.
const TICK_MIN: Duration = Duration::from_micros(50);

/// Says when the next of a fixed number of things in a second is due.
///
/// The runtime's own timers tick in milliseconds, so that this one rests on one of the kernel's.
#[derive(Debug)]
pub(super) struct Pacer {
    timer: AsyncFd<OwnedFd>,
    started: Instant,
    rate: u64,
    given: u64,
}

impl Pacer {
    /// Starts now with `rate` in a second.
    pub(super) fn start(rate: u64) -> Result<Self, Failure> {
        fn failure(error: impl std::fmt::Display) -> Failure {
            Failure::new(Code::InternalError, "can't make a timer").cause(error)
        }
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)
            .map_err(failure)?;
        let tick = tick(rate);
        let every = Timespec {
            tv_sec: i64::try_from(tick.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(tick.subsec_nanos()),
        };
        timerfd_settime(
            &timer,
            TimerfdTimerFlags::empty(),
            &Itimerspec { it_interval: every, it_value: every },
        )
        .map_err(failure)?;
        // Deprecated for types that could hand out another descriptor later; an owned one can't, and what replaces it
        // is unsafe.
        #[expect(deprecated, reason = "safe for an owned descriptor")]
        let timer = AsyncFd::new(timer).map_err(failure)?;
        Ok(Self { timer, started: Instant::now(), rate, given: 0 })
    }

    /// Waits until something is due.
    ///
    /// # Cancel safety
    /// Safe: what is due stays due.
    pub(super) async fn tick(&mut self) -> Result<(), Failure> {
        let failure =
            |error: std::io::Error| Failure::new(Code::InternalError, "can't read the timer").cause(error);
        loop {
            let mut ready = self.timer.readable().await.map_err(failure)?;
            let mut expirations = [0; 8];
            match ready.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut expirations)?)) {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => return Err(failure(error)),
                Err(_would_block) => {}
            }
        }
    }

    /// The moment at which the next one was due, if that is past.
    pub(super) fn due(&mut self, now: Instant) -> Option<Instant> {
        let due = self.started + due_after(self.given, self.rate);
        (due <= now).then(|| {
            self.given += 1;
            due
        })
    }
}

fn tick(rate: u64) -> Duration {
    due_after(1, rate).max(TICK_MIN)
}

/// When the `n`-th of `rate` in a second is due, from the start.
fn due_after(n: u64, rate: u64) -> Duration {
    let (seconds, rest) = (n / rate, n % rate);
    let nanos = u128::from(rest) * 1_000_000_000 / u128::from(rate);
    // Below a second, since `rest` is below `rate`.
    Duration::new(seconds, u32::try_from(nanos).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times_do_not_drift() {
        let table = [
            (0, 1_000, 0),
            (1, 1_000, 1_000_000),
            (1_500, 1_000, 1_500_000_000),
            (1, 3, 333_333_333),
            (3_000_000, 3, 1_000_000_000_000_000),
            (u64::MAX, u64::MAX, 1_000_000_000),
        ];
        for (n, rate, nanos) in table {
            assert_eq!(due_after(n, rate), Duration::from_nanos(nanos), "{n} of {rate}/s");
        }
    }

    #[test]
    fn ticks_are_bounded() {
        assert_eq!(tick(1_000), Duration::from_millis(1));
        assert_eq!(tick(20_000), TICK_MIN);
        assert_eq!(tick(20_001), TICK_MIN);
        assert_eq!(tick(u64::MAX), TICK_MIN);
    }

    #[tokio::test]
    async fn everything_that_was_due_is_given_once() {
        let mut pacer = Pacer::start(10_000).unwrap();
        let mut last = None;
        let mut given = 0;
        while given < 50 {
            pacer.tick().await.unwrap();
            let now = Instant::now();
            while let Some(due) = pacer.due(now) {
                assert!(due <= now && last.is_none_or(|last| last < due));
                last = Some(due);
                given += 1;
            }
        }
    }
}
