//! Writing headers.

use bytes::Bytes;

use super::{
    FIRST_OPAQUE_TYPE, HEADER_NAME_BYTES, HEADER_PREFIX_BYTES, HeaderError, Headers, HeadersRef, Value, read,
};
use crate::limits;

/// Encodes headers one after the other, and refuses what a reader would refuse.
///
/// A refused header leaves the builder as it was.
#[derive(Debug, Clone, Default)]
pub struct HeadersBuilder {
    bytes: Vec<u8>,
    count: usize,
}

impl HeadersBuilder {
    /// An empty builder; allocates with the first header.
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), count: 0 }
    }

    pub(super) fn validated(bytes: Vec<u8>, count: usize) -> Self {
        Self { bytes, count }
    }

    /// Adds a header behind the others; a name may appear more than once.
    ///
    /// # Errors
    /// When the name is malformed, the value is a [`Value::Opaque`] of a type below 128, or a limit is reached.
    pub fn push<'v>(&mut self, name: &str, value: impl Into<Value<'v>>) -> Result<(), HeaderError> {
        let value = value.into();
        let (name_len, value_len, size) = self.check(name, &value)?;
        self.bytes.reserve(size);
        self.bytes.extend_from_slice(&[value.type_number(), name_len]);
        self.bytes.extend_from_slice(&value_len.to_le_bytes());
        self.bytes.extend_from_slice(name.as_bytes());
        value.encode(&mut self.bytes);
        self.count += 1;
        Ok(())
    }

    /// [`push`](Self::push), for chains.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn with<'v>(mut self, name: &str, value: impl Into<Value<'v>>) -> Result<Self, HeaderError> {
        self.push(name, value)?;
        Ok(self)
    }

    /// Adds all headers of `other` behind these, in their order, or none of them.
    ///
    /// # Errors
    /// When both together exceed a limit.
    pub fn extend(&mut self, other: HeadersRef<'_>) -> Result<(), HeaderError> {
        self.check_room(other.len(), other.as_bytes().len())?;
        self.bytes.extend_from_slice(other.as_bytes());
        self.count += other.len();
        Ok(())
    }

    /// How many headers there are so far.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none so far.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The headers so far.
    pub fn as_view(&self) -> HeadersRef<'_> {
        HeadersRef::validated(&self.bytes, self.count)
    }

    /// Empties the builder and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    /// The finished headers, without a copy.
    pub fn build(self) -> Headers {
        Headers::validated(Bytes::from(self.bytes), self.count)
    }

    /// The two length fields and the size of the whole header.
    fn check(&self, name: &str, value: &Value<'_>) -> Result<(u8, u16, usize), HeaderError> {
        read::check_name(name.as_bytes())?;
        let name_len =
            u8::try_from(name.len()).map_err(|_| HeaderError::NameTooLong { bytes: name.len() })?;
        debug_assert!(name.len() <= HEADER_NAME_BYTES);
        if let Value::Opaque(kind, _) = *value
            && kind < FIRST_OPAQUE_TYPE
        {
            return Err(HeaderError::ReservedType { kind });
        }
        let size = HEADER_PREFIX_BYTES + name.len() + value.encoded_len();
        let value_len =
            u16::try_from(value.encoded_len()).map_err(|_| HeaderError::TooLarge { bytes: size })?;
        self.check_room(1, size)?;
        Ok((name_len, value_len, size))
    }

    fn check_room(&self, count: usize, size: usize) -> Result<(), HeaderError> {
        if self.count + count > limits::HEADERS {
            return Err(HeaderError::TooMany);
        }
        let bytes = self.bytes.len() + size;
        if bytes > limits::HEADERS_BYTES {
            return Err(HeaderError::TooLarge { bytes });
        }
        Ok(())
    }
}
