//! What the payment service did, in numbers.

use serde::{Deserialize, Serialize};

use crate::money::Cents;

/// The reply to `payment.stats`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Charges that stand.
    pub captured: u64,
    /// What the charges that stand come to.
    pub captured_total: Cents,
    /// Receipts given, for charges that were taken back later too.
    pub receipts: u64,
    /// Charges that the bank refused.
    pub declined: u64,
    /// Attempts that the bank was not available for.
    pub unavailable: u64,
    /// Charges that were taken back, whether money had been taken or not.
    pub voided: u64,
    /// Answers of the bank that came after their charge was taken back.
    pub late: u64,
    /// Commands that came again and were answered as before.
    pub repeated: u64,
}
