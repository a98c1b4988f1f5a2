//! Values that are nothing but text or bytes, and so need no encoding.
//!
//! Without this, `publish(subject, &text)` would put a length in front of the text, only because it was given by
//! reference. Written: what serde sees as one string, as bytes, or as a sequence or tuple of `u8` and nothing else.
//! Read: the same shapes.

mod read;
mod write;

use std::fmt;

use serde::de::{self, DeserializeOwned};
use serde::ser::{self, Serialize};

/// Why a body is not what was asked for.
#[derive(Debug)]
pub(super) enum Unfit {
    /// What was asked for is neither text nor bytes.
    Shape,
    /// It is, but the body does not hold it.
    Content(String),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape => f.write_str("the body is not marked as an encoded value"),
            Self::Content(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Unfit {}

impl ser::Error for Unfit {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::Content(text.to_string())
    }
}

impl de::Error for Unfit {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::Content(text.to_string())
    }
}

/// The bytes of a value that is nothing but text or bytes.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    value.serialize(write::Plain::new(&mut bytes)).ok()?;
    Some(bytes)
}

/// Reads text or bytes as they are.
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unfit> {
    T::deserialize(read::Plain(body))
}
