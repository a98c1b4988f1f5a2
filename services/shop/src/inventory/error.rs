//! Why the inventory did not do what it was asked.

use crate::text::Sku;

/// A refusal of the inventory. It travels as the number of [`Error::code`] and the text of the error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such article.
    #[error("there is no article {sku}")]
    UnknownSku {
        /// The article.
        sku: Sku,
    },
    /// More is wanted than is there.
    #[error("{available} pieces of {sku} are there, {wanted} are wanted")]
    OutOfStock {
        /// The article.
        sku: Sku,
        /// Pieces wanted by all lines together.
        wanted: u64,
        /// Pieces in stock.
        available: u64,
    },
    /// The price does not fit into an amount.
    #[error("the price of the order is beyond what can be counted")]
    TooDear,
    /// The hold of the order was released, or its time was over.
    #[error("the reservation was released or its time was over")]
    Closed,
    /// Nothing is held for the order.
    #[error("nothing is reserved for the order")]
    NotHeld,
    /// The order's number was used for other lines.
    #[error("the order's number was used for another order")]
    KeyReused,
    /// As many reservations are open as may be.
    #[error("as many reservations are open as may be")]
    Full,
}

impl Error {
    /// The number that goes with the reply. Stable, never reused.
    pub fn code(&self) -> u32 {
        match self {
            Self::UnknownSku { .. } => 201,
            Self::OutOfStock { .. } => 202,
            Self::TooDear => 203,
            Self::Closed => 204,
            Self::NotHeld => 205,
            Self::KeyReused => 206,
            Self::Full => 207,
        }
    }

    /// What the caller can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::UnknownSku { .. } => "check the article's number",
            Self::OutOfStock { .. } => "order less, or wait until there is more",
            Self::TooDear => "split the order",
            Self::Closed | Self::NotHeld => "place the order again under a new number",
            Self::KeyReused => "give each order a number of its own",
            Self::Full => "try again in a moment",
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Full)
    }
}
