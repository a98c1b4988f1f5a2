//! What the three services answer to, and what goes to and fro. Bodies are postcard, or JSON for who asks in JSON.

use serde::{Deserialize, Serialize};

use crate::card::Card;
use crate::money::Cents;
use crate::order::Lines;
use crate::text::OrderId;

/// Places an [`Order`](crate::Order); answers with an [`Outcome`](crate::orders::Outcome). May be repeated.
pub const ORDERS_PLACE: &str = "orders.place";
/// Answers with [`orders::Stats`](crate::orders::Stats).
pub const ORDERS_STATS: &str = "orders.stats";
/// Event: an order was placed. The body is a [`Decided`](crate::orders::Decided) in JSON, the key is the order's id.
pub const ORDERS_PLACED: &str = "orders.placed";
/// Event: an order was rejected. The body is a [`Decided`](crate::orders::Decided) in JSON, the key is the order's id.
pub const ORDERS_REJECTED: &str = "orders.rejected";

/// Takes [`Reserve`]; answers with [`Reserved`]. May be repeated.
pub const INVENTORY_RESERVE: &str = "inventory.reserve";
/// Takes [`OfOrder`]; answers with nothing. May be repeated.
pub const INVENTORY_CONFIRM: &str = "inventory.confirm";
/// Takes [`OfOrder`]; answers with [`Released`]. May be repeated, and may come before its reserve.
pub const INVENTORY_RELEASE: &str = "inventory.release";
/// Answers with [`inventory::Stats`](crate::inventory::Stats).
pub const INVENTORY_STATS: &str = "inventory.stats";

/// Takes [`Charge`]; answers with [`Receipt`](crate::payment::Receipt). May be repeated.
pub const PAYMENT_CHARGE: &str = "payment.charge";
/// Takes [`OfOrder`]; answers with [`Voided`]. May be repeated, and may come before its charge.
pub const PAYMENT_VOID: &str = "payment.void";
/// Answers with [`payment::Stats`](crate::payment::Stats).
pub const PAYMENT_STATS: &str = "payment.stats";

/// Names the order that something is done for. It is the idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfOrder {
    /// The order.
    pub order: OrderId,
}

/// The body of [`INVENTORY_RESERVE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    /// The order. It is the idempotency key.
    pub order: OrderId,
    /// What is wanted.
    pub lines: Lines,
}

/// The reply to [`INVENTORY_RESERVE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// The price of all pieces.
    pub total: Cents,
}

/// The reply to [`INVENTORY_RELEASE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// Pieces that went back into stock; none when there was nothing to release.
    pub units: u64,
}

/// The body of [`PAYMENT_CHARGE`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The order. It is the idempotency key.
    pub order: OrderId,
    /// The card.
    pub card: Card,
    /// The amount.
    pub amount: Cents,
}

/// The reply to [`PAYMENT_VOID`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voided {
    /// What was refunded; nothing when nothing had been taken.
    pub refunded: Cents,
}
