//! Charges and what became of them. Pure.
//!
//! Every command names an order and does its work once for it. A void that comes before its charge (which was lost or
//! is late) is remembered, and the late charge is refused: this is what lets a caller who knows nothing about a charge
//! be sure that there is none.

use super::processor::{Decision, decide};
use super::{Error, Receipt, Stats};
use crate::card::Card;
use crate::memory::{Bounds, Memory};
use crate::money::Cents;
use crate::text::OrderId;

/// What became of an order's charge.
#[derive(Debug, Clone)]
enum Charge {
    /// So many attempts failed at the bank; the next may succeed.
    Attempted {
        attempts: u32,
    },
    Captured {
        card: Card,
        receipt: Receipt,
    },
    Declined {
        card: Card,
        amount: Cents,
        error: Error,
    },
    Voided,
}

/// What to do about a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The money is taken.
    Now(Receipt),
    /// The bank will answer late; then [`Payments::capture`] takes the money, if it is still wanted.
    Late,
}

/// All charges. Captured money is what was captured less what was refunded.
#[derive(Debug)]
pub struct Payments {
    charges: Memory<Charge>,
    stats: Stats,
}

impl Payments {
    /// No charges yet.
    pub fn new(bounds: Bounds) -> Self {
        Self { charges: Memory::new(bounds), stats: Stats::default() }
    }

    /// Command: charges `amount` for an order.
    ///
    /// # Errors
    /// [`Error::Declined`], [`Error::NoFunds`], [`Error::OverLimit`], [`Error::Unavailable`] (try again),
    /// [`Error::Voided`] when the charge was taken back before, [`Error::KeyReused`] for another card or amount than
    /// before.
    pub fn charge(&mut self, order: &OrderId, card: &Card, amount: Cents) -> Result<Answer, Error> {
        let attempt = match self.charges.get(order) {
            None => 1,
            Some(Charge::Attempted { attempts }) => attempts + 1,
            Some(Charge::Captured { card: before, receipt }) => {
                self.stats.repeated += 1;
                let same = before == card && receipt.amount == amount;
                return if same { Ok(Answer::Now(*receipt)) } else { Err(Error::KeyReused) };
            }
            Some(Charge::Declined { card: before, amount: wanted, error }) => {
                self.stats.repeated += 1;
                let same = before == card && *wanted == amount;
                return Err(if same { error.clone() } else { Error::KeyReused });
            }
            Some(Charge::Voided) => return Err(Error::Voided),
        };
        let error = match decide(card, amount, attempt) {
            Decision::Capture => return Ok(Answer::Now(self.take(order, card, amount))),
            Decision::CaptureLate => return Ok(Answer::Late),
            Decision::Unavailable => {
                self.stats.unavailable += 1;
                self.charges.settle(order, Charge::Attempted { attempts: attempt });
                return Err(Error::Unavailable);
            }
            Decision::Decline => Error::Declined,
            Decision::NoFunds => Error::NoFunds,
            Decision::OverLimit => Error::OverLimit,
        };
        self.stats.declined += 1;
        self.charges.settle(order, Charge::Declined { card: card.clone(), amount, error: error.clone() });
        Err(error)
    }

    /// Command: the bank's late answer to a charge: takes the money unless the charge was taken back meanwhile.
    ///
    /// # Errors
    /// [`Error::Voided`], [`Error::KeyReused`].
    pub fn capture(&mut self, order: &OrderId, card: &Card, amount: Cents) -> Result<Receipt, Error> {
        match self.charges.get(order) {
            None | Some(Charge::Attempted { .. }) => Ok(self.take(order, card, amount)),
            Some(Charge::Captured { card: before, receipt })
                if before == card && receipt.amount == amount =>
            {
                Ok(*receipt)
            }
            Some(Charge::Captured { .. } | Charge::Declined { .. }) => Err(Error::KeyReused),
            Some(Charge::Voided) => {
                self.stats.late += 1;
                Err(Error::Voided)
            }
        }
    }

    /// Command: takes the charge of an order back, whatever became of it, and sees to it that none comes later.
    /// Gives what was refunded.
    pub fn void(&mut self, order: &OrderId) -> Cents {
        let refunded = match self.charges.get(order) {
            Some(Charge::Voided) => {
                self.stats.repeated += 1;
                return Cents::default();
            }
            Some(Charge::Captured { receipt, .. }) => receipt.amount,
            None | Some(Charge::Attempted { .. } | Charge::Declined { .. }) => Cents::default(),
        };
        if refunded > Cents::default() {
            self.stats.captured -= 1;
            self.stats.captured_total = Cents(self.stats.captured_total.0 - refunded.0);
        }
        self.stats.voided += 1;
        self.charges.settle(order, Charge::Voided);
        refunded
    }

    /// What happened so far, and how much money was taken.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    fn take(&mut self, order: &OrderId, card: &Card, amount: Cents) -> Receipt {
        self.stats.receipts += 1;
        self.stats.captured += 1;
        self.stats.captured_total = Cents(self.stats.captured_total.0.saturating_add(amount.0));
        let receipt = Receipt { number: self.stats.receipts, amount };
        self.charges.settle(order, Charge::Captured { card: card.clone(), receipt });
        receipt
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::order::tests::id;

    const GOOD: &str = "4242424242424242";
    const DECLINED: &str = "4000000000000002";
    const FLAKY: &str = "4000000000000119";
    const SLOW: &str = "4000000000000341";

    fn payments() -> Payments {
        Payments::new(Bounds { open: 0, settled: 100 })
    }

