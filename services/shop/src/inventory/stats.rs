//! What the inventory did, in numbers.

use serde::{Deserialize, Serialize};

/// The reply to `inventory.stats`. The pieces in the first three always add up to the stock of the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Pieces in stock.
    pub units_available: u64,
    /// Pieces held for orders under way.
    pub units_held: u64,
    /// Pieces sold.
    pub units_confirmed: u64,
    /// Orders that pieces are held for now.
    pub held: u64,
    /// Orders that pieces were ever held for.
    pub reserved: u64,
    /// Orders whose pieces are sold.
    pub confirmed: u64,
    /// Orders whose pieces were given back.
    pub released: u64,
    /// Orders whose hold ended because nobody confirmed it in time.
    pub expired: u64,
    /// Reservations that were refused.
    pub refused: u64,
    /// Commands that came again and were answered as before.
    pub repeated: u64,
}
