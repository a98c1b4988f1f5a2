//! The inventory: what is in stock, and for whom it is held.

mod core;
mod error;
mod stats;

pub use self::core::Inventory;
pub use self::error::Error;
pub use self::stats::Stats;
