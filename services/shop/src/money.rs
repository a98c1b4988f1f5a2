//! Money, in whole cents.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount in cents. There is one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(pub u64);

impl Cents {
    /// The price of `quantity` articles; `None` beyond what fits.
    pub fn times(self, quantity: u32) -> Option<Self> {
        self.0.checked_mul(quantity.into()).map(Self)
    }

    /// The sum; `None` beyond what fits.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}
