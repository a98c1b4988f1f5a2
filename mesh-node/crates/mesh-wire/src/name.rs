//! Names of queues, streams, groups, services, nodes and clusters.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::code::Code;
use crate::limits::NAME_BYTES;

/// A well-formed name: 1 to [`NAME_BYTES`] bytes of `a-z 0-9 . _ -`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<str>);

impl Name {
    /// Takes `text` if it is a well-formed name.
    ///
    /// # Errors
    /// The first rule that `text` breaks.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, NameError> {
        let text = text.into();
        Self::check(text.as_bytes())?;
        Ok(Self(text))
    }

    /// Checks bytes from the wire and gives them back as text, without allocating.
    ///
    /// # Errors
    /// The first rule that `bytes` break.
    pub fn check(bytes: &[u8]) -> Result<&str, NameError> {
        if bytes.is_empty() {
            return Err(NameError::Empty);
        }
        if bytes.len() > NAME_BYTES {
            return Err(NameError::TooLong { bytes: bytes.len() });
        }
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
        match bytes.iter().position(|&byte| !allowed(byte)) {
            Some(at) => Err(NameError::ForbiddenByte { byte: bytes[at], at }),
            // Every allowed byte is ASCII.
            None => std::str::from_utf8(bytes).map_err(|error| NameError::ForbiddenByte {
                byte: bytes[error.valid_up_to()],
                at: error.valid_up_to(),
            }),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, without a copy.
    pub fn into_boxed_str(self) -> Box<str> {
        self.0
    }
}

/// The first rule that a name breaks. Positions are byte offsets from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is no text at all.
    #[error("the name is empty")]
    Empty,
    /// More bytes than [`NAME_BYTES`].
    #[error("the name has {bytes} bytes, {NAME_BYTES} are allowed")]
    TooLong {
        /// How many bytes it has.
        bytes: usize,
    },
    /// A byte outside `a-z 0-9 . _ -`.
    #[error("the name has the forbidden byte 0x{byte:02x} at byte {at}; allowed are a-z 0-9 . _ -")]
    ForbiddenByte {
        /// The byte.
        byte: u8,
        /// Where it is.
        at: usize,
    },
}

impl NameError {
    /// The code that the other side is told.
    pub fn code(&self) -> Code {
        match self {
            Self::TooLong { .. } => Code::NameTooLong,
            Self::Empty | Self::ForbiddenByte { .. } => Code::NameMalformed,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same text can be accepted later: no.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::check(text.as_bytes()).map(|text| Self(text.into()))
    }
}

impl TryFrom<&str> for Name {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Self, NameError> {
        text.parse()
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({:?})", &self.0)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Box::<str>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_at_the_limit() {
        assert_eq!(Name::check(b""), Err(NameError::Empty));
        assert_eq!(Name::check(b"a"), Ok("a"));
        assert!(Name::new("a".repeat(NAME_BYTES)).is_ok());
        assert_eq!(Name::new("a".repeat(NAME_BYTES + 1)), Err(NameError::TooLong { bytes: 129 }));
        assert_eq!(NameError::TooLong { bytes: 129 }.code(), Code::NameTooLong);
        assert_eq!(NameError::Empty.code(), Code::NameMalformed);
    }

    #[test]
    fn every_byte() {
        for byte in 0..=255u8 {
            let allowed = b"abcdefghijklmnopqrstuvwxyz0123456789._-".contains(&byte);
            let expected = if allowed { None } else { Some(NameError::ForbiddenByte { byte, at: 1 }) };
            assert_eq!(Name::check(&[b'a', byte]).err(), expected, "byte {byte:#x}");
        }
    }

    #[test]
    fn serde_keeps_the_rules() {
        let name: Name = "mail.v2_a-b".parse().unwrap();
        let bytes = postcard::to_allocvec(&name).unwrap();
        assert_eq!(postcard::from_bytes::<Name>(&bytes).unwrap(), name);
        assert!(postcard::from_bytes::<Name>(&postcard::to_allocvec("Mail").unwrap()).is_err());
    }
}
