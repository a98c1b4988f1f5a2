//! Patterns: which subjects a subscription wants.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::scan::{Grammar, scan};
use super::{Subject, SubjectError, Tokens, first_token, is_reserved, tokens};

/// A well-formed pattern: a subject whose tokens may be `*` (any one token) and whose last may be `>` (one or more).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// Takes `text` if it is a well-formed pattern.
    ///
    /// # Errors
    /// The first rule of [`subject`](crate::subject) that `text` breaks.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, SubjectError> {
        let text = text.into();
        Self::check(text.as_bytes())?;
        Ok(Self(text))
    }

    /// Checks bytes from the wire and gives them back as text, without allocating. Accepts reserved patterns.
    ///
    /// # Errors
    /// The first rule of [`subject`](crate::subject) that `bytes` break.
    #[inline]
    pub fn check(bytes: &[u8]) -> Result<&str, SubjectError> {
        scan(bytes, Grammar::Pattern)
    }

    /// As [`Pattern::check`], and refuses what belongs to the node.
    ///
    /// # Errors
    /// The first rule of [`subject`](crate::subject) that `bytes` break; [`SubjectError::Reserved`] for a pattern
    /// that is well formed and whose first token is `$mesh`.
    #[inline]
    pub fn check_unreserved(bytes: &[u8]) -> Result<&str, SubjectError> {
        let pattern = Self::check(bytes)?;
        if is_reserved(pattern) { Err(SubjectError::Reserved) } else { Ok(pattern) }
    }

    /// Whether `subject`, which was checked, is one that this pattern wants.
    pub fn matches(&self, subject: &str) -> bool {
        let mut given = tokens(subject);
        for wanted in self.tokens() {
            match (wanted, given.next()) {
                (_, None) => return false,
                (">", Some(_)) => return true,
                ("*", Some(_)) => {}
                (literal, Some(token)) if literal == token => {}
                _ => return false,
            }
        }
        given.next().is_none()
    }

    /// Whether any token is `*` or `>`; without one, the pattern wants exactly the subject of the same text.
    pub fn is_wildcard(&self) -> bool {
        // A wildcard is always a whole token, so any such byte is one.
        self.0.bytes().any(|byte| matches!(byte, b'*' | b'>'))
    }

    /// Whether the pattern belongs to the node.
    pub fn is_reserved(&self) -> bool {
        is_reserved(&self.0)
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tokens from first to last; there is at least one.
    pub fn tokens(&self) -> Tokens<'_> {
        tokens(&self.0)
    }

    /// The first token when it is literal, `None` when it is a wildcard.
    pub fn literal_first_token(&self) -> Option<&str> {
        Some(first_token(&self.0)).filter(|token| !matches!(*token, "*" | ">"))
    }

    /// The text, without a copy.
    pub fn into_boxed_str(self) -> Box<str> {
        self.0
    }
}

impl From<Subject> for Pattern {
    fn from(subject: Subject) -> Self {
        Self(subject.into_boxed_str())
    }
}

impl FromStr for Pattern {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        Self::check(text.as_bytes()).map(|text| Self(text.into()))
    }
}

impl TryFrom<&str> for Pattern {
    type Error = SubjectError;

    fn try_from(text: &str) -> Result<Self, SubjectError> {
        text.parse()
    }
}

impl TryFrom<String> for Pattern {
    type Error = SubjectError;

    fn try_from(text: String) -> Result<Self, SubjectError> {
        Self::new(text)
    }
}

impl AsRef<str> for Pattern {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Pattern {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", &self.0)
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Box::<str>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
