//! Walking encoded headers in place.

use std::fmt;

use super::{HEADER_PREFIX_BYTES, HeaderError, Value, value};
use crate::limits;

/// Checks encoded headers whole, in one pass and without allocating; returns how many there are.
///
/// What passes here can be forwarded unchanged and read with [`HeadersRef::parse`] by anyone.
///
/// # Errors
/// The first thing that is wrong, in the order of the bytes; the size of the whole comes first.
pub fn validate(bytes: &[u8]) -> Result<usize, HeaderError> {
    if bytes.len() > limits::HEADERS_BYTES {
        return Err(HeaderError::TooLarge { bytes: bytes.len() });
    }
    let mut rest = bytes;
    let mut count = 0;
    while !rest.is_empty() {
        if count == limits::HEADERS {
            return Err(HeaderError::TooMany);
        }
        let (raw, tail) =
            RawHeader::split(rest).ok_or(HeaderError::Truncated { at: bytes.len() - rest.len() })?;
        check_name(raw.name)?;
        // Bytes and opaque values are whatever they are; text is the only type whose content costs a pass.
        if raw.kind != value::BYTES {
            Value::decode(raw.kind, raw.value)?;
        }
        rest = tail;
        count += 1;
    }
    Ok(count)
}

/// Refuses names that are empty, not UTF-8, or hold control characters.
pub(super) fn check_name(name: &[u8]) -> Result<(), HeaderError> {
    if name.is_empty() {
        return Err(HeaderError::EmptyName);
    }
    // Nearly every name is printable ASCII, which needs no decoding.
    if name.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(());
    }
    let text = std::str::from_utf8(name).map_err(|_| HeaderError::NameNotUtf8)?;
    if text.chars().any(char::is_control) {
        return Err(HeaderError::NameControl);
    }
    Ok(())
}

/// One header, its lengths read, its content not looked at.
#[derive(Clone, Copy)]
struct RawHeader<'a> {
    kind: u8,
    name: &'a [u8],
    value: &'a [u8],
}

impl<'a> RawHeader<'a> {
    fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&[kind, name_len, value_low, value_high], rest) =
            bytes.split_first_chunk::<HEADER_PREFIX_BYTES>()?;
        let (name, rest) = rest.split_at_checked(name_len.into())?;
        let (value, rest) = rest.split_at_checked(u16::from_le_bytes([value_low, value_high]).into())?;
        Some((Self { kind, name, value }, rest))
    }
}

/// Validated headers, borrowed in their encoded form. Copying it copies a slice.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct HeadersRef<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl<'a> HeadersRef<'a> {
    /// Validates `bytes` in one pass, without allocating.
    ///
    /// # Errors
    /// As [`validate`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, HeaderError> {
        Ok(Self { bytes, count: validate(bytes)? })
    }

    /// For bytes that were validated before, with the count that this gave.
    pub(super) fn validated(bytes: &'a [u8], count: usize) -> Self {
        Self { bytes, count }
    }

    /// The encoded form.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// How many headers there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The value of the first header of this name.
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        self.get_all(name).next()
    }

    /// The values of all headers of this name, in their order.
    pub fn get_all<'n>(&self, name: &'n str) -> Values<'a, 'n> {
        Values { rest: self.bytes, name }
    }

    /// All headers, in their order.
    pub fn iter(&self) -> Iter<'a> {
        Iter { rest: self.bytes, left: self.count }
    }
}

impl<'a> IntoIterator for HeadersRef<'a> {
    type Item = (&'a str, Value<'a>);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl fmt::Debug for HeadersRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Headers as name and value, in their order.
#[derive(Clone)]
pub struct Iter<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (raw, rest) = RawHeader::split(self.rest)?;
        self.rest = rest;
        self.left = self.left.saturating_sub(1);
        Some((std::str::from_utf8(raw.name).ok()?, Value::decode(raw.kind, raw.value).ok()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl std::iter::FusedIterator for Iter<'_> {}

/// The values of the headers of one name, in their order.
#[derive(Clone)]
pub struct Values<'a, 'n> {
    rest: &'a [u8],
    name: &'n str,
}

impl<'a> Iterator for Values<'a, '_> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        while let Some((raw, rest)) = RawHeader::split(self.rest) {
            self.rest = rest;
            if raw.name == self.name.as_bytes() {
                return Value::decode(raw.kind, raw.value).ok();
            }
        }
        None
    }
}

impl std::iter::FusedIterator for Values<'_, '_> {}
