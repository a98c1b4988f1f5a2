//! The typed value of a header.

use super::HeaderError;

/// First of the type numbers that are carried without being understood.
pub const FIRST_OPAQUE_TYPE: u8 = 128;

pub(super) const NULL: u8 = 0;
pub(super) const BYTES: u8 = 1;
pub(super) const STR: u8 = 2;
pub(super) const I64: u8 = 3;
pub(super) const U64: u8 = 4;
pub(super) const F64: u8 = 5;
pub(super) const BOOL: u8 = 6;
pub(super) const TIMESTAMP: u8 = 7;

/// A header's value, borrowed from the encoded headers or from what is to be encoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Present, without a value.
    Null,
    /// Any bytes.
    Bytes(&'a [u8]),
    /// Text.
    Str(&'a str),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A floating-point number; its bits are kept, NaN payloads too.
    F64(f64),
    /// A truth value.
    Bool(bool),
    /// Milliseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// A type of another system (128..=255), carried unchanged.
    Opaque(u8, &'a [u8]),
}

impl<'a> Value<'a> {
    /// The number of the value's type on the wire.
    pub fn type_number(&self) -> u8 {
        match self {
            Self::Null => NULL,
            Self::Bytes(_) => BYTES,
            Self::Str(_) => STR,
            Self::I64(_) => I64,
            Self::U64(_) => U64,
            Self::F64(_) => F64,
            Self::Bool(_) => BOOL,
            Self::Timestamp(_) => TIMESTAMP,
            Self::Opaque(kind, _) => *kind,
        }
    }

    /// The text, if this is a [`Value::Str`].
    pub fn as_str(&self) -> Option<&'a str> {
        match *self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes of text, bytes or an opaque value.
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        match *self {
            Self::Bytes(bytes) | Self::Opaque(_, bytes) => Some(bytes),
            Self::Str(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// The number, if this is an integer that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::I64(number) => Some(number),
            Self::U64(number) => i64::try_from(number).ok(),
            _ => None,
        }
    }

    /// The number, if this is an integer that fits.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::U64(number) => Some(number),
            Self::I64(number) => u64::try_from(number).ok(),
            _ => None,
        }
    }

    /// The number, if this is a [`Value::F64`].
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::F64(number) => Some(number),
            _ => None,
        }
    }

    /// The truth value, if this is a [`Value::Bool`].
    pub fn as_bool(&self) -> Option<bool> {
        match *self {
            Self::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    /// Milliseconds since the epoch, if this is a [`Value::Timestamp`].
    pub fn as_timestamp_ms(&self) -> Option<i64> {
        match *self {
            Self::Timestamp(ms) => Some(ms),
            _ => None,
        }
    }

    pub(super) fn decode(kind: u8, bytes: &'a [u8]) -> Result<Self, HeaderError> {
        Ok(match kind {
            NULL => {
                array::<0>(kind, bytes)?;
                Self::Null
            }
            BYTES => Self::Bytes(bytes),
            STR => Self::Str(std::str::from_utf8(bytes).map_err(|_| HeaderError::ValueNotUtf8)?),
            I64 => Self::I64(i64::from_le_bytes(array(kind, bytes)?)),
            U64 => Self::U64(u64::from_le_bytes(array(kind, bytes)?)),
            F64 => Self::F64(f64::from_le_bytes(array(kind, bytes)?)),
            BOOL => match array::<1>(kind, bytes)? {
                [0] => Self::Bool(false),
                [1] => Self::Bool(true),
                [value] => return Err(HeaderError::NotBool { value }),
            },
            TIMESTAMP => Self::Timestamp(i64::from_le_bytes(array(kind, bytes)?)),
            FIRST_OPAQUE_TYPE.. => Self::Opaque(kind, bytes),
            kind => return Err(HeaderError::ReservedType { kind }),
        })
    }

    pub(super) fn encoded_len(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Bytes(bytes) | Self::Opaque(_, bytes) => bytes.len(),
            Self::Str(text) => text.len(),
            Self::Bool(_) => 1,
            Self::I64(_) | Self::U64(_) | Self::F64(_) | Self::Timestamp(_) => 8,
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => {}
            Self::Bytes(bytes) | Self::Opaque(_, bytes) => out.extend_from_slice(bytes),
            Self::Str(text) => out.extend_from_slice(text.as_bytes()),
            Self::I64(number) | Self::Timestamp(number) => out.extend_from_slice(&number.to_le_bytes()),
            Self::U64(number) => out.extend_from_slice(&number.to_le_bytes()),
            Self::F64(number) => out.extend_from_slice(&number.to_le_bytes()),
            Self::Bool(truth) => out.push(u8::from(*truth)),
        }
    }
}

fn array<const N: usize>(kind: u8, bytes: &[u8]) -> Result<[u8; N], HeaderError> {
    bytes.try_into().map_err(|_| HeaderError::ValueLength { kind, expected: N, actual: bytes.len() })
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Str(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Str(text)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a bytes::Bytes> for Value<'a> {
    fn from(bytes: &'a bytes::Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<i32> for Value<'_> {
    fn from(number: i32) -> Self {
        Self::I64(number.into())
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::I64(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::U64(number.into())
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::U64(number)
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Self::F64(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<()> for Value<'_> {
    fn from((): ()) -> Self {
        Self::Null
    }
}

/// The value as a person reads it; bytes that are not text appear in hexadecimal.
impl std::fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Str(text) => f.write_str(text),
            Self::I64(number) | Self::Timestamp(number) => number.fmt(f),
            Self::U64(number) => number.fmt(f),
            Self::F64(number) => number.fmt(f),
            Self::Bool(truth) => truth.fmt(f),
            Self::Bytes(bytes) | Self::Opaque(_, bytes) => {
                f.write_str("0x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}
