//! What became of an order.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::money::Cents;
use crate::text::OrderId;

/// The reply to `orders.place`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The pieces are sold and the money is taken.
    Placed(Placed),
    /// Nothing is sold and no money is taken.
    Rejected(Rejected),
}

/// A placed order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// What was charged.
    pub total: Cents,
    /// Number of the payment's receipt.
    pub receipt: u64,
    /// Attempts that the charge took.
    pub charge_attempts: u32,
}

/// A rejected order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Why, for programs.
    pub reason: Reason,
    /// Why, for people.
    pub detail: String,
    /// Whether what had been done was undone.
    pub compensation: Compensation,
}

/// Why an order was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// An article is unknown.
    UnknownSku,
    /// An article is not there in sufficient number.
    OutOfStock,
    /// The inventory refused otherwise.
    ReservationRefused,
    /// The inventory did not answer.
    InventoryUnavailable,
    /// The card was declined, or has insufficient funds.
    CardDeclined,
    /// The amount is over the limit of one charge.
    OverLimit,
    /// The payment service refused otherwise.
    PaymentRefused,
    /// The payment service was not available after every attempt.
    PaymentUnavailable,
    /// The payment service did not answer in time; the charge was taken back.
    PaymentTimeout,
    /// The time of the request was over before the money was taken.
    OutOfTime,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::UnknownSku,
        Self::OutOfStock,
        Self::ReservationRefused,
        Self::InventoryUnavailable,
        Self::CardDeclined,
        Self::OverLimit,
        Self::PaymentRefused,
        Self::PaymentUnavailable,
        Self::PaymentTimeout,
        Self::OutOfTime,
    ];

    /// The reason as programs and files write it: `out_of_stock`.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownSku => "unknown_sku",
            Self::OutOfStock => "out_of_stock",
            Self::ReservationRefused => "reservation_refused",
            Self::InventoryUnavailable => "inventory_unavailable",
            Self::CardDeclined => "card_declined",
            Self::OverLimit => "over_limit",
            Self::PaymentRefused => "payment_refused",
            Self::PaymentUnavailable => "payment_unavailable",
            Self::PaymentTimeout => "payment_timeout",
            Self::OutOfTime => "out_of_time",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether what had been done for a rejected order was undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compensation {
    /// Nothing had been done.
    NotNeeded,
    /// All of it was undone.
    Done,
    /// A service that had to undo something did not answer. A reservation ends by itself; a charge needs a person.
    Incomplete,
}

/// What is published as `orders.placed` and `orders.rejected`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The order.
    pub order: OrderId,
    /// What became of it.
    pub outcome: Outcome,
}
