//! The inventory: what is in stock, and for whom it is held.

mod core;
mod error;
mod service;
mod stats;

pub use self::core::Inventory;
pub use self::error::Error;
pub use self::service::{SERVICE, serve};
pub use self::stats::Stats;
