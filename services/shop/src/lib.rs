//! Shop.
mod card;
pub mod inventory;
mod memory;
mod money;
mod order;
pub mod orders;
pub mod payment;
mod stock;
mod text;

pub use self::card::{Card, InvalidCard};
pub use self::memory::Bounds;
pub use self::money::Cents;
pub use self::order::{InvalidLines, LINES, Line, Lines, Order, QUANTITY};
pub use self::stock::{ARTICLES, Article, InvalidStock, STOCK_DEFAULT, parse as parse_stock};
pub use self::text::{IDENTIFIER_BYTES, InvalidIdentifier, OrderId, Sku};
