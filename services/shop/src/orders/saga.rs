//! The steps of one order, forward and back. Pure: results and time come in, steps come out, one at a time.
//!
//! ```text
//!  reserve ──► charge ──► confirm ──► placed
//!     │          │           │
//!     │ lost     │ failed    │ failed          what may have been done is undone, last first
//!     │          ▼           ▼
//!     │       (void) ◄──── void
//!     ▼          ▼
//!  release ◄──── ┘ ──► rejected
//! ```
//!
//! * A step that *failed* did nothing. A step that is *lost* (no answer in time) may have done its work or may do it
//!   still; so it is undone like one that succeeded, and who undoes it remembers to refuse it when it comes late.
//! * What is retryable is tried again under the same order number, which makes it safe, up to [`ATTEMPTS`] times.
//! * Steps forward get what is left of the caller's time less a quarter, which is kept for the way back, so that the
//!   caller hears of the rejection in time. Steps back have their own time: they run even when nobody waits.

use std::time::{Duration, Instant};

use super::outcome::{Compensation, Outcome, Placed, Reason, Rejected};
use crate::money::Cents;
use crate::payment::Receipt;

/// Times that one step is tried.
pub const ATTEMPTS: u32 = 3;
/// Wait before the second attempt of a step; it doubles for each further one.
pub const BACKOFF: Duration = Duration::from_millis(20);
/// Time that a step back may take.
pub const UNDO_TIMEOUT: Duration = Duration::from_secs(2);
/// A step forward is not begun with less time than this.
pub const STEP_TIME_MIN: Duration = Duration::from_millis(1);

/// What is to be done for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Reserve the pieces.
    Reserve,
    /// Charge this amount.
    Charge(Cents),
    /// Confirm the reservation.
    Confirm,
    /// Take the charge back.
    Void,
    /// Release the reservation.
    Release,
}

/// One call that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What is to be done.
    pub action: Action,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// How long to wait before.
    pub wait: Duration,
    /// How long the answer may take.
    pub timeout: Duration,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// The pieces are reserved, at this price.
    Reserved(Cents),
    /// The money is taken.
    Charged(Receipt),
    /// The step that is under way is done and there is nothing to say about it.
    Acknowledged,
}

/// Why a step is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing was done, and it is no use to try again.
    Refused {
        /// Why, for programs.
        reason: Reason,
        /// Why, for people.
        detail: String,
    },
    /// Nothing was done; the same may succeed later.
    Unavailable(String),
    /// It is not known whether anything was done.
    Lost(String),
}

/// One order under way.
#[derive(Debug)]
pub struct Saga {
    /// When steps forward end.
    forward_until: Instant,
    stage: Stage,
    step: Option<Step>,
    compensation: Compensation,
    charged: Option<(Receipt, u32)>,
    rejection: Option<(Reason, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// A step is under way.
    Doing(Action, u32),
    Over,
}

impl Saga {
    /// Starts an order that the caller waits for until `deadline`.
    pub fn new(now: Instant, deadline: Instant) -> Self {
        let left = deadline.saturating_duration_since(now);
        let mut saga = Self {
            forward_until: now + left - left / 4,
            stage: Stage::Over,
            step: None,
            compensation: Compensation::NotNeeded,
            charged: None,
            rejection: None,
        };
        saga.forward(now, Action::Reserve, 1);
        saga
    }

    /// Output: the next step. There is one after the start and after each answer, until there is an outcome.
    pub fn poll_output(&mut self) -> Option<Step> {
        self.step.take()
    }

    /// What became of the order; `None` while steps are under way.
    pub fn outcome(&self) -> Option<Outcome> {
        if self.stage != Stage::Over {
            return None;
        }
        Some(match (&self.rejection, self.charged) {
            (None, Some((receipt, charge_attempts))) => {
                Outcome::Placed(Placed { total: receipt.amount, receipt: receipt.number, charge_attempts })
            }
            (rejection, _) => {
                let (reason, detail) =
                    rejection.clone().unwrap_or((Reason::OutOfTime, "the order was not charged".to_owned()));
                Outcome::Rejected(Rejected { reason, detail, compensation: self.compensation })
            }
        })
    }

