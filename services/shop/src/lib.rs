//! Shop: an example of services that need each other.
//!
//! ```text
//!                          ┌─ reserve, confirm, release ─► inventory
//!  orders.place ─► orders ─┤
//!                     │    └─ charge, void ──────────────► payment
//!                     └─► orders.placed · orders.rejected
//! ```
//!
//! Three programs in one: each role is a process of its own. [`orders::Saga`] decides about one order: which call is
//! next, how long it may take out of what is left of the caller's time, what is tried again, and what is undone when
//! the order can't be placed. [`inventory::Inventory`] and [`payment::Payments`] do everything once for an order,
//! however often they are asked, and remember a bounded number of orders for that. All three know neither clock nor
//! mesh.

pub mod api;
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
