//! Headers that own their encoded form.

use std::fmt;

use bytes::Bytes;

use super::{HeaderError, HeadersBuilder, HeadersRef, Iter, Value, Values, validate};

/// Validated headers in their encoded form, shared: a clone counts a reference and copies nothing.
///
/// Two are equal when their encoded forms are.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    bytes: Bytes,
    count: usize,
}

impl Headers {
    /// No headers.
    pub const fn new() -> Self {
        Self { bytes: Bytes::new(), count: 0 }
    }

    /// Validates `bytes` in one pass, without allocating.
    ///
    /// # Errors
    /// As [`validate`].
    pub fn parse(bytes: Bytes) -> Result<Self, HeaderError> {
        let count = validate(&bytes)?;
        Ok(Self { bytes, count })
    }

    /// Starts building.
    pub fn builder() -> HeadersBuilder {
        HeadersBuilder::new()
    }

    /// For bytes that a builder made.
    pub(super) fn validated(bytes: Bytes, count: usize) -> Self {
        Self { bytes, count }
    }

    /// A builder that starts with these headers, to add to them.
    pub fn to_builder(&self) -> HeadersBuilder {
        HeadersBuilder::validated(self.bytes.to_vec(), self.count)
    }

    /// The borrowed view.
    pub fn as_view(&self) -> HeadersRef<'_> {
        HeadersRef::validated(&self.bytes, self.count)
    }

    /// The encoded form.
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The encoded form, without counting a reference.
    pub fn into_bytes(self) -> Bytes {
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
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.as_view().get(name)
    }

    /// The values of all headers of this name, in their order.
    pub fn get_all<'n>(&self, name: &'n str) -> Values<'_, 'n> {
        self.as_view().get_all(name)
    }

    /// All headers, in their order.
    pub fn iter(&self) -> Iter<'_> {
        self.as_view().iter()
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = (&'a str, Value<'a>);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_view().fmt(f)
    }
}
