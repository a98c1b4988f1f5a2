//! How often something happens.

use std::fmt;
use std::str::FromStr;

/// Parts of a whole.
const WHOLE: u32 = 1_000_000;

/// How often something happens, in parts per million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Probability(u32);

/// A probability that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no probability: say 5%, 0.05 or 1")]
pub struct ProbabilityError(String);

impl Probability {
    /// It does not happen.
    pub const NEVER: Self = Self(0);
    /// It happens each time.
    pub const ALWAYS: Self = Self(WHOLE);

    /// So many of a million; at most all of them.
    #[must_use]
    pub const fn per_million(parts: u32) -> Self {
        Self(if parts > WHOLE { WHOLE } else { parts })
    }

    /// So many of a hundred; at most all of them.
    #[must_use]
    pub const fn percent(parts: u32) -> Self {
        Self::per_million(parts.saturating_mul(WHOLE / 100))
    }

    /// Its parts per million.
    #[must_use]
    pub const fn parts(self) -> u32 {
        self.0
    }

    /// Whether it happens, by 64 random bits.
    #[must_use]
    pub const fn hits(self, random: u64) -> bool {
        // Exact at both ends: the scaled value is below WHOLE always.
        ((random >> 32) * WHOLE as u64) >> 32 < self.0 as u64
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.0) / f64::from(WHOLE / 100))
    }
}

impl FromStr for Probability {
    type Err = ProbabilityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, whole) = match text.strip_suffix('%') {
            Some(number) => (number, 100.0),
            None => (text, 1.0),
        };
        match number.parse::<f64>() {
            Ok(value) if (0.0..=whole).contains(&value) => {
                Ok(Self((value / whole * f64::from(WHOLE)).round() as u32))
            }
            _ => Err(ProbabilityError(text.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_in_percent_or_as_a_part() {
        for (text, parts) in
            [("5%", 50_000), ("0.05", 50_000), ("0", 0), ("1", WHOLE), ("100%", WHOLE), ("0.5%", 5_000)]
        {
            assert_eq!(text.parse(), Ok(Probability(parts)), "{text}");
        }
        for text in ["", "%", "-1%", "100.1%", "1.01", "NaN", "inf", "five"] {
            assert_eq!(text.parse::<Probability>(), Err(ProbabilityError(text.into())));
        }
        assert_eq!(Probability::percent(5).to_string(), "5%");
        assert_eq!(Probability::percent(101), Probability::ALWAYS);
    }

    #[test]
    fn never_is_never_and_always_is_always() {
        for random in [0, 1, u64::from(u32::MAX), 1 << 32, u64::MAX - 1, u64::MAX] {
            assert!(!Probability::NEVER.hits(random));
            assert!(Probability::ALWAYS.hits(random));
        }
        assert!(Probability::per_million(1).hits(0));
        assert!(!Probability::per_million(WHOLE - 1).hits(u64::MAX));
    }
}
