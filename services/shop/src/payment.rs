//! Payment: charges cards, once for each order.

mod core;
mod error;
mod processor;
mod service;
mod stats;

use serde::{Deserialize, Serialize};

pub use self::core::{Answer, Payments};
pub use self::error::Error;
pub use self::processor::{Decision, LIMIT, decide};
pub use self::service::{SERVICE, serve};
pub use self::stats::Stats;
use crate::money::Cents;

/// Money was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Number of the receipt.
    pub number: u64,
    /// What was taken.
    pub amount: Cents,
}
