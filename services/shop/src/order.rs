//! Orders, as customers place them.

use serde::{Deserialize, Serialize};

use crate::card::Card;
use crate::text::{OrderId, Sku};

/// Most lines of an order.
pub const LINES: usize = 16;
/// Most pieces on one line.
pub const QUANTITY: u32 = 1_000;

/// So many pieces of one article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The article.
    pub sku: Sku,
    /// Pieces, 1 to [`QUANTITY`].
    pub quantity: u32,
}

/// The lines of an order, 1 to [`LINES`], each within its bounds. An article may stand on several lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Line>", into = "Vec<Line>")]
pub struct Lines(Vec<Line>);

/// Lines that no order may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidLines {
    /// None, or too many.
    #[error("an order has 1 to {LINES} lines, not {0}")]
    Count(usize),
    /// No pieces, or too many.
    #[error("a line has 1 to {QUANTITY} pieces, not {0}")]
    Quantity(u32),
}

impl TryFrom<Vec<Line>> for Lines {
    type Error = InvalidLines;

    fn try_from(lines: Vec<Line>) -> Result<Self, Self::Error> {
        if lines.is_empty() || lines.len() > LINES {
            return Err(InvalidLines::Count(lines.len()));
        }
        match lines.iter().find(|line| line.quantity == 0 || line.quantity > QUANTITY) {
            Some(line) => Err(InvalidLines::Quantity(line.quantity)),
            None => Ok(Self(lines)),
        }
    }
}

impl From<Lines> for Vec<Line> {
    fn from(lines: Lines) -> Self {
        lines.0
    }
}

impl Lines {
    /// The lines, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Line> {
        self.0.iter()
    }

    /// Pieces of all lines together.
    pub fn units(&self) -> u64 {
        self.0.iter().map(|line| u64::from(line.quantity)).sum()
    }
}

/// The body of `orders.place`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The order's number, chosen by who places it. Placing it again under its number does nothing twice.
    pub id: OrderId,
    /// The card to charge.
    pub card: Card,
    /// What is wanted.
    pub lines: Lines,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn lines(wanted: &[(&str, u32)]) -> Lines {
        let line = |(sku, quantity): &(&str, u32)| Line {
            sku: Sku::try_from((*sku).to_owned()).unwrap(),
            quantity: *quantity,
        };
        Lines::try_from(wanted.iter().map(line).collect::<Vec<_>>()).unwrap()
    }

    pub(crate) fn id(text: &str) -> OrderId {
        OrderId::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn lines_and_quantities_are_bounded() {
        let line = |quantity| Line { sku: Sku::try_from("a".to_owned()).unwrap(), quantity };
        assert_eq!(Lines::try_from(vec![]), Err(InvalidLines::Count(0)));
        assert!(Lines::try_from(vec![line(1); LINES]).is_ok());
        assert_eq!(Lines::try_from(vec![line(1); LINES + 1]), Err(InvalidLines::Count(LINES + 1)));
        assert_eq!(Lines::try_from(vec![line(0)]), Err(InvalidLines::Quantity(0)));
        assert!(Lines::try_from(vec![line(QUANTITY)]).is_ok());
        assert_eq!(Lines::try_from(vec![line(QUANTITY + 1)]), Err(InvalidLines::Quantity(QUANTITY + 1)));
    }
}
