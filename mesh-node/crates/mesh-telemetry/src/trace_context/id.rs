//! Ids of traces and spans, and the hex digits they are written in.

use std::fmt;

use super::Error;

/// Names one trace: 16 bytes, never all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

impl TraceId {
    /// Of these bytes, most significant first; `None` for zeros.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Option<Self> {
        Some(u128::from_be_bytes(bytes)).filter(|&id| id != 0).map(Self)
    }

    /// Its bytes, most significant first.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    pub(super) fn from_hex(digits: &[u8]) -> Result<Self, Error> {
        Self::new(read_hex(digits)?).ok_or(Error::ZeroId)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Names one span of a trace: 8 bytes, never all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(u64);

impl SpanId {
    /// Of these bytes, most significant first; `None` for zeros.
    #[must_use]
    pub fn new(bytes: [u8; 8]) -> Option<Self> {
        Some(u64::from_be_bytes(bytes)).filter(|&id| id != 0).map(Self)
    }

    /// Its bytes, most significant first.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    pub(super) fn from_hex(digits: &[u8]) -> Result<Self, Error> {
        Self::new(read_hex(digits)?).ok_or(Error::ZeroId)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One byte of two lowercase digits.
pub(super) fn hex_byte([high, low]: [u8; 2]) -> Option<u8> {
    Some(nibble(high)? << 4 | nibble(low)?)
}

/// Writes each byte as two lowercase digits; `digits` has twice as many bytes as `bytes`.
pub(super) fn write_hex(bytes: &[u8], digits: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, pair) in bytes.iter().zip(digits.chunks_exact_mut(2)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0x0f)];
    }
}

fn read_hex<const BYTES: usize>(digits: &[u8]) -> Result<[u8; BYTES], Error> {
    let mut bytes = [0; BYTES];
    if digits.len() != 2 * BYTES {
        return Err(Error::Malformed);
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = hex_byte([pair[0], pair[1]]).ok_or(Error::Malformed)?;
    }
    Ok(bytes)
}

/// Uppercase digits are an error, says the recommendation.
fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
