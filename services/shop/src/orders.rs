//! Orders: from a wish to a decision, by way of inventory and payment.

mod outcome;
mod saga;

pub use self::outcome::{Compensation, Decided, Outcome, Placed, Reason, Rejected};
pub use self::saga::{ATTEMPTS, Action, BACKOFF, Done, Fault, STEP_TIME_MIN, Saga, Step, UNDO_TIMEOUT};
