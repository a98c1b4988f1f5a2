//! Card numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A card number with a right check digit. It shows its last four digits only, wherever it is printed.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Card(String);

/// The text is no card number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a card number is 12 to 19 digits with a right check digit")]
pub struct InvalidCard;

impl Card {
    /// All digits. For the processor, not for logs.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Card {
    type Error = InvalidCard;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let shaped = (12..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if shaped && luhn(&text) { Ok(Self(text)) } else { Err(InvalidCard) }
    }
}

impl From<Card> for String {
    fn from(card: Card) -> Self {
        card.0
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Card(…{})", &self.0[self.0.len() - 4..])
    }
}

/// The check of ISO/IEC 7812: every second digit from the right counts double, the sum ends in zero.
fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .map(|byte| u32::from(byte - b'0'))
        .enumerate()
        .map(|(place, digit)| if place % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_checked() {
        for (text, fits) in [
            ("4242424242424242", true),
            ("4242424242424241", false),
            ("378282246310005", true),
            ("00000000000", false),
            ("000000000000", true),
            ("0000000000000000000", true),
            ("00000000000000000000", false),
            ("4242 4242 4242 4242", false),
            ("", false),
        ] {
            assert_eq!(Card::try_from(text.to_owned()).is_ok(), fits, "{text:?}");
        }
    }

    #[test]
    fn a_card_does_not_show_its_number() {
        let card = Card::try_from("4242424242424242".to_owned()).unwrap();
        assert_eq!(format!("{card:?}"), "Card(…4242)");
    }
}
