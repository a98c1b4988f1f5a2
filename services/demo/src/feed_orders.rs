//! Places the orders of the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mesh_client::{Client, Error};
use mesh_shop::orders::{Compensation, Outcome};
use mesh_shop::{Order, OrderId, api};
use tokio::sync::mpsc;

use crate::board::{End, Observation, Work};
use crate::orders_file::{Expected, Wish};

/// How long one order may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

/// What became of our orders.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Orders that were placed.
    pub(crate) placed: AtomicU64,
    /// What they come to, in cents.
    pub(crate) placed_cents: AtomicU64,
    /// Orders that were rejected.
    pub(crate) rejected: AtomicU64,
}

/// What the feed of orders needs.
#[derive(Debug, Clone)]
pub(crate) struct Orders {
    /// The connection.
    pub(crate) mesh: Client,
    /// The orders, taken in turn; at least one.
    pub(crate) wishes: Arc<[Wish]>,
    /// What the numbers of our orders start with.
    pub(crate) prefix: Arc<str>,
    /// What became of them.
    pub(crate) tally: Arc<Tally>,
    /// Who is told.
    pub(crate) seen: mpsc::Sender<Observation>,
}

impl Orders {
    /// Places order number `number`, over and over from the first after the last, each time under a new number.
    pub(crate) async fn place(self, number: u64) {
        let count = self.wishes.len().max(1) as u64;
        let index = usize::try_from(number % count).unwrap_or_default();
        let Some(wish) = self.wishes.get(index).cloned() else { return };
        let id = format!("{}-{}-{}", self.prefix, wish.id, number / count);
        let placed = Instant::now();
        let came = match OrderId::try_from(id.clone()) {
            Ok(id) => {
                self.call(&Order { id, card: wish.card, lines: wish.lines }).await.map_err(|e| e.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        let took = placed.elapsed();
        let (label, end) = judge(&id, wish.expected, came);
        // Nobody is interested any more when the receiver is gone.
        self.seen.send(Observation { work: Work::Orders, took, end, label }).await.ok();
    }

    async fn call(&self, order: &Order) -> Result<Outcome, Error> {
        let outcome = self.mesh.call(api::ORDERS_PLACE, order).timeout(TIMEOUT).idempotent().await?;
        match &outcome {
            Outcome::Placed(placed) => {
                self.tally.placed.fetch_add(1, Ordering::Relaxed);
                self.tally.placed_cents.fetch_add(placed.total.0, Ordering::Relaxed);
            }
            Outcome::Rejected(_) => {
                self.tally.rejected.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(outcome)
    }
}

fn judge(id: &str, expected: Expected, came: Result<Outcome, String>) -> (&'static str, End) {
    let outcome = match came {
        Ok(outcome) => outcome,
        Err(error) => return ("unanswered", End::Unexpected(format!("{id}: {error}"))),
    };
    match (expected, &outcome) {
        (Expected::Placed, Outcome::Placed(placed)) => {
            (if placed.charge_attempts > 1 { "placed_after_retry" } else { "placed" }, End::Good)
        }
        (Expected::Rejected(reason), Outcome::Rejected(rejected))
            if rejected.reason == reason && rejected.compensation != Compensation::Incomplete =>
        {
            (reason.name(), End::ExpectedError)
        }
        _ => ("unexpected", End::Unexpected(format!("{id}: {outcome:?}, expected {expected:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use mesh_shop::Cents;
    use mesh_shop::orders::{Placed, Reason, Rejected};

    use super::*;

    #[test]
    fn what_became_of_an_order_is_judged_by_what_was_to_become_of_it() {
        let placed = || Outcome::Placed(Placed { total: Cents(1), receipt: 1, charge_attempts: 1 });
        let rejected = |reason, compensation| {
            Outcome::Rejected(Rejected { reason, detail: String::new(), compensation })
        };
        let declined = || rejected(Reason::CardDeclined, Compensation::Done);
        let expected_decline = Expected::Rejected(Reason::CardDeclined);
        assert_eq!(judge("a", Expected::Placed, Ok(placed())), ("placed", End::Good));
        assert_eq!(judge("a", expected_decline, Ok(declined())), ("card_declined", End::ExpectedError));
        for (expected, came) in [
            (Expected::Placed, Ok(declined())),
            (expected_decline, Ok(placed())),
            (expected_decline, Ok(rejected(Reason::OutOfStock, Compensation::NotNeeded))),
            (expected_decline, Ok(rejected(Reason::CardDeclined, Compensation::Incomplete))),
            (Expected::Placed, Err("no responders".to_owned())),
        ] {
            assert!(matches!(judge("a", expected, came.clone()).1, End::Unexpected(_)), "{came:?}");
        }
    }
}
