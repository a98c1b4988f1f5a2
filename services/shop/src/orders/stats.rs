//! What the orders service did, in numbers.

use serde::{Deserialize, Serialize};

use super::outcome::{Compensation, Outcome};
use crate::money::Cents;

/// The reply to `orders.stats`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Orders that were placed.
    pub placed: u64,
    /// What they come to.
    pub placed_total: Cents,
    /// Orders that were rejected.
    pub rejected: u64,
    /// Rejected orders for which something had to be undone, and was.
    pub compensated: u64,
    /// Rejected orders for which something could not be undone.
    pub incomplete: u64,
    /// Orders whose charge took more than one attempt.
    pub retried: u64,
    /// Orders that came again and were answered as before.
    pub repeated: u64,
    /// Events that could not be published.
    pub unpublished: u64,
}

impl Stats {
    pub(super) fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Placed(placed) => {
                self.placed += 1;
                self.placed_total = self.placed_total.plus(placed.total).unwrap_or(self.placed_total);
                self.retried += u64::from(placed.charge_attempts > 1);
            }
            Outcome::Rejected(rejected) => {
                self.rejected += 1;
                self.compensated += u64::from(rejected.compensation == Compensation::Done);
                self.incomplete += u64::from(rejected.compensation == Compensation::Incomplete);
            }
        }
    }
}
