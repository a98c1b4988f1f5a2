//! Subjects and patterns: where a message goes, and which subjects a subscription wants.
//!
//! ```text
//!  orders.eu.created        a subject: tokens joined by dots
//!  orders.*.created         `*` stands for exactly one token
//!  orders.>                 `>`, last only, stands for one or more tokens
//! ```
//!
//! Rules for both: UTF-8, at most [`SUBJECT_BYTES`](crate::limits::SUBJECT_BYTES) bytes and
//! [`SUBJECT_TOKENS`](crate::limits::SUBJECT_TOKENS) tokens, no empty token, no byte of `0x00..=0x20` and no
//! `0x7f`. `*` and `>` appear in patterns only and only as whole tokens. What starts with the token `$mesh` belongs
//! to the node: it is well formed, and [`is_reserved`] tells it apart.
//!
//! [`Subject::check`] and [`Pattern::check`] borrow and allocate nothing; [`Subject`] and [`Pattern`] own text that
//! was checked once.

mod error;
mod pattern;
mod scan;

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::error::SubjectError;
pub use self::pattern::Pattern;
use self::scan::Grammar;
use crate::limits::RESERVED_PREFIX;

/// A well-formed subject, without wildcards. It may be reserved: see [`Subject::is_reserved`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(Box<str>);

impl Subject {
    /// Takes `text` if it is a well-formed subject.
    ///
    /// # Errors
    /// The first rule of this module that `text` breaks.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, SubjectError> {
        let text = text.into();
        Self::check(text.as_bytes())?;
        Ok(Self(text))
    }

    /// Checks bytes from the wire and gives them back as text, without allocating. Accepts reserved subjects.
    ///
    /// # Errors
    /// The first rule of this module that `bytes` break.
    #[inline]
    pub fn check(bytes: &[u8]) -> Result<&str, SubjectError> {
        scan::scan(bytes, Grammar::Subject)
    }

    /// As [`Subject::check`], and refuses what belongs to the node.
    ///
    /// # Errors
    /// The first rule of this module that `bytes` break; [`SubjectError::Reserved`] for a subject that is well
    /// formed and reserved, so that a caller who serves those can go on from it.
    #[inline]
    pub fn check_unreserved(bytes: &[u8]) -> Result<&str, SubjectError> {
        let subject = Self::check(bytes)?;
        if is_reserved(subject) { Err(SubjectError::Reserved) } else { Ok(subject) }
    }

    /// The subject as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tokens from first to last; there is at least one.
    pub fn tokens(&self) -> Tokens<'_> {
        tokens(&self.0)
    }

    /// Whether the subject belongs to the node.
    pub fn is_reserved(&self) -> bool {
        is_reserved(&self.0)
    }

    /// The text, without a copy.
    pub fn into_boxed_str(self) -> Box<str> {
        self.0
    }
}

/// The tokens of a subject or pattern.
pub type Tokens<'a> = std::str::Split<'a, char>;

/// Splits a subject or pattern that was checked into its tokens.
#[inline]
pub fn tokens(text: &str) -> Tokens<'_> {
    text.split('.')
}

/// The first token of a subject or pattern; the whole text when it has one token.
#[inline]
pub fn first_token(text: &str) -> &str {
    text.split_once('.').map_or(text, |(first, _)| first)
}

/// Whether a subject or pattern belongs to the node: its first token is `$mesh`.
#[inline]
pub fn is_reserved(text: &str) -> bool {
    match text.strip_prefix(RESERVED_TOKEN) {
        Some(rest) => rest.is_empty() || rest.as_bytes()[0] == b'.',
        None => false,
    }
}

const RESERVED_TOKEN: &str = match RESERVED_PREFIX.split_at_checked(RESERVED_PREFIX.len() - 1) {
    Some((token, _)) => token,
    None => RESERVED_PREFIX,
};

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        Self::check(text.as_bytes()).map(|text| Self(text.into()))
    }
}

impl TryFrom<&str> for Subject {
    type Error = SubjectError;

    fn try_from(text: &str) -> Result<Self, SubjectError> {
        text.parse()
    }
}

impl TryFrom<String> for Subject {
    type Error = SubjectError;

    fn try_from(text: String) -> Result<Self, SubjectError> {
        Self::new(text)
    }
}

impl AsRef<str> for Subject {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Subject {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({:?})", &self.0)
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Box::<str>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