    /// Input: the answer to the step that is under way.
    pub fn handle_answer(&mut self, now: Instant, answer: Result<Done, Fault>) {
        let Stage::Doing(action, attempt) = self.stage else { return };
        match answer {
            Ok(done) => self.handle_done(now, action, attempt, done),
            Err(Fault::Unavailable(_))
                if attempt < ATTEMPTS && self.has_time_for(now, action, attempt + 1) =>
            {
                self.again(now, action, attempt + 1);
            }
            Err(Fault::Lost(_)) if is_undo(action) && attempt < ATTEMPTS => {
                self.again(now, action, attempt + 1)
            }
            Err(fault) => self.handle_fault(action, fault),
        }
    }

    fn handle_done(&mut self, now: Instant, action: Action, attempt: u32, done: Done) {
        match (action, done) {
            (Action::Reserve, Done::Reserved(total)) => self.forward(now, Action::Charge(total), 1),
            (Action::Charge(_), Done::Charged(receipt)) => {
                self.charged = Some((receipt, attempt));
                self.forward(now, Action::Confirm, 1);
            }
            (Action::Confirm, Done::Acknowledged) => self.stage = Stage::Over,
            (Action::Void, Done::Acknowledged) => self.undo(Action::Release),
            (Action::Release, Done::Acknowledged) => self.stage = Stage::Over,
            (action, done) => {
                self.handle_fault(action, Fault::Lost(format!("{done:?} is no answer to {action:?}")));
            }
        }
    }

    fn handle_fault(&mut self, action: Action, fault: Fault) {
        let nothing_done = !matches!(fault, Fault::Lost(_));
        if is_undo(action) {
            self.compensation = Compensation::Incomplete;
            match action {
                Action::Void => self.undo(Action::Release),
                _ => self.stage = Stage::Over,
            }
            return;
        }
        self.reject(action, fault);
        match action {
            Action::Reserve if nothing_done => self.stage = Stage::Over,
            Action::Charge(_) if nothing_done => self.undo(Action::Release),
            Action::Reserve => self.undo(Action::Release),
            _ => self.undo(Action::Void),
        }
    }

    fn reject(&mut self, action: Action, fault: Fault) {
        let unanswered = match action {
            Action::Charge(_) => (Reason::PaymentUnavailable, Reason::PaymentTimeout),
            _ => (Reason::InventoryUnavailable, Reason::InventoryUnavailable),
        };
        self.rejection = Some(match fault {
            Fault::Refused { reason, detail } => (reason, detail),
            Fault::Unavailable(detail) => (unanswered.0, detail),
            Fault::Lost(detail) => (unanswered.1, detail),
        });
    }

    /// Begins a step forward if there is time for it, and turns back if not.
    fn forward(&mut self, now: Instant, action: Action, attempt: u32) {
        if self.has_time_for(now, action, attempt) {
            self.again(now, action, attempt);
            return;
        }
        self.rejection = Some((Reason::OutOfTime, format!("no time was left to {}", verb(action))));
        match action {
            Action::Reserve => self.stage = Stage::Over,
            Action::Charge(_) => self.undo(Action::Release),
            _ => self.undo(Action::Void),
        }
    }

    fn undo(&mut self, action: Action) {
        if self.compensation == Compensation::NotNeeded {
            self.compensation = Compensation::Done;
        }
        self.stage = Stage::Doing(action, 1);
        self.step = Some(Step { action, attempt: 1, wait: Duration::ZERO, timeout: UNDO_TIMEOUT });
    }

    fn again(&mut self, now: Instant, action: Action, attempt: u32) {
        let wait = backoff(attempt);
        let timeout = if is_undo(action) {
            UNDO_TIMEOUT
        } else {
            self.forward_until.saturating_duration_since(now + wait)
        };
        self.stage = Stage::Doing(action, attempt);
        self.step = Some(Step { action, attempt, wait, timeout });
    }

    fn has_time_for(&self, now: Instant, action: Action, attempt: u32) -> bool {
        is_undo(action)
            || self.forward_until.saturating_duration_since(now + backoff(attempt)) >= STEP_TIME_MIN
    }
}

fn is_undo(action: Action) -> bool {
    matches!(action, Action::Void | Action::Release)
}

fn backoff(attempt: u32) -> Duration {
    match attempt {
        0 | 1 => Duration::ZERO,
        later => BACKOFF * 2u32.saturating_pow(later - 2),
    }
}

fn verb(action: Action) -> &'static str {
    match action {
        Action::Reserve => "reserve the pieces",
        Action::Charge(_) => "charge the card",
        Action::Confirm => "confirm the reservation",
        Action::Void => "take the charge back",
        Action::Release => "release the pieces",
    }
}

#[cfg(test)]
mod tests;
