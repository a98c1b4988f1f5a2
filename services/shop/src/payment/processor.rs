//! The bank, as far as this example goes: a rule that decides by card and amount, always the same way.
//!
//! | card | what happens |
//! |---|---|
//! | 4000 0000 0000 0002 | declined |
//! | 4000 0000 0000 9995 | declined: no funds |
//! | 4000 0000 0000 0119 | the first attempt fails, the next one is captured |
//! | 4000 0000 0000 0341 | the bank answers when nobody waits any more |
//! | any other | captured, up to [`LIMIT`] |

use crate::card::Card;
use crate::money::Cents;

/// Largest amount that is captured at once.
pub const LIMIT: Cents = Cents(500_000);

const DECLINED: &str = "4000000000000002";
const NO_FUNDS: &str = "4000000000009995";
const UNAVAILABLE_ONCE: &str = "4000000000000119";
const SLOW: &str = "4000000000000341";

/// What the bank makes of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The money is taken.
    Capture,
    /// The card is refused.
    Decline,
    /// The card has not got so much.
    NoFunds,
    /// More than is captured at once.
    OverLimit,
    /// Not now; the same again may succeed.
    Unavailable,
    /// The money will be taken, later than anybody waits.
    CaptureLate,
}

/// Decides about attempt number `attempt` (from 1) to charge `amount`.
pub fn decide(card: &Card, amount: Cents, attempt: u32) -> Decision {
    match card.digits() {
        DECLINED => Decision::Decline,
        NO_FUNDS => Decision::NoFunds,
        _ if amount > LIMIT => Decision::OverLimit,
        UNAVAILABLE_ONCE if attempt == 1 => Decision::Unavailable,
        SLOW => Decision::CaptureLate,
        _ => Decision::Capture,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_decides_by_card_amount_and_attempt() {
        for (card, amount, attempt, expected) in [
            ("4242424242424242", 100, 1, Decision::Capture),
            ("4242424242424242", LIMIT.0, 1, Decision::Capture),
            ("4242424242424242", LIMIT.0 + 1, 1, Decision::OverLimit),
            (DECLINED, 100, 1, Decision::Decline),
            (DECLINED, 100, 2, Decision::Decline),
            (NO_FUNDS, 100, 1, Decision::NoFunds),
            (UNAVAILABLE_ONCE, 100, 1, Decision::Unavailable),
            (UNAVAILABLE_ONCE, 100, 2, Decision::Capture),
            (SLOW, 100, 1, Decision::CaptureLate),
        ] {
            let card = Card::try_from(card.to_owned()).unwrap();
            assert_eq!(decide(&card, Cents(amount), attempt), expected, "{card:?} {amount} {attempt}");
        }
    }
}
