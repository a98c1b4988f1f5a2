//! How long a node may say that it can't serve what is kept, before another one is asked.
//!
//! ```text
//!   refusal ── refusal ── … ── refusal        each within GAP of the one before: a streak
//!   └────────── longer than the patience ───┘ ─► the client goes to its next endpoint; the patience doubles
//! ```
//! A node that lost its quorum or its links refuses whatever needs them, and may do so for as long as the cut lasts, while
//! other nodes serve. An election takes less than the first patience, and moves nobody; nor do many of them, when the node
//! serves in between. That is told apart for each register, as each may be in another group.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use mesh_wire::code::Code;
use parking_lot::Mutex;

/// How long a node is borne with at first.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long at most, after several nodes in a row could not serve.
const PATIENCE_MAX: Duration = Duration::from_secs(16);
/// Refusals further apart than this have nothing to do with each other: what is refused is tried again sooner.
const GAP: Duration = Duration::from_secs(2);
/// After so long without a refusal the patience is the first one again.
const FORGOTTEN: Duration = Duration::from_secs(30);

/// What is refused or served: a register that is written to, by the number of its line, or what else is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// A register that is written to.
    Line(u32),
    /// Declarations and reads.
    Asked,
}

/// Whether another node may serve what this one refuses so.
fn is_of_the_node(code: Code) -> bool {
    matches!(code, Code::NoLeader | Code::ClusterNotFounded | Code::GroupQuarantined | Code::GroupUnknown)
}

/// The patience with the node of the link. Bounded by the registers that were refused within [`FORGOTTEN`].
#[derive(Debug)]
pub(crate) struct Patience {
    state: Mutex<State>,
    /// Whether there is a streak: mostly there is none, and what is served need not take the lock.
    any: AtomicBool,
}

#[derive(Debug)]
struct State {
    streaks: BTreeMap<What, Streak>,
    patience: Duration,
    /// It is over, and nobody has gone yet.
    is_over: bool,
    /// Who goes.
    waker: Option<Waker>,
}

#[derive(Debug, Clone, Copy)]
struct Streak {
    since: Instant,
    last: Instant,
}

impl Default for Patience {
    fn default() -> Self {
        let state = State { streaks: BTreeMap::new(), patience: PATIENCE, is_over: false, waker: None };
        Self { state: Mutex::new(state), any: AtomicBool::new(false) }
    }
}

impl Patience {
    /// Input: something was served. Whatever was refused before was an election.
    pub(crate) fn handle_served(&self, what: What) {
        if !self.any.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.state.lock();
        if state.streaks.remove(&what).is_some() && state.streaks.is_empty() {
            state.patience = PATIENCE;
            self.any.store(false, Ordering::Relaxed);
        }
    }

    /// Input: something that is kept, or to be kept, was refused.
    pub(crate) fn handle_refused(&self, what: What, code: Code, now: Instant) {
        if !is_of_the_node(code) {
            return;
        }
        let mut state = self.state.lock();
        let streak = match state.streaks.get(&what).copied() {
            Some(streak) if now.saturating_duration_since(streak.last) <= GAP => {
                Streak { last: now, ..streak }
            }
            earlier => {
                let since = earlier.map(|earlier| now.saturating_duration_since(earlier.last));
                if since.is_some_and(|since| since >= FORGOTTEN) {
                    state.patience = PATIENCE;
                }
                Streak { since: now, last: now }
            }
        };
        // Those of registers that are written to no more.
        state.streaks.retain(|_, old| now.saturating_duration_since(old.last) < FORGOTTEN);
        state.streaks.insert(what, streak);
        self.any.store(true, Ordering::Relaxed);
        if streak.last - streak.since < state.patience || state.is_over {
            return;
        }
        state.is_over = true;
        let waker = state.waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Output: ready once when it is over. The next node is borne with for longer.
    pub(crate) fn poll_over(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if !state.is_over {
            if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                state.waker = Some(cx.waker().clone());
            }
            return Poll::Pending;
        }
        state.is_over = false;
        state.patience = (state.patience * 2).min(PATIENCE_MAX);
        // What the next one refuses counts anew.
        state.streaks.values_mut().for_each(|streak| streak.since = streak.last);
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refuses every 100 ms from `from` to `to`, in milliseconds; when it was over first.
    fn refused(patience: &Patience, start: Instant, from: u64, to: u64) -> Option<u64> {
        (from..=to).step_by(100).find(|at| {
            patience.handle_refused(What::Asked, Code::NoLeader, start + Duration::from_millis(*at));
            patience.poll_over(&Context::from_waker(Waker::noop())).is_ready()
        })
    }

    #[test]
    fn a_node_is_borne_with_for_so_long_and_the_next_one_for_twice_that() {
        let (patience, start) = (Patience::default(), Instant::now());
        assert_eq!(refused(&patience, start, 0, 900), None);
        assert_eq!(refused(&patience, start, 1_000, 1_000), Some(1_000));
        assert_eq!(refused(&patience, start, 1_100, 20_000), Some(3_000));
        assert_eq!(refused(&patience, start, 3_100, 20_000), Some(7_000));
        assert_eq!(refused(&patience, start, 7_100, 20_000), Some(15_000));
        assert_eq!(refused(&patience, start, 15_100, 60_000), Some(31_000));
        assert_eq!(refused(&patience, start, 31_100, 60_000), Some(47_000), "not beyond the longest");
        // Long after, it begins anew.
        assert_eq!(refused(&patience, start, 90_000, 99_000), Some(91_000));
    }

    #[test]
    fn refusals_far_apart_and_other_ones_are_no_reason_to_go() {
        let (patience, start) = (Patience::default(), Instant::now());
        for second in 0..10 {
            patience.handle_refused(
                What::Asked,
                Code::NoLeader,
                start + Duration::from_millis(2_001 * second),
            );
        }
        for tenth in 0..100 {
            patience.handle_refused(
                What::Asked,
                Code::StorageFull,
                start + Duration::from_millis(20_000 + 100 * tenth),
            );
        }
        assert!(patience.poll_over(&Context::from_waker(Waker::noop())).is_pending());
    }

    #[test]
    fn registers_that_are_written_to_no_more_are_forgotten() {
        let (patience, start) = (Patience::default(), Instant::now());
        for line in 0..100 {
            let at = start + Duration::from_secs(u64::from(line));
            patience.handle_refused(What::Line(line), Code::NoLeader, at);
        }
        assert_eq!(patience.state.lock().streaks.len(), 30);
    }

    #[test]
    fn a_node_that_serves_in_between_is_stayed_with() {
        let (patience, start) = (Patience::default(), Instant::now());
        let refused = |what, at| {
            patience.handle_refused(what, Code::NoLeader, start + Duration::from_millis(at));
            patience.poll_over(&Context::from_waker(Waker::noop())).is_ready()
        };
        for tenth in 0..100 {
            assert!(!refused(What::Line(1), 100 * tenth), "it serves every second");
            if tenth % 9 == 0 {
                patience.handle_served(What::Line(1));
            }
        }
        // Another register that it does not serve is another matter.
        assert!(!refused(What::Line(2), 10_000));
        patience.handle_served(What::Line(1));
        assert!(!refused(What::Line(2), 10_900));
        patience.handle_served(What::Line(1));
        assert!(refused(What::Line(2), 11_000));
        // The next one is borne with for longer, until one serves.
        assert!(!refused(What::Line(2), 12_900));
        patience.handle_served(What::Line(2));
        assert!(!refused(What::Line(2), 13_000));
        assert!(refused(What::Line(2), 14_000));
    }
}
