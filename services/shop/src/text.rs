//! Identifiers that people choose: orders and articles.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest identifier, in bytes.
pub const IDENTIFIER_BYTES: usize = 64;

/// The text is no identifier: 1 to [`IDENTIFIER_BYTES`] letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an identifier is 1 to {IDENTIFIER_BYTES} letters, digits, '-' and '_'")]
pub struct InvalidIdentifier;

/// An order's number. Everything that is done for an order is done once under it: it is the idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrderId(String);

/// An article's number (stock-keeping unit).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sku(String);

impl OrderId {
    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Sku {
    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OrderId {
    type Error = InvalidIdentifier;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        checked(text).map(Self)
    }
}

impl TryFrom<String> for Sku {
    type Error = InvalidIdentifier;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        checked(text).map(Self)
    }
}

impl From<OrderId> for String {
    fn from(id: OrderId) -> Self {
        id.0
    }
}

impl From<Sku> for String {
    fn from(sku: Sku) -> Self {
        sku.0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn checked(text: String) -> Result<String, InvalidIdentifier> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if text.is_empty() || text.len() > IDENTIFIER_BYTES || !text.bytes().all(plain) {
        return Err(InvalidIdentifier);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_bounded_and_plain() {
        assert!(OrderId::try_from("x".repeat(IDENTIFIER_BYTES)).is_ok());
        assert!(OrderId::try_from("x".repeat(IDENTIFIER_BYTES + 1)).is_err());
        for (text, fits) in [("A-1_b", true), ("", false), ("a b", false), ("a.b", false), ("ä", false)] {
            assert_eq!(Sku::try_from(text.to_owned()).is_ok(), fits, "{text:?}");
        }
    }
}