    fn card(digits: &str) -> Card {
        Card::try_from(digits.to_owned()).unwrap()
    }

    fn receipt(number: u64, cents: u64) -> Result<Answer, Error> {
        Ok(Answer::Now(Receipt { number, amount: Cents(cents) }))
    }

    #[test]
    fn a_charge_is_taken_once_however_often_it_comes() {
        let mut payments = payments();
        for _ in 0..3 {
            assert_eq!(payments.charge(&id("o"), &card(GOOD), Cents(500)), receipt(1, 500));
        }
        assert_eq!(payments.charge(&id("p"), &card(GOOD), Cents(70)), receipt(2, 70));
        let stats = payments.stats();
        assert_eq!((stats.captured, stats.captured_total, stats.repeated), (2, Cents(570), 2));
    }

    #[test]
    fn another_charge_under_the_same_number_is_refused() {
        let mut payments = payments();
        payments.charge(&id("o"), &card(GOOD), Cents(500)).unwrap();
        payments.charge(&id("d"), &card(DECLINED), Cents(500)).unwrap_err();
        for (order, digits, cents) in
            [("o", GOOD, 501), ("o", DECLINED, 500), ("d", GOOD, 500), ("d", DECLINED, 501)]
        {
            assert_eq!(payments.charge(&id(order), &card(digits), Cents(cents)), Err(Error::KeyReused));
        }
        assert_eq!(payments.stats().captured_total, Cents(500));
    }

    #[test]
    fn what_the_bank_refused_stays_refused() {
        let mut payments = payments();
        for _ in 0..2 {
            assert_eq!(payments.charge(&id("o"), &card(DECLINED), Cents(500)), Err(Error::Declined));
        }
        assert_eq!((payments.stats().declined, payments.stats().repeated), (1, 1));
    }

    #[test]
    fn a_failed_attempt_can_be_tried_again_under_its_number() {
        let mut payments = payments();
        assert_eq!(payments.charge(&id("o"), &card(FLAKY), Cents(500)), Err(Error::Unavailable));
        assert_eq!(payments.charge(&id("o"), &card(FLAKY), Cents(500)), receipt(1, 500));
        assert_eq!(payments.charge(&id("o"), &card(FLAKY), Cents(500)), receipt(1, 500));
    }

    #[test]
    fn a_void_gives_back_what_was_taken_and_only_once() {
        let mut payments = payments();
        payments.charge(&id("o"), &card(GOOD), Cents(500)).unwrap();
        assert_eq!((payments.void(&id("o")), payments.void(&id("o"))), (Cents(500), Cents(0)));
        assert_eq!(payments.charge(&id("o"), &card(GOOD), Cents(500)), Err(Error::Voided));
        assert_eq!((payments.stats().captured, payments.stats().captured_total), (0, Cents(0)));
    }

    #[test]
    fn a_void_that_overtook_its_charge_wins() {
        let mut payments = payments();
        assert_eq!(payments.charge(&id("o"), &card(SLOW), Cents(500)), Ok(Answer::Late));
        assert_eq!(payments.void(&id("o")), Cents(0));
        assert_eq!(payments.capture(&id("o"), &card(SLOW), Cents(500)), Err(Error::Voided));
        assert_eq!((payments.stats().captured_total, payments.stats().late), (Cents(0), 1));
    }

    #[test]
    fn a_late_answer_takes_the_money_if_it_is_still_wanted() {
        let mut payments = payments();
        payments.charge(&id("o"), &card(SLOW), Cents(500)).unwrap();
        let taken = payments.capture(&id("o"), &card(SLOW), Cents(500)).unwrap();
        assert_eq!(payments.capture(&id("o"), &card(SLOW), Cents(500)), Ok(taken));
        assert_eq!(payments.stats().captured_total, Cents(500));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_is_forgotten() {
        let mut payments = Payments::new(Bounds { open: 0, settled: 2 });
        for order in ["a", "b", "c"] {
            payments.charge(&id(order), &card(GOOD), Cents(1)).unwrap();
        }
        assert_eq!(payments.charge(&id("c"), &card(GOOD), Cents(1)), receipt(3, 1), "remembered");
        assert_eq!(payments.charge(&id("a"), &card(GOOD), Cents(1)), receipt(4, 1), "taken for new");
    }

    proptest! {
        /// Whatever is asked in whatever order, the total is the sum of the charges that stand.
        #[test]
        fn money_adds_up(commands in prop::collection::vec((0..3u8, 0..5u8, 0..4usize), 0..120)) {
            let mut payments = payments();
            let mut standing = std::collections::BTreeMap::new();
            for (command, order, digits) in commands {
                let card = card([GOOD, DECLINED, FLAKY, SLOW][digits]);
                let (order, amount) = (id(&format!("o{order}")), Cents(100 + u64::from(order)));
                match command {
                    0 => if let Ok(Answer::Now(receipt)) = payments.charge(&order, &card, amount) {
                        standing.insert(order, receipt.amount.0);
                    },
                    1 => if let Ok(receipt) = payments.capture(&order, &card, amount) {
                        standing.insert(order, receipt.amount.0);
                    },
                    _ => {
                        let refunded = payments.void(&order);
                        prop_assert_eq!(standing.remove(&order).unwrap_or(0), refunded.0);
                    }
                }
                prop_assert_eq!(payments.stats().captured_total.0, standing.values().sum::<u64>());
                prop_assert_eq!(payments.stats().captured as usize, standing.len());
            }
        }
    }
}
