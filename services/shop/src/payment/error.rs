//! Why a charge was not taken.

/// A refusal of the payment service. It travels as the number of [`Error::code`] and the text of the error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bank refuses the card.
    #[error("the card was declined")]
    Declined,
    /// The card has not got so much.
    #[error("the card has insufficient funds")]
    NoFunds,
    /// More than is charged at once.
    #[error("the amount is over the limit of one charge")]
    OverLimit,
    /// The bank can't be reached.
    #[error("the bank is not available")]
    Unavailable,
    /// The charge was taken back.
    #[error("the charge was taken back")]
    Voided,
    /// The order's number was used for another charge.
    #[error("the order's number was used for another charge")]
    KeyReused,
}

impl Error {
    /// The number that goes with the reply. Stable, never reused.
    pub fn code(&self) -> u32 {
        match self {
            Self::Declined => 301,
            Self::NoFunds => 302,
            Self::OverLimit => 303,
            Self::Unavailable => 304,
            Self::Voided => 305,
            Self::KeyReused => 306,
        }
    }

    /// What the caller can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Declined | Self::NoFunds => "ask for another card",
            Self::OverLimit => "split the order",
            Self::Unavailable => "try again under the same order number",
            Self::Voided => "place the order again under a new number",
            Self::KeyReused => "give each order a number of its own",
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable)
    }
}
