//! Orders: from a wish to a decision, by way of inventory and payment.

mod fault;
mod outcome;
mod saga;
mod service;
mod stats;

pub use self::outcome::{Compensation, Decided, Outcome, Placed, Reason, Rejected};
pub use self::saga::{ATTEMPTS, Action, BACKOFF, Done, Fault, STEP_TIME_MIN, Saga, Step, UNDO_TIMEOUT};
pub use self::service::{KEY_REUSED, ORDERS_AT_ONCE, Orders, SERVICE};
pub use self::stats::Stats;
